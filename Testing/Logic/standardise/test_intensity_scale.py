"""A region measured piece by piece gives the very numbers that the whole region gives, whatever the pieces."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.intensity_scale import scale_of_pieces
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.standardise.streamed_percentiles import streamed_percentiles

RULES = [
    Normalisation("none"),
    Normalisation("none", clip_values=(-100.0, 240.0)),
    Normalisation("range"),
    Normalisation("range", clip_values=(-200.0, 250.0)),
    Normalisation("range", clip_percentiles=(0.5, 99.5)),
    Normalisation("z_score"),
    Normalisation("z_score", clip_percentiles=(1.0, 99.0)),
    Normalisation("z_score", clip_values=(-900.0, 400.0)),
]


def voxels(*, whole_numbers: bool) -> np.ndarray:
    """More than the two million voxels from which on sums are made of several parts."""
    values = np.random.default_rng(0).normal(20, 300, size=(70, 210, 150)).astype(np.float32)
    return np.round(values) if whole_numbers else values


def in_pieces(array: np.ndarray, planes: int):
    return lambda: (array[start : start + planes] for start in range(0, len(array), planes))


@pytest.mark.parametrize("whole_numbers", [True, False])
@pytest.mark.parametrize("rule", RULES)
def test_a_region_in_pieces_is_normalised_as_the_whole_region_is(rule: Normalisation, whole_numbers: bool):
    array = voxels(whole_numbers=whole_numbers)
    wanted = normalise(array, rule)
    for planes in (7, 33):
        scale = scale_of_pieces(rule, in_pieces(array, planes), count=array.size)
        found = array.copy()
        for piece in in_pieces(found, 9)():
            scale.apply(piece)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("count", [1, 2, 7, 1000, 4093])
@pytest.mark.parametrize("percents", [(0.0, 100.0), (0.5, 99.5), (1.0, 99.0), (33.3, 66.6), (50.0, 50.0)])
def test_percentiles_are_numpys_own(count: int, percents: tuple[float, float]):
    rng = np.random.default_rng(count)
    for array in (
        rng.normal(size=count).astype(np.float32),
        rng.integers(-3, 4, size=count).astype(np.float32),
        (rng.normal(size=count) * 10.0 ** rng.integers(-30, 30, size=count)).astype(np.float32),
    ):
        found = streamed_percentiles(in_pieces(array, 100), percents, count=count)
        np.testing.assert_array_equal(found, np.percentile(array, percents))


def test_a_constant_region_becomes_zeros():
    array = np.full((4, 5, 6), 7.0, np.float32)
    scale_of_pieces(Normalisation("z_score"), in_pieces(array, 2), count=array.size).apply(array)
    assert not array.any()


def test_fixed_values_need_no_look_at_the_voxels():
    def never():
        raise AssertionError("the voxels were asked for")

    scale = scale_of_pieces(Normalisation("range", clip_values=(0.0, 10.0)), never, count=9)
    array = np.array([-1.0, 5.0, 20.0], np.float32)
    scale.apply(array)
    np.testing.assert_array_equal(array, [0, 0.5, 1])


@pytest.mark.parametrize(
    "rule",
    [
        Normalisation("histogram"),
        Normalisation("none", clip_percentiles=(99.0, 1.0)),
        Normalisation("none", clip_values=(2.0, 1.0)),
    ],
)
def test_rules_that_make_no_sense_are_refused(rule: Normalisation):
    with pytest.raises(ModelError):
        scale_of_pieces(rule, lambda: [], count=0)
