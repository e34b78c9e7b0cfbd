"""Left and right are compared voxel by voxel across the mid-sagittal plane."""

import numpy as np
import pytest

from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.evaluation.symmetry import left_right_symmetry
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume

GREY = (0.5, 0.5, 0.5)
TABLE = LabelTable(
    (
        Label(1, "left_head", "Left head", GREY),
        Label(2, "left_tail", "Left tail", GREY),
        Label(3, "right_head", "Right head", GREY),
        Label(4, "right_tail", "Right tail", GREY),
        Label(5, "left_only", "Left only", GREY),
    )
)
# i runs to the patient's Left (LPS x), 11 voxels of 2 mm with x = 0 at i = 5.
GRID = Grid((4, 4, 11), (2.0, 1.0, 1.0), (-10.0, 0.0, 0.0))


def _mirrored_pair() -> np.ndarray:
    array = np.zeros(GRID.shape, np.uint8)
    array[1, 1:3, 7:9], array[2, 1, 8:11] = 1, 2
    array[1, 1:3, 2:4], array[2, 1, 0:3] = 3, 4
    return array


def test_an_exactly_mirrored_segmentation_has_dice_one():
    entries = left_right_symmetry(Volume(_mirrored_pair(), GRID), TABLE)
    assert [entry.structure for entry in entries] == ["head", "tail", "whole"]
    assert [entry.dice for entry in entries] == [1.0, 1.0, 1.0]
    assert entries[2].left_ml == pytest.approx(7 * 2 / 1000)
    assert entries[2].right_ml == pytest.approx(7 * 2 / 1000)


def test_a_known_shift_gives_the_dice_counted_by_hand():
    array = _mirrored_pair()
    array[array == 3] = 0
    array[1, 1:3, 1:3] = 3  # One voxel further out: 2 of 4 shared.
    head = left_right_symmetry(Volume(array, GRID), TABLE)[0]
    assert head.dice == pytest.approx(0.5)


def test_the_plane_of_symmetry_follows_its_position_in_the_patient():
    moved = Grid(GRID.shape, GRID.spacing, (-10.0 + 6.0, 0.0, 0.0))
    assert left_right_symmetry(Volume(_mirrored_pair(), moved), TABLE, mid_plane_x_mm=6.0)[2].dice == 1.0
    assert left_right_symmetry(Volume(_mirrored_pair(), moved), TABLE)[2].dice < 0.5


def test_one_empty_side_gives_zero_and_two_empty_sides_give_none():
    array = _mirrored_pair()
    array[array >= 3] = 0
    assert left_right_symmetry(Volume(array, GRID), TABLE)[2].dice == 0.0
    assert left_right_symmetry(Volume(np.zeros(GRID.shape, np.uint8), GRID), TABLE)[2].dice is None


def test_a_table_without_sides_is_refused_with_a_sentence():
    table = LabelTable((Label(1, "anterior", "Anterior", GREY),))
    with pytest.raises(LabelError, match="left and a right"):
        left_right_symmetry(Volume(np.zeros(GRID.shape, np.uint8), GRID), table)
