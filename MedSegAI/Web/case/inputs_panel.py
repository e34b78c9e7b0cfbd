"""The scans: one slot for each scan that the model takes, and opening files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Bridge.scan_attributes import is_scan
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Session.input_slots import InputSlot
from MedSegAI.Web.case.controls import button, file_chooser, heading, marks, press, switch
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
    "inputs_show": "Show this scan in the slices",
    "inputs_overlap": "Overlap: {}.",
    "inputs_align": "Align",
    "inputs_align_tip": "Move this scan onto the first one, so that the same anatomy lies at the same place",
    "inputs_take_off": "Put back",
    "inputs_take_off_tip": "Put this scan back to where it was before it was aligned",
    "inputs_same_space": "They lie right as they are",
    "inputs_same_space_tip": "Take all scans to lie in one space already, although nothing in the files says so",
}


@dataclass
class InputsState:
    """What the panel shows."""

    slots: list[dict[str, Any]] = field(default_factory=list)
    volumes: list[dict[str, str]] = field(default_factory=list)
    viewed: int = 0
    same_space: bool = False
    busy: bool = False


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
            button("open-sample", icon="mdi-head-outline", click=self._open_sample)
        failed = self.case.server.trigger_name(self.case.upload_failed)
        file_chooser("chooseFiles", "files-chooser", failed=failed)
        file_chooser("chooseFolder", "folder-chooser", failed=failed, folder=True)
        with html.Div(v_for=f"slot in {self.names.slots}", key=("slot.index",), classes="mt-4"):
            with html.Div(classes="d-flex align-center ga-1"):
                vuetify.VSelect(
                    model_value=("slot.node",),
                    items=(self.names.volumes,),
                    label=("slot.label",),
                    update_modelValue=(self.acts(self._choose), "[slot.index, $event]"),
                    density="compact",
                    variant="outlined",
                    hide_details=True,
                    style="min-width:0",
                    **_slot_marks(),
                )
                self._eye()
            html.Div(
                "{{ slot.problem || slot.note }}",
                v_show=("slot.problem || slot.note",),
                classes=("slot.problem ? 'text-caption text-error' : 'text-caption text-medium-emphasis'",),
                raw_attrs=['data-testid="input-remark"'],
            )
            self._place()
        with html.Div(v_show=(f"{self.names.slots}.some((slot) => slot.space)",), classes="mt-1"):
            switch(
                "inputs-same-space",
                model=self.names.same_space,
                update_modelValue=(self.acts(self.case.alignment.take_as_they_lie), "[$event]"),
            )

    def refresh(self) -> None:
        """Take over the slots and the volumes to choose from."""
        self.shown.volumes = [
            {"title": node.GetName(), "value": node.GetID()}
            for node in nodes_of_class(self.session.scene, "vtkMRMLScalarVolumeNode")
            if is_scan(node)
        ]
        self.shown.slots = [_as_shown(slot) for slot in self.session.inputs]
        self.shown.viewed, self.shown.busy = self.session.viewed_index, self.session.is_busy
        self.shown.same_space = self.case.alignment.same_space

    async def _open_sample(self) -> None:
        await self.case.attempt_long(self.case.opening.sample)

    def _eye(self) -> None:
        is_viewed = f"slot.index === {self.names.viewed}"
        with vuetify.VBtn(
            icon=True,
            variant="text",
            size="x-small",
            v_show=(f"slot.node && {self.names.slots}.length > 1",),
            color=(f"{is_viewed} ? 'primary' : undefined",),
            click=(self.acts(self._view), "[slot.index]"),
            raw_attrs=[
                ':data-testid="`input-show-${slot.index}`"',
                f':aria-pressed="{is_viewed}"',
                ':aria-label="t.inputs_show"',
                ':title="t.inputs_show"',
            ],
        ):
            vuetify.VIcon(f"{{{{ {is_viewed} ? 'mdi-eye' : 'mdi-eye-outline' }}}}", size="small")

    def _place(self) -> None:
        """How the scan lies to the first one, and what can be done about it."""
        html.Div(
            "{{ slot.space + (slot.overlap ? ' ' + t.inputs_overlap.replace('{}', slot.overlap) : '') }}",
            v_show=("slot.space",),
            classes=("slot.lies_right ? 'text-caption text-medium-emphasis' : 'text-caption text-error'",),
            raw_attrs=[':data-testid="`input-space-${slot.index}`"'],
        )
        with html.Div(v_show=("slot.can_be_aligned || slot.is_aligned",)), html.Div(classes="d-flex ga-1 mt-1"):
            self._slot_button("inputs_align", "mdi-axis-arrow", self.case.alignment.start_align, "slot.can_be_aligned")
            self._slot_button("inputs_take_off", "mdi-undo-variant", self.case.alignment.take_off, "slot.is_aligned")

    def _slot_button(self, text: str, icon: str, action: Callable[[int], object], shown_if: str) -> None:
        testid = text.replace("_", "-")
        with vuetify.VBtn(
            v_show=(shown_if,),
            size="small",
            density="comfortable",
            variant="tonal",
            click=(self.acts(action), "[slot.index]"),
            disabled=(self.names.busy,),
            raw_attrs=[f':data-testid="`{testid}-${{slot.index}}`"', f':title="t.{text}_tip"'],
        ):
            vuetify.VIcon(icon, start=True)
            html.Span(f"{{{{ t.{text} }}}}")

    def _view(self, index: int) -> None:
        with self.case.views.drawn_once():
            self.session.view_input(int(index))

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
        "space": _place_of(slot),
        "overlap": "" if slot.space is None or slot.alignment is not None else f"{slot.space.overlap:.0%}",
        "lies_right": slot.lies_right,
        "can_be_aligned": slot.can_be_aligned,
        "is_aligned": slot.alignment is not None,
    }


def _place_of(slot: InputSlot) -> str:
    space = slot.space
    if space is None:
        return ""
    return space.sentence if slot.lies_right else f"{space.sentence} {space.advice}"
