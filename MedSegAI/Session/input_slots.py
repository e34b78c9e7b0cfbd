"""The scans a model takes, each with the node that was chosen for it and what speaks against that choice."""

from __future__ import annotations

from dataclasses import dataclass

import slicer

from MedSegAI.Bridge.scan_attributes import modality_of, unit_of
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.inference.input_check import check_kind
from MedSegAI.Logic.models.card import ModelCard, ModelInput
from MedSegAI.Logic.volume import Modality


@dataclass(frozen=True, eq=False)
class InputSlot:
    """One scan that the model takes.

    Args:
        index: Place among the model's inputs, from 0.
        wanted: What the model's card says of it.
        node: The volume node that was chosen; None where none is.
        problem: Why that node cannot be taken, as a sentence; empty where it can.
        note: What the user should know of it; empty where there is nothing.
    """

    index: int
    wanted: ModelInput
    node: slicer.vtkMRMLScalarVolumeNode | None
    problem: str = ""
    note: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether a usable node was chosen."""
        return self.node is not None and not self.problem


def input_role(index: int) -> str:
    """The role under which the parameter node refers to the model's input of this index."""
    return f"input{index}"


def input_slots(card: ModelCard, node: slicer.vtkMRMLScriptedModuleNode) -> tuple[InputSlot, ...]:
    """The inputs of a model's card, each with the node that the parameter node refers to for it."""
    return tuple(
        _slot(index, wanted, node.GetNodeReference(input_role(index)), card) for index, wanted in enumerate(card.inputs)
    )


def obstacle_in(slots: tuple[InputSlot, ...]) -> str:
    """Why the model cannot run on these inputs, as a sentence; empty where it can."""
    missing = next((slot for slot in slots if not slot.is_ready), None)
    if missing is None:
        return ""
    return missing.problem or f"Choose the {missing.wanted.name} scan ({missing.wanted.modality.value}) first."


def _slot(index: int, wanted: ModelInput, node: slicer.vtkMRMLScalarVolumeNode | None, card: ModelCard) -> InputSlot:
    if node is None:
        return InputSlot(index, wanted, None)
    if node.GetImageData() is None:
        return InputSlot(index, wanted, node, f"'{node.GetName()}' holds no image. Choose another volume.")
    modality = modality_of(node)
    try:
        check_kind(node.GetName(), modality, unit_of(node), wanted=wanted, model_name=card.name)
    except InputError as error:
        return InputSlot(index, wanted, node, str(error))
    if modality is Modality.UNKNOWN:
        note = f"'{node.GetName()}' does not say what kind of scan it is; it will be taken for {wanted.modality.value}."
        return InputSlot(index, wanted, node, note=note)
    return InputSlot(index, wanted, node)
