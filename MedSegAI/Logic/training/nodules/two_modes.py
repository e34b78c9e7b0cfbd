"""Approximate Hounsfield units of slices that were stretched to 0..255 one by one.

Lung and soft tissue each make a peak in a slice's histogram, and their HU are known, so the two peaks give the line
back. In most slices the line differs by a few per cent from that of the whole set. One slice in nine was stretched from
far below air (the empty corners of its scan), so that lung lies in the middle of the shades: there the two peaks are
sought wherever they are. Where a slice shows only one peak, the line of the set is moved to it; where it shows none,
the line of the set is taken.
"""

from __future__ import annotations

import numpy as np

LUNG_HU, SOFT_TISSUE_HU = -859.0, 29.0
_SET_LOW_HU, _SET_HIGH_HU = -1012.0, 1096.0
_SET_GAIN = (_SET_HIGH_HU - _SET_LOW_HU) / 255
_LUNG_SHADES, _SOFT_SHADES = (4, 45), (108, 146)
_FARTHEST_GAIN = 0.1
_SMOOTHING = 5
_FEWEST_OF_A_PEAK = 0.03

_DARK_SHADE, _FEWEST_DARK = 60, 0.05
_APART = (40, 100)
"""Shades between the two peaks of a slice that was stretched from below air: about 22 to 9 HU a shade."""
_FEWEST_OF_A_STRAY_PEAK = 0.08


def approximate_hu(shades: np.ndarray) -> np.ndarray:
    """HU (k, j, i) float32 of slices (k, j, i) uint8, each by the peaks of its own histogram."""
    return np.stack([_slice_hu(one) for one in shades])


def _slice_hu(shades: np.ndarray) -> np.ndarray:
    counts = np.bincount(shades.ravel(), minlength=256).astype(float)
    counts[[0, 255]] = 0  # Whatever lay beyond the ends is piled up there.
    shares = counts / max(counts.sum(), 1.0)
    stray = _stray_peaks(shares) if np.mean(shades < _DARK_SHADE) < _FEWEST_DARK else None
    if stray is not None:
        lung, soft = stray
        gain = (SOFT_TISSUE_HU - LUNG_HU) / (soft - lung)
        return _on_line(shades, LUNG_HU - gain * lung, gain)
    lung, soft = (_peak(shares, span) for span in (_LUNG_SHADES, _SOFT_SHADES))
    gain = _SET_GAIN
    if lung is not None and soft is not None:
        measured = (SOFT_TISSUE_HU - LUNG_HU) / (soft - lung)
        gain = float(np.clip(measured, _SET_GAIN * (1 - _FARTHEST_GAIN), _SET_GAIN * (1 + _FARTHEST_GAIN)))
    if lung is not None:
        return _on_line(shades, LUNG_HU - gain * lung, gain)
    return _on_line(shades, _SET_LOW_HU if soft is None else SOFT_TISSUE_HU - gain * soft, gain)


def _on_line(shades: np.ndarray, low: float, gain: float) -> np.ndarray:
    return (low + gain * shades).astype(np.float32)


def _stray_peaks(shares: np.ndarray) -> tuple[float, float] | None:
    """The two shades, far enough apart, about which most voxels lie; None where one of them has few."""
    about = np.convolve(shares, np.ones(2 * _SMOOTHING + 1), mode="same")
    pairs = [(about[:-apart] * about[apart:], apart) for apart in range(*_APART)]
    products, apart = max(pairs, key=lambda pair: pair[0].max())
    lung = int(products.argmax())
    if min(about[lung], about[lung + apart]) < _FEWEST_OF_A_STRAY_PEAK:
        return None
    return _middle(shares, lung), _middle(shares, lung + apart)


def _peak(shares: np.ndarray, span: tuple[int, int]) -> float | None:
    """The shade of the histogram's peak within ``span``, or None where too few voxels lie about it."""
    smooth = np.convolve(shares, np.ones(_SMOOTHING) / _SMOOTHING, mode="same")
    place = span[0] + int(smooth[span[0] : span[1]].argmax())
    inside = span[0] < place < span[1] - 1
    return _middle(shares, place) if inside and shares[_near(place)].sum() >= _FEWEST_OF_A_PEAK else None


def _middle(shares: np.ndarray, place: int) -> float:
    return float(np.average(np.arange(256)[_near(place)], weights=shares[_near(place)]))


def _near(place: int) -> slice:
    return slice(max(place - _SMOOTHING, 0), place + _SMOOTHING + 1)
