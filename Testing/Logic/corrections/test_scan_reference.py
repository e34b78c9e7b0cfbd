"""A scan is recognised later by what it is, not by where it lies."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.corrections.scan_reference import reference_of_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Volume


def test_a_scan_in_memory_is_known_by_its_voxels_and_its_place():
    grid = Grid((2, 3, 4), (1.0, 1.0, 1.0))
    array = np.arange(24, dtype=np.int16).reshape(grid.shape)
    scan = Volume(array, grid, name="head")
    known = reference_of_volume(scan)
    assert known.path == "head"
    assert reference_of_volume(Volume(np.asfortranarray(array), grid, name="copy")).sha256 == known.sha256
    moved = Grid((2, 3, 4), (1.0, 1.0, 1.0), (5.0, 0.0, 0.0))
    others = [Volume(array, moved), Volume(array + 1, grid), Volume(array.astype(np.int32), grid)]
    assert known.sha256 not in [reference_of_volume(other).sha256 for other in others]
