from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.training.nodules.two_modes import LUNG_HU, SOFT_TISSUE_HU, approximate_hu


def slice_of(shades: dict[int, int]) -> np.ndarray:
    """One slice (1, j, i) of 96 x 96 with so many voxels about each shade, spread as noise would spread them."""
    random = np.random.default_rng(0)
    values = np.concatenate([np.full(count, shade) for shade, count in shades.items()])
    values = np.concatenate([values, np.full(96 * 96 - len(values), next(iter(shades)))])
    return np.clip(np.round(values + random.normal(0, 2, len(values))), 0, 255).astype(np.uint8).reshape(1, 96, 96)


@pytest.mark.parametrize(("lung", "soft"), [(18, 126), (22, 130), (14, 118)], ids=["typical", "shifted", "flatter"])
def test_the_two_peaks_of_a_slice_become_lung_and_soft_tissue(lung: int, soft: int) -> None:
    shades = slice_of({lung: 6000, soft: 3000})
    hu = approximate_hu(shades)
    assert np.median(hu[shades < 60]) == pytest.approx(LUNG_HU, abs=20)
    assert np.median(hu[shades > 60]) == pytest.approx(SOFT_TISSUE_HU, abs=20)


def test_a_slice_stretched_from_far_below_air_has_its_peaks_found_in_the_middle() -> None:
    shades = slice_of({130: 6000, 186: 3000})
    hu = approximate_hu(shades)
    assert np.median(hu[shades < 160]) == pytest.approx(LUNG_HU, abs=20)
    assert np.median(hu[shades > 160]) == pytest.approx(SOFT_TISSUE_HU, abs=20)


def test_a_slice_of_lung_alone_keeps_the_gain_of_the_set() -> None:
    shades = slice_of({25: 9216})
    hu = approximate_hu(shades)
    assert np.median(hu) == pytest.approx(LUNG_HU, abs=20)
    gain = np.polyfit(shades.ravel(), hu.ravel(), 1)[0]
    assert gain == pytest.approx(2108 / 255, rel=1e-3)


def test_a_slice_without_any_peak_takes_the_line_of_the_set() -> None:
    shades = np.tile(np.arange(256, dtype=np.uint8), 36).reshape(1, 96, 96)
    hu = approximate_hu(shades)
    assert hu.min() == pytest.approx(-1012) and hu.max() == pytest.approx(1096)


def test_each_slice_has_a_line_of_its_own() -> None:
    both = np.concatenate([slice_of({18: 6000, 126: 3000}), slice_of({130: 6000, 186: 3000})])
    hu = approximate_hu(both)
    assert np.median(hu[0]) == pytest.approx(np.median(hu[1]), abs=20)
