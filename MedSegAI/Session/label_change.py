"""A change of voxels as an undo state: the changed box before and after, and nothing else of the label map."""

from __future__ import annotations

import slicer
from undo_stack import UndoCommand

from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Logic.volume import Volume


class LabelChange(UndoCommand):
    """Labels of a box of a segmentation node, changed at once when it is made.

    Args:
        node: The segmentation node.
        before: The box's labels uint8 (k, j, i) as they are, at their place in the patient.
        after: The same box as it will be.
        text: What was done, for the undo button's tooltip.
    """

    def __init__(self, node: slicer.vtkMRMLSegmentationNode, before: Volume, after: Volume, *, text: str) -> None:
        super().__init__()
        self._node, self._before, self._after, self._text = node, before, after, text
        self.redo()

    def undo(self) -> None:
        """Write the labels of before."""
        update_segments(self._node, self._before)

    def redo(self) -> None:
        """Write the labels of after."""
        update_segments(self._node, self._after)
