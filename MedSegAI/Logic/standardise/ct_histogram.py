"""The histogram of a CT, its peaks, and the fill values that are no measurement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import find_peaks, peak_widths

_MOST_BINS = 8192
_MOST_VOXELS = 1 << 22
_SMOOTHING = 5.0
_LEAST_SHARE = 0.003
_LEAST_PROMINENCE = 0.25
_FILL_SHARE = 0.001


@dataclass(frozen=True)
class Peak:
    """A tissue's peak in a histogram.

    Args:
        value: Where it lies, in the scan's own unit: the mean of the voxels between half of its height on either side.
        share: The part of all voxels that lies there, 0..1.
    """

    value: float
    share: float


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often each value occurs, in steps of one unit.

    Args:
        start: Value of the first bin.
        counts: (bins,) float64, without the fill values.
        total: How many voxels were looked at, fill values included.
        fill: Values far more frequent than their neighbours: what a reader puts outside of the field of view, or where
            values were cut off; with the share of the voxels that have them.
        peaks: The tissues' peaks, in rising order.
    """

    start: float
    counts: np.ndarray
    total: int
    fill: tuple[Peak, ...]
    peaks: tuple[Peak, ...]

    def strongest(self, low: float, high: float) -> Peak | None:
        """The peak with the most voxels between two values; None where there is none."""
        return max(self.between(low, high), key=lambda peak: peak.share, default=None)

    def between(self, low: float, high: float) -> tuple[Peak, ...]:
        """The peaks between two values."""
        return tuple(peak for peak in self.peaks if low <= peak.value <= high)


def sampled(array: np.ndarray) -> np.ndarray:
    """Some millions of an array's voxels, evenly spread, as a view: enough for a histogram, whatever the size."""
    step = 1
    while array.size // step**3 > _MOST_VOXELS:
        step += 1
    return array[::step, ::step, ::step]


def histogram_of(values: np.ndarray) -> Histogram:
    """The histogram of any number of values, of any shape; those beyond 8192 units above the least are left out."""
    flat = np.ravel(values)
    start = float(np.floor(flat.min()))
    bins = np.floor(flat.astype(np.float32) - np.float32(start) + np.float32(0.5)).astype(np.int64)
    counts = np.bincount(bins[bins < _MOST_BINS]).astype(np.float64)
    fill = _fill_bins(counts, flat.size)
    spikes = tuple(Peak(start + int(at), float(counts[at] / flat.size)) for at in fill)
    counts[fill] = [_beside(counts, int(at)) for at in fill]
    return Histogram(start, counts, flat.size, spikes, _peaks(counts, start))


def _fill_bins(counts: np.ndarray, total: int) -> np.ndarray:
    """Bins that hold at least three times as much as each of the two on either side, and a thousandth of all."""
    padded = np.pad(counts, 2)
    neighbours = np.max([padded[:-4], padded[1:-3], padded[3:-1], padded[4:]], axis=0)
    return np.flatnonzero((counts > 3 * neighbours) & (counts > max(_FILL_SHARE * total, 50)))


def _beside(counts: np.ndarray, at: int) -> float:
    beside = [counts[other] for other in (at - 1, at + 1) if 0 <= other < counts.size]
    return float(np.mean(beside)) if beside else 0.0


def _peaks(counts: np.ndarray, start: float) -> tuple[Peak, ...]:
    """The maxima of the smoothed histogram that stand out by a quarter of their height."""
    known = counts.sum()
    if known == 0:
        return ()
    reach = int(4 * _SMOOTHING)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SMOOTHING) ** 2)
    padded = np.pad(counts, reach)
    smooth = np.convolve(padded, kernel / kernel.sum(), mode="same")
    places, properties = find_peaks(smooth, prominence=0)
    standing_out = properties["prominences"] >= _LEAST_PROMINENCE * smooth[places]
    _, _, lefts, rights = peak_widths(smooth, places[standing_out], rel_height=0.5)
    found = (_measured(padded, left, right) for left, right in zip(lefts, rights))
    return tuple(Peak(start - reach + value, area / known) for value, area in found if area / known >= _LEAST_SHARE)


def _measured(counts: np.ndarray, left: float, right: float) -> tuple[float, float]:
    """Centre of gravity and number of the voxels between two places of the histogram."""
    bins = np.arange(int(np.ceil(left)), int(right) + 1)
    weights = counts[bins]
    area = float(weights.sum())
    return (float((bins * weights).sum() / area) if area else (left + right) / 2), area
