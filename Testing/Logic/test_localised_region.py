"""A localised region turns arrays for the network and names what it answers."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.localised_region import LocalisedRegion

GRID = Grid((2, 3, 4), (1.0, 1.5, 2.0), (5.0, 6.0, 7.0))


def test_a_mirrored_region_is_reversed_along_i_and_back():
    array = np.arange(24).reshape(2, 3, 4)
    region = LocalisedRegion("right", GRID, True, ((1, 3), (2, 4)))
    np.testing.assert_array_equal(region.orient(array)[0, 0], [3, 2, 1, 0])
    np.testing.assert_array_equal(region.orient(region.orient(array)), array)
    np.testing.assert_array_equal(LocalisedRegion("left", GRID, False, ()).orient(array), array)


def test_labels_are_renamed_and_unnamed_ones_dropped():
    region = LocalisedRegion("right", GRID, True, ((1, 3), (2, 4)))
    np.testing.assert_array_equal(region.rename(np.array([0, 1, 2, 9], np.uint8)), [0, 3, 4, 0])
    assert region.network_value(4) == 2
    assert region.network_value(1) is None


def test_a_region_survives_json_values():
    region = LocalisedRegion("right", GRID, True, ((1, 3), (2, 4)))
    assert LocalisedRegion.from_plain(region.to_plain()) == region
