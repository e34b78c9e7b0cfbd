"""A prepared scan in the scene: beside what it was before, with the extras that its preparation found."""

from __future__ import annotations

from collections.abc import Iterator

import slicer

from MedSegAI.Bridge.scan_attributes import EXTRA_ATTRIBUTE, unit_of
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Bridge.window_level import Window, display_through, window_of, window_of_voxels
from MedSegAI.Logic.standardise.step import Standardised
from MedSegAI.Logic.volume import Unit, Volume
from MedSegAI.Session.choices import AFTER, BEFORE

_BEFORE_ROLE = "MedSegAI.Before"
_EXTRA_ROLE = "MedSegAI.Extra"


def prepared_to_nodes(
    result: Standardised, before: slicer.vtkMRMLScalarVolumeNode, *, name: str
) -> Iterator[slicer.vtkMRMLScalarVolumeNode]:
    """Bring a prepared scan into the scene, one node a step: first the scan, then each extra.

    Values that mean the same before and after, such as Hounsfield units, are shown through the same window; others get
    one of their own.

    Args:
        result: What the preparation made.
        before: The scan that it was made from; it stays as it is.
        name: Name of the prepared scan's node.
    """
    scene = before.GetScene()
    display = display_through(_window_after(before, result.volume))
    node = volume_to_node(result.volume, scene, name=name, display=display)
    node.SetNodeReferenceID(_BEFORE_ROLE, before.GetID())
    yield node
    for title, extra in result.extras.items():
        display = display_through(window_of_voxels(extra.array))
        found = volume_to_node(extra, scene, name=f"{name}: {title}", display=display)
        found.SetAttribute(EXTRA_ATTRIBUTE, title)
        node.AddNodeReferenceID(_EXTRA_ROLE, found.GetID())
        yield found


def scan_before(node: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """What a scan was before it was prepared last; None where it was not, or that has left the scene."""
    return node.GetNodeReference(_BEFORE_ROLE)


def scan_as_read(node: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode:
    """The scan that everything began with, as far as it is still in the scene."""
    before = scan_before(node)
    return node if before is None else scan_as_read(before)


def extras_of(node: slicer.vtkMRMLScalarVolumeNode) -> dict[str, slicer.vtkMRMLScalarVolumeNode]:
    """What the last preparation found beside the scan, by name."""
    nodes = [node.GetNthNodeReference(_EXTRA_ROLE, n) for n in range(node.GetNumberOfNodeReferences(_EXTRA_ROLE))]
    return {extra.GetAttribute(EXTRA_ATTRIBUTE): extra for extra in nodes if extra is not None}


def stages_of(node: slicer.vtkMRMLScalarVolumeNode) -> dict[str, slicer.vtkMRMLScalarVolumeNode]:
    """What of a scan the slices can show, by the value of ``Choices.view_stage``."""
    before = scan_before(node)
    return {AFTER: node, **({} if before is None else {BEFORE: before}), **extras_of(node)}


def every_stage_of(node: slicer.vtkMRMLScalarVolumeNode) -> tuple[slicer.vtkMRMLScalarVolumeNode, ...]:
    """The scan, what it was before each of its preparations, and what these found."""
    before = scan_before(node)
    return (node, *extras_of(node).values(), *(() if before is None else every_stage_of(before)))


def _window_after(before: slicer.vtkMRMLScalarVolumeNode, after: Volume) -> Window:
    is_comparable = after.unit is unit_of(before) and after.unit is not Unit.ARBITRARY
    return (window_of(before) if is_comparable else None) or window_of_voxels(after.array)
