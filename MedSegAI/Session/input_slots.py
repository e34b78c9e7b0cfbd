"""The scans a model takes, each with the node that was chosen for it and what speaks against that choice."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import slicer

from MedSegAI.Bridge.alignment_nodes import alignment_of
from MedSegAI.Bridge.scan_attributes import modality_of, unit_of
from MedSegAI.Bridge.volume_nodes import node_to_volume, world_grid
from MedSegAI.Logic.align.alignment import Alignment
from MedSegAI.Logic.align.check import Fit, SpaceCheck, check_space
from MedSegAI.Logic.align.move import as_it_lies
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.inference.input_check import check_kind
from MedSegAI.Logic.inference.scans import InputScans, Scans
from MedSegAI.Logic.models.card import ModelCard, ModelInput
from MedSegAI.Logic.volume import Modality, Volume
from MedSegAI.Session.prepared_scans import scan_as_read


@dataclass(frozen=True, eq=False)
class InputSlot:
    """One scan that the model takes.

    Args:
        index: Place among the model's inputs, from 0; the result lies on the grid of the first.
        wanted: What the model's card says of it.
        node: The volume node that was chosen; None where none is.
        problem: Why that node cannot be taken, as a sentence; empty where it can.
        note: What the user should know of it; empty where there is nothing.
        space: How it lies to the first input; None for the first itself, and where one of both is missing.
    """

    index: int
    wanted: ModelInput
    node: slicer.vtkMRMLScalarVolumeNode | None
    problem: str = ""
    note: str = ""
    space: SpaceCheck | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a usable node was chosen, which lies where it should."""
        return self.node is not None and not self.problem and self.lies_right

    @property
    def lies_right(self) -> bool:
        """Whether its voxels can be looked at together with those of the first input."""
        return self.space is None or self.space.fit is Fit.FIT

    @property
    def can_be_aligned(self) -> bool:
        """Whether it can be moved onto the first input."""
        return self.space is not None and self.space.fit is not Fit.REFUSED and not self.problem

    @property
    def alignment(self) -> Alignment | None:
        """How it was moved onto another scan, and how well that fits; None where it was not."""
        return None if self.node is None else alignment_of(self.node)

    @property
    def obstacle(self) -> str:
        """Why the model cannot run for want of this input, as a sentence; empty where it can."""
        if self.node is None:
            # The first one's grid is the result's, so it is never missing.
            is_needed = self.index == 0 or not self.wanted.optional
            return f"Choose the {self.wanted.name} scan ({self.wanted.modality.value}) first." if is_needed else ""
        if self.problem or self.lies_right:
            return self.problem
        return f"{self.space.sentence} {self.space.advice}"


def input_role(index: int) -> str:
    """The role under which the parameter node refers to the model's input of this index."""
    return f"input{index}"


def input_slots(
    card: ModelCard, node: slicer.vtkMRMLScriptedModuleNode, *, same_space: bool = False
) -> tuple[InputSlot, ...]:
    """The inputs of a model's card, each with the node that the parameter node refers to for it.

    Args:
        card: The model's card.
        node: The parameter node.
        same_space: Whether the user said that all of them lie in one space already.
    """
    nodes = [node.GetNodeReference(input_role(index)) for index in range(len(card.inputs))]
    slots = tuple(_slot(index, wanted, nodes[index], card) for index, wanted in enumerate(card.inputs))
    if len(slots) < 2:
        return slots
    return (slots[0], *(_placed(slot, slots[0], same_space=same_space) for slot in slots[1:]))


def obstacle_in(slots: tuple[InputSlot, ...]) -> str:
    """Why the model cannot run on these inputs, as a sentence; empty where it can."""
    return next((slot.obstacle for slot in slots if slot.obstacle), "")


def scans_in(slots: tuple[InputSlot, ...], *, same_space: bool = False) -> Scans:
    """The scans for a run: one volume for a model of one input, else several by the names of the card's inputs.

    Raises:
        InputError: if a node is empty, or its own axes are sheared.
    """
    if len(slots) == 1:
        return node_to_volume(slots[0].node)
    volumes = {slot.wanted.name: named_as_read(slot.node) for slot in slots if slot.node is not None}
    first = volumes[slots[0].wanted.name]
    if same_space:
        volumes = {name: volume if volume is first else _as_said(volume, first) for name, volume in volumes.items()}
    return InputScans(volumes, slots[0].wanted.name)


def place_for(slots: tuple[InputSlot, ...], volume: Volume) -> int:
    """Which input a scan that was just opened becomes: of several, the one that its name speaks for.

    Without such a name it is a free one for its kind of scan, or any free one; where none is free, and with a model of
    one input, it takes the first one's place.
    """
    if len(slots) < 2:
        return 0
    free = [slot for slot in slots if slot.node is None]
    named = [slot for slot in (*free, *slots) if _is_named(volume.name, slot.wanted.name)]
    of_kind = [slot for slot in free if volume.modality in (Modality.UNKNOWN, slot.wanted.modality)]
    return (named or of_kind or free or slots)[0].index


def named_as_read(node: slicer.vtkMRMLScalarVolumeNode) -> Volume:
    """The scan by the name it had when it was read: records of alignments name it so, however it was prepared."""
    return replace(node_to_volume(node), name=scan_as_read(node).GetName())


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


def _placed(slot: InputSlot, first: InputSlot, *, same_space: bool) -> InputSlot:
    """The slot with how its scan lies to the first one's."""
    if slot.node is None or slot.problem or first.node is None or first.problem:
        return slot
    if slot.node is first.node:
        return replace(slot, problem=f"'{slot.node.GetName()}' is the {first.wanted.name} scan already.")
    if any(world_grid(node) is None for node in (slot.node, first.node)):
        # Resampling it to the world, to see where it lies, would take long.
        return replace(slot, problem=f"'{slot.node.GetName()}' lies under a transform that bends it.")
    scan, reference = named_as_read(slot.node), named_as_read(first.node)
    if same_space:
        scan = _as_said(scan, reference)
    return replace(slot, space=check_space(scan, reference))


def _as_said(scan: Volume, reference: Volume) -> Volume:
    """The scan with a note that a person said where it lies, where nothing else says so."""
    needs_it = check_space(scan, reference).fit is Fit.NEEDS_REGISTRATION
    return as_it_lies(scan, reference=reference) if needs_it else scan


def _is_named(text: str, wanted: str) -> bool:
    """Whether a name such as "BraTS-00001-t1ce" holds the word that an input is called by, such as "T1CE"."""
    words = re.split(r"[^a-z0-9]+", text.casefold())
    return wanted.casefold() in words
