"""The scans: one slot for each scan that the model takes, and opening files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Bridge.scan_attributes import is_scan
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Session.input_slots import InputSlot
from MedSegAI.Web.case.controls import button, file_chooser, heading, marks, press
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "inputs_title": "Scan",
    "inputs_slot": "Volume for this input of the model",
    "open_files": "Open files",
    "open_files_tip": "Open a scan (NIfTI, NRRD, MetaImage, DICOM files or a zip of them) or a scene (.mrb)",
    "open_folder": "DICOM folder",
    "open_folder_tip": "Open the DICOM series in a folder",
    "open_sample": "Sample",
    "open_sample_tip": "Open the ICBM152 average head that comes with this program",
}


@dataclass
class InputsState:
    """What the panel shows."""

    slots: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, str]] = field(default_factory=list)


class InputsPanel(Panel[InputsState]):
    """The scans of the case."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, InputsState)

    def build(self) -> None:
        """Add the buttons that open files and the slots."""
        heading("inputs_title")
        with html.Div(classes="d-flex ga-1 flex-wrap"):
            button("open-files", icon="mdi-file-upload-outline", click=press("chooseFiles"))
            button("open-folder", icon="mdi-folder-upload-outline", click=press("chooseFolder"))
            button("open-sample", icon="mdi-head-outline", click=self.case.open_sample)
        failed = self.case.server.trigger_name(self.case.upload_failed)
        file_chooser("chooseFiles", "files-chooser", failed=failed)
        file_chooser("chooseFolder", "folder-chooser", failed=failed, folder=True)
        with html.Div(v_for=f"slot in {self.names.slots}", key=("slot.index",), classes="mt-4"):
            vuetify.VSelect(
                model_value=("slot.node",),
                items=(self.names.volumes,),
                label=("slot.label",),
                update_modelValue=(self.acts(self._choose), "[slot.index, $event]"),
                density="compact",
                variant="outlined",
                hide_details=True,
                **_slot_marks(),
            )
            html.Div(
                "{{ slot.problem || slot.note }}",
                v_show=("slot.problem || slot.note",),
                classes=("slot.problem ? 'text-caption text-error' : 'text-caption text-medium-emphasis'",),
                raw_attrs=['data-testid="input-remark"'],
            )

    def refresh(self) -> None:
        """Take over the slots and the volumes to choose from."""
        self.shown.volumes = [
            {"title": node.GetName(), "value": node.GetID()}
            for node in nodes_of_class(self.session.scene, "vtkMRMLScalarVolumeNode")
            if is_scan(node)
        ]
        self.shown.slots = [_as_shown(slot) for slot in self.session.inputs]

    def _choose(self, index: int, node_id: str) -> None:
        before = self.session.scan
        with self.case.views.drawn_once():
            self.session.set_input(int(index), self.session.scene.GetNodeByID(node_id) if node_id else None)
        if self.session.scan is not before:
            # The views are still where the scan before was.
            self.case.views.fit()


def _slot_marks() -> dict[str, Any]:
    marked = marks("input-slot", "inputs_slot")
    return {"raw_attrs": [':data-testid="`input-slot-${slot.index}`"', *marked["raw_attrs"][1:], ':title="slot.tip"']}


def _as_shown(slot: InputSlot) -> dict[str, Any]:
    wanted = slot.wanted
    return {
        "index": slot.index,
        "label": f"{wanted.name} ({wanted.modality.value})",
        "tip": f"{wanted.name}: a {wanted.modality.value} scan",
        "node": slot.node.GetID() if slot.node is not None else None,
        "problem": slot.problem,
        "note": slot.note,
    }
