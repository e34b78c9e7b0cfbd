"""What speaks for each voxel near the strokes to belong to the label, as log-odds: above 0 for it, below against it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from MedSegAI.Logic.refine.reach import Reach
from MedSegAI.Logic.refine.settings import RefineSettings

_BINS = 64
_KERNEL_BINS = 2.0
_STROKE_SHARE = 0.5
_LEAST_SHARE = 1e-3
_SUREST = 3.0
_SMALLEST = 0.0025
_DOUBT_MM = 3.0


def evidence(
    image: np.ndarray, reach: Reach, *, settings: RefineSettings, probability: np.ndarray | None = None
) -> np.ndarray:
    """Log-odds of belonging to the label, float (k, j, i) over the reach's box.

    Three things are added: the present label (the less the nearer a stroke is), the brightness of the image, and the
    network's probability.

    Args:
        image: The scan's voxels in the box, (k, j, i), any real dtype.
        reach: What lies around the strokes.
        settings: The weights of the three.
        probability: (k, j, i) in the box, 0..1, that a voxel belongs to the label; not a number where unknown.
    """
    trust = np.minimum(reach.stroke_mm / settings.reach_mm, 1.0)
    found = settings.keep * trust * np.where(reach.label, 1.0, -1.0)
    if settings.brightness:
        found += settings.brightness * brightness_log_odds(image, reach)
    if probability is not None and settings.probability:
        found += settings.probability * probability_log_odds(probability, reach)
    return found


def brightness_log_odds(image: np.ndarray, reach: Reach) -> np.ndarray:
    """How much likelier each voxel's brightness is inside the label than outside, as a logarithm, -3 to 3.

    Args:
        image: The scan's voxels in the box, (k, j, i), any real dtype.
        reach: What lies around the strokes.
    """
    low, high = np.percentile(image, [0.5, 99.5])
    if not high > low:
        return np.zeros(image.shape)
    return _learned_log_odds(image.astype(float), reach, low=float(low), high=float(high))


def probability_log_odds(probability: np.ndarray, reach: Reach) -> np.ndarray:
    """How much likelier each voxel's probability is inside the label than outside, as a logarithm, -3 to 3.

    The network may be wrong where the expert draws, so its probability is not believed as it is: what it says under the
    strokes is learned, and what it says elsewhere compared with that.

    Args:
        probability: (k, j, i) in the box, 0..1; not a number where unknown, which speaks for nothing.
        reach: What lies around the strokes.
    """
    p = np.clip(probability.astype(float), _SMALLEST, 1 - _SMALLEST)
    known = ~np.isnan(p)
    said = np.where(known, np.log(p / (1 - p)), 0.0)
    edge = float(np.log((1 - _SMALLEST) / _SMALLEST))
    return np.where(known, _learned_log_odds(said, reach, low=-edge, high=edge), 0.0)


def _learned_log_odds(values: np.ndarray, reach: Reach, *, low: float, high: float) -> np.ndarray:
    """The logarithm of the ratio of two smoothed histograms, inside over outside, at each voxel's value, -3 to 3.

    The one is learned, in equal shares, from the inside strokes and from the label's voxels that no outside stroke puts
    in doubt; the other from the outside strokes and from the remaining voxels that no inside stroke does.
    """
    bins = np.clip((values - low) / (high - low) * _BINS, 0, _BINS - 1).astype(np.intp)
    inside = _histogram(bins, reach.inside, reach.label & (reach.outside_mm > _DOUBT_MM))
    outside = _histogram(bins, reach.outside, ~reach.label & (reach.inside_mm > _DOUBT_MM))
    return np.clip(np.log(inside / outside), -_SUREST, _SUREST)[bins]


def _histogram(bins: np.ndarray, stroke: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Smoothed shares of the bins: of the stroke's voxels and of the other ones, half each where there are both."""
    shares = [_shares(bins[mask]) for mask in (stroke, other) if mask.any()]
    if not shares:
        return np.full(_BINS, 1.0 / _BINS)
    weights = (_STROKE_SHARE, 1 - _STROKE_SHARE) if len(shares) == 2 else (1.0,)
    return sum(weight * share for weight, share in zip(weights, shares)) + _LEAST_SHARE


def _shares(bins: np.ndarray) -> np.ndarray:
    counts = np.bincount(bins, minlength=_BINS).astype(float)
    return ndimage.gaussian_filter1d(counts / counts.sum(), _KERNEL_BINS, mode="nearest")
