"""Heat brought to the scan plane by plane is what interpolating the whole of it would give."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.explain.heat_on_scan import heat_onto_scan
from MedSegAI.Logic.explain.whole_volume import HeatPlane
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.region_parts import region_box
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.standardise.resample import canonical_grid, resample
from MedSegAI.Logic.volume import Volume

SHAPE = (30, 20, 22)
ROUND_I = (0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
OBLIQUE = (0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0)
LYING = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("spacing", [1.0, 1.4, 0.6])
@pytest.mark.parametrize("direction", [None, ROUND_I, LYING, OBLIQUE])
@pytest.mark.parametrize("filled", [range(5, 29), range(0, 3), range(29, 30)])
def test_planes_give_what_the_whole_interpolated_array_gives(mirrored, spacing, direction, filled):
    scan = Grid(SHAPE) if direction is None else Grid(SHAPE, direction=direction)
    region = LocalisedRegion("whole", canonical_grid(scan, spacing_mm=(spacing,) * 3), mirrored, ((1, 1),))
    raw = np.zeros(region.grid.shape, np.float32)
    random = np.random.default_rng(0)
    planes = []
    for k in (k for k in filled if k < region.grid.shape[0]):
        heat = random.random((8, 17)).astype(np.float32)[: raw.shape[1] - 4, : raw.shape[2] - 3]
        place = (slice(4, 4 + heat.shape[0]), slice(3, 3 + heat.shape[1]))
        raw[(k, *place)] = heat
        planes.append(HeatPlane(k, place, heat))
    box = region_box(region.grid, scan)
    whole = Volume(np.ascontiguousarray(region.orient(raw)), region.grid)
    expected = resample(whole, scan.crop(box), background=0.0).array
    onto = np.zeros(box.shape, np.float32)
    strongest = heat_onto_scan(iter(planes), region, scan, onto=onto, at=box.start)
    assert strongest == raw.max()
    np.testing.assert_allclose(onto, expected, atol=1e-6)
