"""Segmentations of one scan from files become ratings, or the reason why not is said in a sentence."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.consensus.common_grid import GridChoice, difference_in_words
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.consensus.unify import box_of_votes, cropped, only_label, ratings_of
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.files.read_segmentation import Segmentation, read_segmentation
from MedSegAI.Logic.files.slicer_segments import plain_table
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume
from Testing.Logic.consensus.conftest import ratings_from

GRID = Grid((6, 7, 8), (1.0, 1.0, 2.0), (10.0, 20.0, 30.0))


def named(**values):
    return LabelTable(tuple(Label(v, key, key.title(), (1.0, 0.0, 0.0)) for key, v in values.items()))


def a_segmentation(*, grid=GRID, table=None, value=1, at=(2, 3, 4)):
    array = np.zeros(grid.shape, np.uint8)
    array[at] = value
    return Segmentation(Volume(array, grid), plain_table([value]) if table is None else table)


def refused(error, segmentations, **options):
    with pytest.raises(error) as caught:
        ratings_of(segmentations, **options)
    assert caught.value.problem.endswith(".")
    assert caught.value.advice.endswith(".")
    return caught.value


# Grids


def test_segmentations_on_one_grid_are_taken_as_they_are():
    first, second = a_segmentation(), a_segmentation(at=(2, 3, 5))
    ratings = ratings_of({"Ada": first, "Ben": second})
    assert ratings.raters == ("Ada", "Ben")
    assert ratings.grid is GRID
    assert ratings.ratings[1].labels is second.labels.array


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Grid((6, 7, 9), GRID.spacing, GRID.origin), "shape (k, j, i) (6, 7, 8) and (6, 7, 9)"),
        (Grid(GRID.shape, (1.0, 1.0, 2.5), GRID.origin), "spacing (i, j, k) (1, 1, 2) and (1, 1, 2.5) mm"),
        (Grid(GRID.shape, GRID.spacing, (10.0, 20.0, 33.5)), "origin (10, 20, 30) and (10, 20, 33.5), 3.5 mm apart"),
        (
            Grid(GRID.shape, GRID.spacing, GRID.origin, (-1, 0, 0, 0, -1, 0, 0, 0, 1)),
            "direction, by up to 180 degrees",
        ),
        (
            Grid(GRID.shape, GRID.spacing, GRID.origin, (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1)),
            "direction, by up to 36.87 degrees",
        ),
    ],
)
def test_another_grid_is_refused_with_the_difference(other, words):
    error = refused(InputError, {"Ada": a_segmentation(), "Ben": a_segmentation(grid=other)})
    assert f"'Ada' and 'Ben' lie on different grids: {words}." in error.problem
    assert "resampling" in error.advice or "join their extents" in error.advice


def test_grids_that_differ_by_rounding_are_one_grid():
    close = Grid(GRID.shape, GRID.spacing, (10.0, 20.0, 30.0 + 1e-5))
    assert difference_in_words(GRID, close) == ""
    assert ratings_of({"Ada": a_segmentation(), "Ben": a_segmentation(grid=close)}).grid is GRID


def test_small_differences_that_add_up_to_another_place_are_named():
    long = Grid((1000, 2, 2), (1.0, 1.0, 1.0))
    other = Grid((1000, 2, 2), (1.0, 1.0, 1.0005))
    assert difference_in_words(long, other).startswith("the place of their corners, by 0.49")


def test_the_parts_that_slicer_saves_are_joined_where_that_is_asked_for():
    first = a_segmentation()
    part = Segmentation(first.labels.crop(Box((1, 2, 3), (4, 5, 8))), first.table)
    error = refused(InputError, {"Ada": part, "Ben": first})
    assert "join their extents" in error.advice
    ratings = ratings_of({"Ada": part, "Ben": first}, grids=GridChoice.join_extents())
    assert ratings.grid.same_frame(GRID)
    for one in ratings.ratings:
        np.testing.assert_array_equal(one.labels, first.labels.array)


def test_another_lattice_cannot_be_joined():
    half = Grid(GRID.shape, GRID.spacing, (10.5, 20.0, 30.0))
    mirrored = Grid(GRID.shape, GRID.spacing, (17.0, 20.0, 30.0), (-1, 0, 0, 0, 1, 0, 0, 0, 1))
    for other in (half, mirrored):
        both = {"Ada": a_segmentation(), "Ben": a_segmentation(grid=other)}
        assert "Ask for resampling" in refused(InputError, both, grids=GridChoice.join_extents()).advice


def test_resampling_puts_a_voxel_where_it_is_in_the_patient():
    mirrored = Grid(GRID.shape, GRID.spacing, (17.0, 20.0, 30.0), (-1, 0, 0, 0, 1, 0, 0, 0, 1))
    both = {"Ada": a_segmentation(), "Ben": a_segmentation(grid=mirrored, at=(2, 3, 3))}
    ratings = ratings_of(both, grids=GridChoice.resample_to_first())
    np.testing.assert_array_equal(ratings.ratings[1].labels, ratings.ratings[0].labels)
    given = ratings_of(both, grids=GridChoice.resample_to(mirrored))
    assert given.grid == mirrored
    assert np.argwhere(given.ratings[0].labels).tolist() == [[2, 3, 3]]


def test_a_segmentation_of_another_place_is_not_resampled():
    far = Grid(GRID.shape, GRID.spacing, (500.0, 20.0, 30.0))
    both = {"Ada": a_segmentation(), "Ben": a_segmentation(grid=far)}
    assert "'Ben' lies outside" in refused(InputError, both, grids=GridChoice.resample_to_first()).problem


# Names


def test_values_become_those_of_the_first_table():
    first = a_segmentation(table=named(tumour=1, oedema=2))
    second = a_segmentation(table=named(oedema=1, tumour=7), value=7)
    ratings = ratings_of({"Ada": first, "Ben": second})
    assert [label.key for label in ratings.table] == ["tumour", "oedema"]
    np.testing.assert_array_equal(ratings.ratings[1].labels, first.labels.array)


def test_other_labels_are_refused_by_name():
    first = a_segmentation(table=named(tumour=1, oedema=2))
    for table, words in (
        (named(tumour=1), "it lacks oedema"),
        (named(tumour=1, oedema=2, vessel=3), "it has vessel, which they lack"),
        (named(tumour=1, necrosis=2), "it has necrosis, which they lack; it lacks oedema"),
    ):
        error = refused(LabelError, {"Ada": first, "Ben": a_segmentation(table=table)})
        assert error.problem == f"The labels of 'Ben' are not the labels of 'Ada': {words}."


def test_plain_maps_may_lack_a_label_that_their_rater_drew_nowhere():
    empty = Segmentation(Volume(np.zeros(GRID.shape, np.uint8), GRID), plain_table([]))
    two = a_segmentation(table=plain_table([1, 2]), value=2)
    ratings = ratings_of({"Ada": empty, "Ben": a_segmentation(), "Cy": two})
    assert [label.value for label in ratings.table] == [1, 2]


def test_plain_maps_with_other_values_are_refused():
    error = refused(LabelError, {"Ada": a_segmentation(), "Ben": a_segmentation(value=255)})
    assert "'Ben' are not the labels of 'Ada': it has label_255, which they lack" in error.problem


def test_a_given_table_names_the_values_of_plain_maps():
    table = named(tumour=1, oedema=2)
    ratings = ratings_of({"Ada": a_segmentation(), "Ben": a_segmentation(table=table)}, table=table)
    assert ratings.table == table
    error = refused(LabelError, {"Ada": a_segmentation(value=3)}, table=table)
    assert "not the labels asked for: it has label_3" in error.problem


def test_a_value_without_a_name_is_refused():
    odd = a_segmentation(table=named(tumour=1), value=5)
    assert "'Ben' holds values without a name: [5]" in refused(LabelError, {"Ben": odd}).problem


# Raters


def test_a_rater_twice_is_refused():
    one = a_segmentation()
    assert "'Ada' comes twice" in refused(InputError, [("Ada", one), ("Ada", one)]).problem
    assert "'Ada' and ' ada' are one and the same" in refused(InputError, {"Ada": one, " ada": one}).problem


def test_a_rater_without_a_segmentation_has_no_vote():
    ratings = ratings_of({"Ada": None, "Ben": a_segmentation()})
    assert ratings.raters == ("Ada", "Ben")
    assert not ratings.ratings[0].looked_at.any()
    assert "no segmentation" in refused(InputError, {"Ada": None}).problem


def test_real_files_of_five_algorithms(data_folder):
    files = sorted((data_folder / "brats_like" / "TCGA-DU-7294" / "segmentation").glob("*.nii.gz"))
    if not files:
        pytest.skip(f"no real data at {data_folder / 'brats_like'}")
    ratings = ratings_of({path.name: read_segmentation(path) for path in files[:2]})
    assert ratings.grid.shape == (155, 240, 240)
    assert {label.value for label in ratings.table} <= {1, 2, 4}


def test_a_float_mask_is_read_and_a_map_of_probabilities_refused(tmp_path):
    mask = np.zeros((4, 4, 4), np.float32)
    mask[1, 2, 3] = 1
    sitk.WriteImage(sitk.GetImageFromArray(mask), tmp_path / "mask.nrrd")
    sitk.WriteImage(sitk.GetImageFromArray(mask * 0.5), tmp_path / "half.nrrd")
    assert ratings_of({"Ada": read_segmentation(tmp_path / "mask.nrrd")}).ratings[0].labels.dtype == np.uint8
    with pytest.raises(InputError, match="no label map"):
        read_segmentation(tmp_path / "half.nrrd")


# Parts


def test_the_box_of_votes_holds_all_votes_and_a_margin_in_mm():
    maps = np.zeros((2, 20, 20, 20), np.uint8)
    maps[0, 5, 6, 7] = maps[1, 8, 9, 10] = 1
    ratings = ratings_from(list(maps), spacing=(1.0, 2.0, 4.0))
    assert box_of_votes(ratings, margin_mm=0) == Box((5, 6, 7), (9, 10, 11))
    assert box_of_votes(ratings, margin_mm=3) == Box((4, 4, 4), (10, 12, 14))
    assert box_of_votes(ratings, margin_mm=1000) == Box.whole((20, 20, 20))
    with pytest.raises(InputError, match="-1 mm"):
        box_of_votes(ratings, margin_mm=-1)


def test_without_votes_the_box_is_the_grid():
    labels = np.ones((2, 3, 4), np.uint8)
    nowhere = Rating("A", labels, np.zeros(labels.shape, bool))
    ratings = Ratings(Grid(labels.shape), plain_table([1]), (nowhere,))
    assert box_of_votes(ratings, margin_mm=1) == Box.whole((2, 3, 4))


def test_a_part_keeps_its_place():
    ratings = ratings_of({"Ada": None, "Ben": a_segmentation()})
    part = cropped(ratings, Box((2, 3, 4), (4, 5, 20)))
    assert part.grid.shape == (2, 2, 4)
    assert part.grid.origin == (14.0, 23.0, 34.0)
    assert part.ratings[1].labels[0, 0, 0] == 1
    assert np.shares_memory(part.ratings[1].labels, ratings.ratings[1].labels)


def test_one_label_alone():
    ratings = only_label(ratings_from([[0, 1, 2, 2], [2, 1, 0, 1]]), "label_2")
    assert [one.labels.ravel().tolist() for one in ratings.ratings] == [[0, 0, 2, 2], [2, 0, 0, 0]]
    assert [label.value for label in ratings.table] == [2]
    with pytest.raises(LabelError):
        only_label(ratings, "label_1")
