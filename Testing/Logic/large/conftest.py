"""A small scan on disk that stands for a large one: a budget of a few bytes makes its slabs thin."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Modality, Unit, Volume

TURN = np.linalg.qr(np.array([[1.0, 0.2, 0.1], [-0.3, -1.0, 0.2], [0.1, 0.2, 1.0]]))[0]


@pytest.fixture
def scan():
    """A CT of 24 x 14 x 16 voxels (k, j, i), int16 HU, with planes of nothing but air at its end."""
    grid = Grid((24, 14, 16), (0.8, 1.1, 2.3), (11.0, -22.0, 33.5), tuple(TURN.ravel()))
    array = np.random.default_rng(6).integers(-1100, 3200, grid.shape).astype(np.int16)
    array[20:] = -1024
    return Volume(array, grid, Modality.CT, Unit.HOUNSFIELD, "scan")


@pytest.fixture
def on_disk(tmp_path, scan):
    """Writes a volume (the scan) with an ending, and returns the path."""

    def write(ending=".nrrd", volume=None, *, compress=False):
        path = tmp_path / f"in{ending}"
        sitk.WriteImage((volume or scan).to_sitk(), str(path), useCompression=compress)
        return path

    return write


@pytest.fixture
def left_behind(tmp_path):
    """Names in the folder of the result, hidden ones too."""
    return lambda: sorted(path.name for path in tmp_path.iterdir())
