"""Small made-up scans whose right label is known, by names that read like sentences."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Modality, Volume

SHAPE = (16, 18, 20)


def empty(shape=SHAPE) -> np.ndarray:
    return np.zeros(shape, dtype=bool)


def marked(*voxels, shape=SHAPE) -> np.ndarray:
    """A mask of single voxels or blocks, given as index expressions."""
    mask = empty(shape)
    for voxel in voxels:
        mask[voxel] = True
    return mask


@pytest.fixture
def a_block():
    """What belongs together: bright in the scan."""
    return marked(np.s_[5:11, 5:13, 5:15])


@pytest.fixture
def a_scan(a_block):
    """A bright block in a dark surrounding, with a little noise, 1 mm voxels."""
    noise = np.random.default_rng(0).normal(scale=3.0, size=SHAPE)
    return Volume((np.where(a_block, 100.0, 20.0) + noise).astype(np.float32), Grid(SHAPE), Modality.MR, name="block")
