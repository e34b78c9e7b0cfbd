"""The panel that gives each of the model's inputs a volume: one node selector for each, made as the card asks."""

from __future__ import annotations

import functools
import types

import qt
import slicer
from slicer.i18n import tr as _

from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Logic.models.card import ModelInput
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.problem_line import problems_shown_in, show_sentence
from MedSegAI.Widgets.sample_head import sample_head


class ScansPanel:
    """Chooses the scans.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        self._wanted: tuple[ModelInput, ...] = ()
        self._form: qt.QWidget | None = None
        self._rows: list[tuple[slicer.qMRMLNodeComboBox, qt.QLabel]] = []
        ui.sampleButton.connect("clicked(bool)", self._load_sample)

    def refresh(self) -> None:
        """Show a selector for each input, what is chosen, and what speaks against it."""
        slots = self._session.inputs
        wanted = tuple(slot.wanted for slot in slots)
        if wanted != self._wanted:
            self._rebuild(wanted)
        for slot, (selector, note) in zip(slots, self._rows):
            selector.setCurrentNode(slot.node)
            selector.setEnabled(not self._session.is_busy)
            show_sentence(note, slot.problem or slot.note)
        self._ui.sampleButton.setVisible(self._session.scan is None)

    def choose_the_only_scan(self) -> None:
        """Take the scene's volume as the scan where none was chosen and there is only one."""
        kind = "vtkMRMLScalarVolumeNode"
        nodes = nodes_of_class(self._session.scene, kind)
        scans = [node for node in nodes if node.GetClassName() == kind and not node.GetHideFromEditors()]
        if self._session.scan is None and not self._session.is_busy and len(scans) == 1:
            self._choose(0, scans[0])

    def _rebuild(self, wanted: tuple[ModelInput, ...]) -> None:
        if self._form is not None:
            self._form.setParent(None)
            self._form.deleteLater()
        self._form = qt.QWidget()
        layout = qt.QFormLayout(self._form)
        layout.setContentsMargins(0, 0, 0, 0)
        self._wanted = wanted
        self._rows = [self._add_row(layout, index, each) for index, each in enumerate(wanted)]
        self._ui.scansHolder.layout().addWidget(self._form)

    def _add_row(
        self, layout: qt.QFormLayout, index: int, wanted: ModelInput
    ) -> tuple[slicer.qMRMLNodeComboBox, qt.QLabel]:
        selector = slicer.qMRMLNodeComboBox()
        selector.objectName = f"inputSelector{index}"
        selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        selector.showChildNodeTypes = False
        selector.noneEnabled = True
        selector.noneDisplay = _("Choose a volume")
        selector.addEnabled = False
        selector.removeEnabled = False
        asked = _("The {name} scan ({modality}) that the model takes.")
        selector.setToolTip(asked.format(name=wanted.name, modality=wanted.modality.value))
        selector.setMRMLScene(self._session.scene)
        # Sent for a person's choice alone, so not while the scene is closed or loaded and nodes come and go.
        selector.connect("nodeActivated(vtkMRMLNode*)", functools.partial(self._choose, index))
        note = qt.QLabel()
        note.objectName = f"inputNote{index}"
        note.setWordWrap(True)
        label = qt.QLabel(_("{name} ({modality}):").format(name=wanted.name, modality=wanted.modality.value))
        label.setBuddy(selector)
        layout.addRow(label, selector)
        layout.addRow(note)
        return selector, note

    def _choose(self, index: int, node: slicer.vtkMRMLScalarVolumeNode | None) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.set_input(index, node)

    def _load_sample(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.add_scan(sample_head())
