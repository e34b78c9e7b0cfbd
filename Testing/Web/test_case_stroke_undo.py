"""A stroke of the editor's brush goes on the undo stack as what it changed, not as two whole segmentations."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("trame_slicer", reason="the browser app's packages are not installed")

from trame_slicer.segmentation import Segmentation
from trame_slicer.segmentation.segmentation_undo_command import SegmentationLabelMapUndoCommand
from undo_stack import UndoCommand

from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, segmentation_to_node
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume
from MedSegAI.Web.case.stroke_undo import StrokeUndoStack


class RememberingStack(StrokeUndoStack):
    """Shows what is kept."""

    @property
    def kept(self) -> list[UndoCommand]:
        return self._command_list


@pytest.fixture
def labels() -> Volume:
    array = np.zeros((6, 8, 10), np.uint8)
    array[1:5, 2:6, 3:8] = 1
    return Volume(array, Grid(array.shape, (1.0, 1.0, 1.0)), name="labels")


@pytest.fixture
def segmentation(labels) -> Segmentation:
    scene = new_scene()
    table = LabelTable((Label(1, "organ", "Organ", (1.0, 0.0, 0.0)),))
    node = segmentation_to_node(labels, table, scene.mrml, name="organ")
    made = Segmentation(node, None)
    made.set_undo_stack(RememberingStack())
    yield made


def stroke(segmentation: Segmentation, labels: Volume) -> np.ndarray:
    painted = labels.array.copy()
    painted[0, 0:3, 0:3] = 1
    with SegmentationLabelMapUndoCommand.push_state_change(segmentation):
        update_segments(segmentation.segmentation_node, labels.with_array(painted))
    return painted


def read(segmentation: Segmentation, labels: Volume) -> np.ndarray:
    return node_to_segmentation(segmentation.segmentation_node, grid=labels.grid)[0].array


def test_a_stroke_is_kept_small_and_comes_back(segmentation, labels):
    painted = stroke(segmentation, labels)
    (kept,) = segmentation.undo_stack.kept
    assert not isinstance(kept, SegmentationLabelMapUndoCommand)
    segmentation.undo_stack.undo()
    assert np.array_equal(read(segmentation, labels), labels.array)
    segmentation.undo_stack.redo()
    assert np.array_equal(read(segmentation, labels), painted)


def test_what_changes_more_than_voxels_is_kept_as_the_editor_hands_it_over(segmentation, labels):
    with SegmentationLabelMapUndoCommand.push_state_change(segmentation):
        segmentation.segmentation.AddEmptySegment("mine", "mine")
    (kept,) = segmentation.undo_stack.kept
    assert isinstance(kept, SegmentationLabelMapUndoCommand)
    segmentation.undo_stack.undo()
    assert segmentation.n_segments == 1
