"""Which voxels of a scan show the patient, for statistics that the size of the background must not change."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.sampled_voxels import sampled

FOREGROUNDS = ("auto", "otsu", "positive", "all")
_BINS = 256
_BACKGROUND_OF_SIDES = 0.5
_DARK = 0.2


def require_foreground_kind(word: str) -> None:
    """Refuse a word that names no foreground.

    Raises:
        ValueError: for a word that is none of :data:`FOREGROUNDS`.
    """
    if word not in FOREGROUNDS:
        raise ValueError(f"'foreground' is '{word}', and must be one of {', '.join(FOREGROUNDS)}")


def foreground_mask(array: np.ndarray, kind: str, *, name: str) -> np.ndarray:
    """The voxels that show the patient.

    "otsu": above the threshold of Otsu (IEEE Trans Syst Man Cybern 9:62, 1979). "positive": above 0, for scans whose
    background was set to 0. "all": every voxel. "auto": "otsu" where most of the scan's side faces are dark, as around
    a head, else "all", as in a crop.

    Args:
        array: Voxels (k, j, i), finite.
        kind: One of :data:`FOREGROUNDS`.
        name: What the scan is called, for messages.

    Returns:
        bool (k, j, i).

    Raises:
        InputError: if no voxel is left.
    """
    require_foreground_kind(kind)
    if kind == "auto":
        kind = "otsu" if _has_background(array) else "all"
    if kind == "all":
        mask = np.ones(array.shape, dtype=bool)
    else:
        mask = array > (0 if kind == "positive" else otsu_threshold(array))
    if not mask.any():
        raise InputError(f"'{name}' has no voxels in its foreground ({kind}).", advice="Choose another foreground.")
    return mask


def otsu_threshold(array: np.ndarray) -> float:
    """Otsu's threshold over 256 steps between the least value and the 99.9th percentile.

    Of a large scan some millions of voxels are looked at.
    """
    looked_at = sampled(array)
    low, high = float(looked_at.min()), float(np.percentile(looked_at, 99.9))
    if high <= low:
        high = float(looked_at.max())
    counts, edges = np.histogram(looked_at, bins=_BINS, range=(low, high))
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts).astype(np.float64)
    above = below[-1] - below
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    between[~np.isfinite(between)] = -1
    # Where a gap lies between the two classes, every threshold in it is as good: take its middle.
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float(edges[int(best.mean()) + 1])


def _has_background(array: np.ndarray) -> bool:
    """Whether most of the side faces are dark: below Otsu's threshold, and close to no signal.

    No signal is 0 in a magnitude image; where values reach far below 0, as after a z-score, it is the lowest value.
    """
    threshold = otsu_threshold(array)
    sides = np.concatenate([array[:, 0].ravel(), array[:, -1].ravel(), array[:, :, 0].ravel(), array[:, :, -1].ravel()])
    low, high = (float(value) for value in np.percentile(sampled(array), (0.5, 99)))
    no_signal = low if low < -0.1 * abs(high) else 0.0
    dark = sides[sides <= threshold]
    return dark.size > _BACKGROUND_OF_SIDES * sides.size and np.median(dark) - no_signal < _DARK * (high - no_signal)
