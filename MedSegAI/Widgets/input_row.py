"""One of the model's inputs on the panel: its volume, what speaks against it, where it lies, and what can be done."""

from __future__ import annotations

import qt
import slicer
from slicer.i18n import tr as _

from MedSegAI.Logic.models.card import ModelInput
from MedSegAI.Session.input_slots import InputSlot
from MedSegAI.Widgets.problem_line import show_sentence

_WRONG = "color: #c0392b"


class InputRow:
    """The widgets of one input; who makes the row connects its selector and buttons.

    Args:
        layout: The form that the row is added to.
        index: Place among the model's inputs, from 0.
        wanted: What the model's card says of it.
        scene: Where its volumes are.
        is_only: Whether it is the model's only input; its place in space is then no question.
    """

    def __init__(
        self,
        layout: qt.QFormLayout,
        index: int,
        wanted: ModelInput,
        *,
        scene: slicer.vtkMRMLScene,
        is_only: bool,
    ) -> None:
        self._is_only = is_only
        self.selector = _selector(index, wanted, scene)
        self.view_button = qt.QToolButton()
        self.view_button.objectName = f"inputView{index}"
        self.view_button.setText(_("Show"))
        self.view_button.setToolTip(_("Show this scan in the slices"))
        self.view_button.setCheckable(True)
        self._note, self._space = _note(f"inputNote{index}"), _note(f"inputSpace{index}")
        tip = _("Move this scan onto the first one, so that the same anatomy lies at the same place")
        self.align_button = _button(f"inputAlign{index}", _("Align"), tip)
        tip = _("Put this scan back to where it was before it was aligned")
        self.take_off_button = _button(f"inputTakeOff{index}", _("Put back"), tip)
        label = qt.QLabel(_("{name} ({modality}):").format(name=wanted.name, modality=wanted.modality.value))
        label.setBuddy(self.selector)
        layout.addRow(label, _side_by_side(self.selector, self.view_button))
        layout.addRow(self._note)
        layout.addRow(self._space)
        layout.addRow(_side_by_side(self.align_button, self.take_off_button))

    def show(self, slot: InputSlot, *, is_viewed: bool, idle: bool) -> None:
        """Show what is chosen, what speaks against it and where it lies.

        Args:
            slot: The input.
            is_viewed: Whether the slices show it.
            idle: Whether something can be begun now.
        """
        self.selector.setCurrentNode(slot.node)
        self.selector.setEnabled(idle)
        self.view_button.setVisible(not self._is_only)
        self.view_button.setEnabled(slot.node is not None)
        self.view_button.setChecked(is_viewed and slot.node is not None)
        show_sentence(self._note, slot.problem or slot.note)
        show_sentence(self._space, place_sentence(slot))
        self._space.setStyleSheet("" if slot.lies_right else _WRONG)
        self.align_button.setVisible(slot.can_be_aligned)
        self.align_button.setEnabled(idle)
        self.take_off_button.setVisible(slot.alignment is not None)
        self.take_off_button.setEnabled(idle)


def place_sentence(slot: InputSlot) -> str:
    """How the scan lies to the first one, and what would help; empty where there is nothing to say."""
    space = slot.space
    if space is None:
        return ""
    told = space.sentence if slot.lies_right else f"{space.sentence} {space.advice}"
    if slot.alignment is not None:
        return told
    return _("{sentence} Overlap: {share:.0%}.").format(sentence=told, share=space.overlap)


def _selector(index: int, wanted: ModelInput, scene: slicer.vtkMRMLScene) -> slicer.qMRMLNodeComboBox:
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
    selector.setMRMLScene(scene)
    return selector


def _note(name: str) -> qt.QLabel:
    note = qt.QLabel()
    note.objectName = name
    note.setWordWrap(True)
    return note


def _button(name: str, text: str, tip: str) -> qt.QPushButton:
    button = qt.QPushButton(text)
    button.objectName = name
    button.setToolTip(tip)
    return button


def _side_by_side(*widgets: qt.QWidget) -> qt.QHBoxLayout:
    layout = qt.QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        layout.addWidget(widget)
    return layout
