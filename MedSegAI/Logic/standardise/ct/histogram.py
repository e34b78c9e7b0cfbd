"""The histogram of a CT, its peaks, and the fill values that are no measurement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_MOST_BINS = 8192
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
        width: Between half of its height on either side, in the scan's own unit; 0 for a single value.
    """

    value: float
    share: float
    width: float = 0.0


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

    def share(self, low: float, high: float) -> float:
        """The part of the voxels that lies between two values, fill values left out."""
        first, last = (int(np.clip(at - self.start, 0, self.counts.size)) for at in (low, high))
        return float(self.counts[first:last].sum() / max(self.counts.sum(), 1))

    def between(self, low: float, high: float) -> tuple[Peak, ...]:
        """The peaks between two values."""
        return tuple(peak for peak in self.peaks if low <= peak.value <= high)


def histogram_of(values: np.ndarray) -> Histogram:
    """The histogram of any number of values, of any shape; those beyond 8192 units above the least are left out."""
    flat = np.ravel(values).astype(np.float32)
    start = float(np.floor(flat.min()))
    flat -= np.float32(start)
    bins = np.floor(flat + np.float32(0.5)).astype(np.int64)
    known = bins < _MOST_BINS
    counts = np.bincount(bins[known]).astype(np.float64)
    # Where a bin's values lie on the whole, so that a peak is found to a part of a unit in fractions, too.
    means = np.bincount(bins[known], weights=flat[known]) / np.maximum(counts, 1)
    fill = _fill_bins(counts, flat.size)
    spikes = tuple(Peak(start + float(means[at]), float(counts[at] / flat.size)) for at in fill)
    counts[fill] = [_beside(counts, int(at)) for at in fill]
    return Histogram(start, counts, flat.size, spikes, _peaks(counts, means + start))


def _fill_bins(counts: np.ndarray, total: int) -> np.ndarray:
    """Bins that hold at least three times as much as each of the two on either side, and a thousandth of all."""
    padded = np.pad(counts, 2)
    neighbours = np.max([padded[:-4], padded[1:-3], padded[3:-1], padded[4:]], axis=0)
    return np.flatnonzero((counts > 3 * neighbours) & (counts > max(_FILL_SHARE * total, 50)))


def _beside(counts: np.ndarray, at: int) -> float:
    beside = [counts[other] for other in (at - 1, at + 1) if 0 <= other < counts.size]
    return float(np.mean(beside)) if beside else 0.0


def _peaks(counts: np.ndarray, means: np.ndarray) -> tuple[Peak, ...]:
    """The maxima of the smoothed histogram that stand out by a quarter of their height."""
    # Loading it takes a second, which every command would wait that only names the steps.
    from scipy.signal import find_peaks, peak_widths

    known = counts.sum()
    if known == 0:
        return ()
    reach = int(4 * _SMOOTHING)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SMOOTHING) ** 2)
    smooth = np.convolve(np.pad(counts, reach), kernel / kernel.sum(), mode="same")
    places, properties = find_peaks(smooth, prominence=0)
    standing_out = properties["prominences"] >= _LEAST_PROMINENCE * smooth[places]
    _, _, lefts, rights = peak_widths(smooth, places[standing_out], rel_height=0.5)
    peaks = []
    for left, right in zip(lefts - reach, rights - reach):
        part = slice(max(0, int(np.ceil(left))), int(right) + 1)
        area = float(counts[part].sum())
        if area >= _LEAST_SHARE * known:
            centre = float((counts[part] * means[part]).sum()) / area
            peaks.append(Peak(centre, area / float(known), float(right - left)))
    return tuple(peaks)
