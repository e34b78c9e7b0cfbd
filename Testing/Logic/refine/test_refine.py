"""A label is mended from a few strokes, near them and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.refine.refine import probability_of_label, refine
from MedSegAI.Logic.refine.settings import RefineMethod, RefineSettings
from MedSegAI.Logic.volume import Volume
from Testing.Logic.refine.conftest import SHAPE, empty, marked

every_method = pytest.mark.parametrize("method", list(RefineMethod), ids=lambda method: method.value)
exact_methods = pytest.mark.parametrize(
    "method", [RefineMethod.GRAPH_CUT, RefineMethod.RANDOM_WALKER], ids=lambda method: method.value
)
STROKE_IN_BLOCK = np.s_[8, 8:10, 12:14]


# What a stroke mends


@exact_methods
def test_one_inside_stroke_brings_back_a_missing_end(a_scan, a_block, method):
    label = a_block.copy()
    label[:, :, 10:] = False
    found = refine(a_scan, label, marked(STROKE_IN_BLOCK), empty(), method=method)
    assert np.array_equal(found.mask, a_block)
    assert found.changed == Box((5, 5, 10), (11, 13, 15))


@exact_methods
def test_one_outside_stroke_takes_back_a_leak(a_scan, a_block, method):
    label = a_block | marked(np.s_[6:10, 13:16, 7:12])
    found = refine(a_scan, label, empty(), marked(np.s_[8, 14, 8:11]), method=method)
    assert np.array_equal(found.mask, a_block)


@exact_methods
def test_both_kinds_at_once_mend_a_shifted_label(a_scan, a_block, method):
    label = np.roll(a_block, 2, axis=2)
    inside, outside = marked(np.s_[8, 7:11, 5:7]), marked(np.s_[8, 7:11, 15:17])
    found = refine(a_scan, label, inside, outside, method=method)
    assert np.array_equal(found.mask, a_block)


@every_method
def test_the_error_becomes_smaller(a_scan, a_block, method):
    label = a_block.copy()
    label[:, :, 10:] = False
    found = refine(a_scan, label, marked(STROKE_IN_BLOCK), empty(), method=method)
    assert np.count_nonzero(found.mask ^ a_block) < np.count_nonzero(label ^ a_block) / 2


def test_where_the_image_says_nothing_the_networks_probability_draws_the_border(a_block):
    flat = Volume(np.full(SHAPE, 7, dtype=np.int16), Grid(SHAPE), name="flat")
    label = a_block.copy()
    label[:, :, 10:] = False
    probability = np.where(a_block, 0.9, 0.02).astype(np.float16)
    stroke, settings = marked(STROKE_IN_BLOCK), RefineSettings(probability=3.0)
    alone = refine(flat, label, stroke, empty(), settings=settings).mask
    helped = refine(flat, label, stroke, empty(), probability=probability, settings=settings).mask
    assert np.count_nonzero(helped ^ a_block) < np.count_nonzero(alone ^ a_block) / 2


def test_an_unknown_probability_says_nothing(a_scan, a_block):
    label = a_block & ~marked(np.s_[:, :, 10:])
    unknown = np.full(SHAPE, np.nan, dtype=np.float32)
    without = refine(a_scan, label, marked(STROKE_IN_BLOCK), empty()).mask
    assert np.array_equal(refine(a_scan, label, marked(STROKE_IN_BLOCK), empty(), probability=unknown).mask, without)


# What always holds


def a_random_case(seed):
    """A blob with a random error, and strokes of both kinds anywhere, even where they are wrong."""
    generator = np.random.default_rng(seed)
    field = ndimage.gaussian_filter(generator.normal(size=SHAPE), 2)
    label = ndimage.gaussian_filter(generator.normal(size=SHAPE), 2) > 0.05
    inside, outside = empty(), empty()
    for stroke in (inside, outside):
        k, j, i = (generator.integers(2, n - 6) for n in SHAPE)
        stroke[k, j : j + 2, i : i + 4] = True
    return Volume(field, Grid(SHAPE, (0.7, 0.9, 1.6)), name="blob"), label, inside, outside & ~inside


@every_method
@pytest.mark.parametrize("seed", range(4))
def test_strokes_are_obeyed_and_nothing_beyond_their_reach_changes(method, seed):
    scan, label, inside, outside = a_random_case(seed)
    settings = RefineSettings(reach_mm=4.0)
    before = label.copy()
    found = refine(scan, label, inside, outside, method=method, settings=settings)
    assert found.mask[inside].all() and not found.mask[outside].any()
    assert np.array_equal(label, before), "the caller's label is not written to"
    changed = found.mask ^ label
    far = ndimage.distance_transform_edt(~(inside | outside), sampling=scan.grid.spacing_kji) > 4.0
    assert not (changed & far).any()
    assert found.changed == Box.around(changed)


@every_method
@pytest.mark.parametrize("seed", range(4))
def test_an_inside_stroke_never_removes_and_an_outside_stroke_never_adds(method, seed):
    scan, label, inside, outside = a_random_case(seed)
    assert (refine(scan, label, inside, empty(), method=method).mask >= label).all()
    assert (refine(scan, label, empty(), outside, method=method).mask <= label).all()


@every_method
@pytest.mark.parametrize("seed", range(4))
def test_what_changes_hangs_together_with_a_stroke(method, seed):
    scan, label, inside, _ = a_random_case(seed)
    changed = refine(scan, label, inside, empty(), method=method).mask ^ label
    parts, count = ndimage.label(changed | inside)
    assert count == len(np.unique(parts[inside]))


@every_method
def test_protected_voxels_keep_their_label(a_scan, a_block, method):
    label = a_block & ~marked(np.s_[:, :, 10:])
    protected = marked(np.s_[:, :, 13:])
    found = refine(a_scan, label, marked(np.s_[8, 8:10, 10:12]), empty(), protected=protected, method=method)
    assert found.mask[8, 9, 12] and not found.mask[protected].any()


@every_method
def test_the_same_strokes_give_the_same_label(method):
    scan, label, inside, outside = a_random_case(7)
    first, second = (refine(scan, label, inside, outside, method=method).mask for _ in range(2))
    assert np.array_equal(first, second)


def test_the_reach_is_in_millimetres_whatever_the_voxels(a_block):
    """Thick slices: 3 voxels are 15 mm along k, beyond a reach of 12 mm."""
    scan = Volume(np.where(a_block, 100.0, 20.0), Grid(SHAPE, (1.0, 1.0, 5.0)), name="thick slices")
    label = a_block & ~marked(np.s_[:, :, 10:])
    found = refine(scan, label, marked(np.s_[5, 8:10, 12:14]), empty(), settings=RefineSettings(reach_mm=12.0))
    assert np.array_equal(found.mask[5:8], a_block[5:8])
    assert np.array_equal(found.mask[8:], label[8:])


def test_a_stroke_that_only_confirms_changes_nothing(a_scan, a_block):
    found = refine(a_scan, a_block, marked(STROKE_IN_BLOCK), marked(np.s_[2, 2, 2]))
    assert np.array_equal(found.mask, a_block)
    assert found.changed is None


def test_a_stroke_at_the_edge_of_the_scan_is_no_trouble(a_scan):
    corner = marked(np.s_[0, 0, 0], np.s_[15, 17, 19])
    found = refine(a_scan, empty(), corner, empty(), settings=RefineSettings(reach_mm=2.0))
    assert found.mask[corner].all()


def test_a_far_away_part_of_a_large_scan_is_not_looked_at():
    """The rest of the scan is not even a number."""
    array = np.full((60, 60, 60), np.nan, dtype=np.float32)
    array[:25, :25, :25] = 20
    array[8:14, 8:14, 8:14] = 100
    scan = Volume(array, Grid(array.shape), name="large")
    label = marked(np.s_[8:11, 8:14, 8:14], np.s_[50:, 50:, 50:], shape=array.shape)
    found = refine(
        scan,
        label,
        marked(np.s_[12, 11, 10:13], shape=array.shape),
        empty(array.shape),
        settings=RefineSettings(reach_mm=6.0),
    )
    assert found.mask[12, 11, 9] and found.mask[50:, 50:, 50:].all()


# What is refused


def test_no_stroke_is_a_sentence(a_scan, a_block):
    with pytest.raises(InputError, match="no stroke"):
        refine(a_scan, a_block, empty(), empty())


def test_strokes_that_contradict_each_other_are_a_sentence(a_scan, a_block):
    with pytest.raises(InputError, match="4 voxels have an inside and an outside stroke"):
        refine(a_scan, a_block, marked(STROKE_IN_BLOCK), marked(STROKE_IN_BLOCK))


def test_a_stroke_over_protected_voxels_is_a_sentence(a_scan, a_block):
    with pytest.raises(InputError, match="protected"):
        refine(a_scan, a_block, marked(STROKE_IN_BLOCK), empty(), protected=a_block)


def test_an_array_of_another_shape_is_a_sentence(a_scan, a_block):
    with pytest.raises(InputError, match=r"The outside has the shape \(2, 2, 2\), 'block' has"):
        refine(a_scan, a_block, marked(STROKE_IN_BLOCK), empty((2, 2, 2)))


def test_strokes_that_reach_over_too_many_voxels_are_a_sentence(a_scan, a_block):
    with pytest.raises(InputError, match="more than the 1000"):
        refine(a_scan, a_block, marked(STROKE_IN_BLOCK), empty(), settings=RefineSettings(largest_box=1000))


def test_an_image_without_numbers_near_the_strokes_is_a_sentence(a_scan, a_block):
    broken = replace(a_scan, array=np.full(SHAPE, np.nan, dtype=np.float32))
    with pytest.raises(InputError, match="not numbers"):
        refine(broken, a_block, marked(STROKE_IN_BLOCK), empty())


@pytest.mark.parametrize(
    ("name", "value"), [("reach_mm", 0), ("largest_box", 0), ("smoothness", -1), ("keep", np.nan), ("reach_mm", np.inf)]
)
def test_a_setting_outside_its_range_is_a_sentence(name, value):
    with pytest.raises(InputError, match=f"The {name} of a refinement is {value}"):
        RefineSettings(**{name: value})


# The network's confidence


def test_confidence_of_the_winner_becomes_the_probability_of_one_label():
    winner = np.array([[[1, 2, 0, 0]]], dtype=np.uint8)
    confidence = np.array([[[0.8, 0.7, 0.9, 0.0]]], dtype=np.float16)
    found = probability_of_label(winner, confidence, value=1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[[0.8, 0.3, 0.1, np.nan]]], atol=1e-3)
