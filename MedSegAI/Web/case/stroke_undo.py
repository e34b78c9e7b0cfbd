"""The undo stack of a case, on which strokes of the brush take the memory of what they changed."""

from __future__ import annotations

import slicer
from trame_slicer.segmentation.segmentation_undo_command import SegmentationLabelMapUndoCommand
from undo_stack import UndoCommand, UndoStack

from MedSegAI.Bridge.layer_changes import LayerChange, layer_changes, write_layers


class StrokeUndoStack(UndoStack):
    """An undo stack that keeps the changed boxes of a stroke where the editor hands over two whole segmentations."""

    def push(self, command: UndoCommand) -> None:
        """Put a command on the stack."""
        super().push(_smaller(command) if isinstance(command, SegmentationLabelMapUndoCommand) else command)


class _Stroke(UndoCommand):
    def __init__(self, node: slicer.vtkMRMLSegmentationNode, changes: tuple[LayerChange, ...]) -> None:
        super().__init__()
        self._node, self._changes = node, changes

    def undo(self) -> None:
        self._write(undone=True)

    def redo(self) -> None:
        self._write(undone=False)

    def _write(self, *, undone: bool) -> None:
        write_layers(self._node.GetSegmentation(), self._changes, undone=undone)
        # A node that the editor has left is not drawn anew in the slices when only its voxels change.
        if self._node.GetDisplayNode() is not None:
            self._node.GetDisplayNode().Modified()


def _smaller(command: SegmentationLabelMapUndoCommand) -> UndoCommand:
    # The editor offers no other way to the two states than its own names for them.
    states = command._segmentation_stack._segmentation_states
    changes = layer_changes(*states) if len(states) == 2 else None
    return command if changes is None else _Stroke(command._segmentation.segmentation_node, changes)
