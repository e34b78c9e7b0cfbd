"""One structure that was pointed at coming or going as an undo state: its segment, its point, and the record."""

from __future__ import annotations

from dataclasses import dataclass

import slicer
from undo_stack import UndoCommand

from MedSegAI.Bridge.nodule_segments import put_segment, take_segment
from MedSegAI.Bridge.point_lists import add_point, remove_point
from MedSegAI.Bridge.segment_edits import is_edited, mark_as_made
from MedSegAI.Bridge.segmentation_copies import unaltered_copy
from MedSegAI.Bridge.segmentation_nodes import write_provenance
from MedSegAI.Logic.geometry import Triple
from MedSegAI.Logic.provenance import Provenance


@dataclass(frozen=True, eq=False)
class PointedSegment:
    """A segment and where it came from.

    Args:
        key: ID of the segment.
        name: What the user reads; its last word, the number, stands beside its point.
        point: Where it was pointed at, (R, A, S) mm of the world; None where that is not known any more.
        segment: The segment.
        as_made: The same as the model made it, for the unaltered copy; None where there is none.
    """

    key: str
    name: str
    point: Triple | None
    segment: slicer.vtkSegment
    as_made: slicer.vtkSegment | None = None


class NoduleAdded(UndoCommand):
    """A segment that joined a segmentation; it joins when this is made.

    Args:
        node: The segmentation.
        points: The list that its point goes to.
        added: The segment.
        record: What the segmentation said of its making before (None for nothing), and says with it.
    """

    def __init__(
        self,
        node: slicer.vtkMRMLSegmentationNode,
        points: slicer.vtkMRMLMarkupsFiducialNode,
        added: PointedSegment,
        *,
        record: tuple[Provenance | None, Provenance],
    ) -> None:
        super().__init__()
        self._node, self._points, self._added, self._record = node, points, added, record
        self._text = f"segment {added.name}"
        self.redo()

    def undo(self) -> None:
        """Take it out."""
        _leave(self._node, self._points, self._added.key, self._record[0])

    def redo(self) -> None:
        """Put it in."""
        _join(self._node, self._points, self._added, self._record[1])


class NoduleRemoved(UndoCommand):
    """A segment that left a segmentation, with its point; it leaves when this is made.

    Args:
        node: The segmentation.
        points: The list that its point is in; None where there is none any more.
        removed: The segment, as it is in the node.
        record: What the segmentation says of its making with it, and without it; None where it says nothing.
    """

    def __init__(
        self,
        node: slicer.vtkMRMLSegmentationNode,
        points: slicer.vtkMRMLMarkupsFiducialNode | None,
        removed: PointedSegment,
        *,
        record: tuple[Provenance | None, Provenance | None],
    ) -> None:
        super().__init__()
        self._node, self._points, self._removed, self._record = node, points, removed, record
        self._text = f"remove {removed.name}"
        self.redo()

    def undo(self) -> None:
        """Put it back."""
        _join(self._node, self._points, self._removed, self._record[0])

    def redo(self) -> None:
        """Take it out."""
        _leave(self._node, self._points, self._removed.key, self._record[1])


def _join(
    node: slicer.vtkMRMLSegmentationNode,
    points: slicer.vtkMRMLMarkupsFiducialNode | None,
    what: PointedSegment,
    record: Provenance | None,
) -> None:
    was_edited = is_edited(node)
    put_segment(node, what.key, what.segment)
    copy = unaltered_copy(node)
    if copy is not None and what.as_made is not None:
        put_segment(copy, what.key, what.as_made)
    if points is not None and what.point is not None:
        add_point(points, what.point, name=what.name.split()[-1], key=what.key)
    _settle(node, record, was_edited=was_edited)


def _leave(
    node: slicer.vtkMRMLSegmentationNode,
    points: slicer.vtkMRMLMarkupsFiducialNode | None,
    key: str,
    record: Provenance | None,
) -> None:
    was_edited = is_edited(node)
    take_segment(node, key)
    copy = unaltered_copy(node)
    if copy is not None:
        take_segment(copy, key)
    if points is not None:
        remove_point(points, key)
    _settle(node, record, was_edited=was_edited)


def _settle(node: slicer.vtkMRMLSegmentationNode, record: Provenance | None, *, was_edited: bool) -> None:
    if record is not None:
        write_provenance(node, record)
    # Who corrected one segment has corrected the node, whichever others came or went since.
    if not was_edited:
        mark_as_made(node)
