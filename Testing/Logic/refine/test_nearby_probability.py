"""A probability known in a box serves any other box, and is not a number outside."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.refine.nearby_probability import NearbyProbability, box_within_reach
from MedSegAI.Logic.refine.refine import refine
from MedSegAI.Logic.refine.settings import RefineSettings
from MedSegAI.Logic.volume import Volume

SHAPE = (20, 22, 24)


@pytest.fixture
def whole() -> np.ndarray:
    return np.random.default_rng(0).uniform(size=SHAPE).astype(np.float32)


@pytest.mark.parametrize(
    "box", [Box((3, 4, 5), (9, 9, 9)), Box((0, 0, 0), SHAPE), Box((8, 8, 8), (20, 20, 20)), Box((15, 0, 0), (20, 3, 3))]
)
def test_it_is_known_inside_its_box_alone(whole, box):
    known = Box((2, 4, 6), (12, 13, 14))
    expected = np.full(SHAPE, np.nan, np.float32)
    expected[known.slices] = whole[known.slices]
    np.testing.assert_array_equal(NearbyProbability(known, whole[known.slices]).within(box), expected[box.slices])


def test_it_refines_as_the_probability_of_the_whole_scan_does(whole):
    scan = Volume(np.random.default_rng(1).normal(size=SHAPE).astype(np.float32), Grid(SHAPE))
    label, inside = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    label[8:12, 8:12, 8:12], inside[10, 10, 14:16] = True, True
    nothing, settings = np.zeros(SHAPE, bool), RefineSettings(reach_mm=4.0)
    near = box_within_reach(scan.with_array(inside.astype(np.uint8)), settings=settings)
    options = {"settings": settings}
    for_all = refine(scan, label, inside, nothing, probability=whole, **options)
    nearby = NearbyProbability(near, whole[near.slices])
    np.testing.assert_array_equal(
        refine(scan, label, inside, nothing, probability=nearby, **options).mask, for_all.mask
    )
    assert near.union(for_all.changed) == near


def test_without_a_stroke_there_is_no_box():
    assert box_within_reach(Volume(np.zeros(SHAPE, np.uint8), Grid(SHAPE))) is None
