"""The panel that gives each of the model's inputs a volume, and moves the volumes onto the first one."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable

import qt
import slicer

from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Logic.models.card import ModelInput
from MedSegAI.Session.input_alignment import InputAlignment
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.dicom_database import note_source
from MedSegAI.Widgets.input_row import InputRow
from MedSegAI.Widgets.problem_line import problems_shown_in
from MedSegAI.Widgets.quiet_widgets import quiet
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
        self._rows: list[InputRow] = []
        self._alignment = InputAlignment(session)
        ui.sampleButton.connect("clicked(bool)", self._load_sample)
        ui.sameSpaceCheck.connect("toggled(bool)", self._take_as_they_lie)

    def refresh(self) -> None:
        """Show a selector for each input, what is chosen, and what speaks against it."""
        slots = self._session.inputs
        wanted = tuple(slot.wanted for slot in slots)
        if wanted != self._wanted:
            self._rebuild(wanted)
        for slot, row in zip(slots, self._rows):
            row.show(slot, is_viewed=slot.index == self._session.viewed_index, idle=not self._session.is_busy)
        same_space = self._ui.sameSpaceCheck
        with quiet(same_space):
            same_space.setChecked(self._alignment.same_space)
        same_space.setVisible(any(slot.space is not None for slot in slots))
        same_space.setEnabled(not self._session.is_busy)
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
        self._rows = [self._row(layout, index, each, is_only=len(wanted) == 1) for index, each in enumerate(wanted)]
        self._ui.scansHolder.layout().addWidget(self._form)

    def _row(self, layout: qt.QFormLayout, index: int, wanted: ModelInput, *, is_only: bool) -> InputRow:
        row = InputRow(layout, index, wanted, scene=self._session.scene, is_only=is_only)
        # Sent for a person's choice alone, so not while the scene is closed or loaded and nodes come and go.
        row.selector.connect("nodeActivated(vtkMRMLNode*)", functools.partial(self._choose, index))
        row.view_button.connect("clicked(bool)", functools.partial(self._act, self._session.view_input, index))
        row.align_button.connect("clicked(bool)", functools.partial(self._act, self._alignment.start_align, index))
        row.take_off_button.connect("clicked(bool)", functools.partial(self._act, self._alignment.take_off, index))
        return row

    def _act(self, action: Callable[[int], object], index: int, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            action(index)

    def _take_as_they_lie(self, is_so: bool) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._alignment.take_as_they_lie(is_so)

    def _choose(self, index: int, node: slicer.vtkMRMLScalarVolumeNode | None) -> None:
        with problems_shown_in(self._ui.problemLabel):
            if node is not None:
                note_source(node)
            self._session.set_input(index, node)

    def _load_sample(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.add_scan(sample_head())
