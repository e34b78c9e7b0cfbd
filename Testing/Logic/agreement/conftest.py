"""Small ratings to measure: blocks in a small grid, and blobs that raters draw with errors of their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable

TUMOUR = Label(1, "tumour", "Tumour", (1.0, 0.2, 0.2))
OEDEMA = Label(2, "oedema", "Oedema", (0.2, 0.9, 0.3))
Rated = Callable[..., Ratings]


@pytest.fixture
def rated() -> Rated:
    """Ratings of label maps given by rater's name; ``looked`` gives the region a rater looked at."""

    def ratings(maps: dict[str, np.ndarray], *, looked: dict | None = None, spacing=(1.0, 1.0, 1.0)) -> Ratings:
        shape = next(iter(maps.values())).shape
        entries = (Rating(name, np.asarray(m, np.uint8), (looked or {}).get(name)) for name, m in maps.items())
        return Ratings(Grid(shape, spacing, (5.0, -7.0, 11.0)), LabelTable((TUMOUR, OEDEMA)), tuple(entries))

    return ratings


@pytest.fixture
def empty() -> np.ndarray:
    return np.zeros((12, 14, 16), np.uint8)


@pytest.fixture
def a_block(empty) -> np.ndarray:
    """5 x 6 x 7 voxels of tumour."""
    block = empty.copy()
    block[3:8, 4:10, 5:12] = 1
    return block


@pytest.fixture
def a_shifted_block(empty) -> np.ndarray:
    """The same block one voxel further along i."""
    block = empty.copy()
    block[3:8, 4:10, 6:13] = 1
    return block


@pytest.fixture
def three_readers(rated) -> Ratings:
    """Tumour inside oedema, drawn by a good, a middling and a poor reader."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(3)
    axes = np.meshgrid(*(np.arange(n) - n / 2 for n in (28, 32, 36)), indexing="ij")
    distance = np.sqrt(sum((a / r) ** 2 for a, r in zip(axes, (9, 11, 12))))

    def drawn(error: float) -> np.ndarray:
        seen = distance + error * gaussian_filter(random.normal(size=distance.shape), 2.5) * 10
        return np.where(seen < 0.55, 1, np.where(seen < 1, 2, 0)).astype(np.uint8)

    return rated({"Ann": drawn(0.1), "Ben": drawn(0.3), "Cleo": drawn(0.8)}, spacing=(0.8, 0.8, 1.5))
