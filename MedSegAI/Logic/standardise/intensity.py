"""Intensities brought to the range a network was trained on, by the rule its card names.

Training and inference call the same function, so a model never sees voxels prepared in another way.
"""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.standardise.normalisation import Normalisation

KINDS = ("none", "z_score", "range")
_PIECE = 1 << 20


def normalise(array: np.ndarray, rule: Normalisation) -> np.ndarray:
    """Clip and rescale the voxels of one region as ``rule`` says; statistics are taken over all of its voxels.

    ``none``: clip only. ``z_score``: subtract the mean and divide by the standard deviation of the clipped voxels.
    ``range``: map the range of the clipped voxels (or ``clip_values`` where given) to 0..1.
    Clipping comes first: to ``clip_values`` in the input's own unit, else to ``clip_percentiles`` of the region.
    A constant region, and an empty array, come back as zeros (``none``: as they are).

    Args:
        array: Voxels of any shape and real dtype, in the unit that the card states (HU, arbitrary).
        rule: The card's normalisation.

    Returns:
        float32 array of the same shape; voxel by voxel the input. The input is never written to.

    Raises:
        InputError: if a voxel is NaN or infinite.
        ModelError: for a kind this version does not know, or limits that are not in order.
    """
    if rule.kind not in KINDS:
        raise ModelError(
            f"This version of MedSegAI has no intensity normalisation '{rule.kind}'.",
            advice=f"It has: {', '.join(KINDS)}. Update MedSegAI, or mend the model's card.",
        )
    voxels = np.array(array, dtype=np.float32)
    if voxels.size == 0:
        return voxels
    if not np.all(np.isfinite(voxels)):
        raise InputError(
            "The image holds voxels that are not numbers (NaN or infinite).",
            advice="Export it again, or replace these voxels by the background value.",
        )
    limits = _limits(voxels, rule)
    if limits is not None:
        np.clip(voxels, *limits, out=voxels)
    _rescale(voxels, rule)
    return voxels


def _limits(voxels: np.ndarray, rule: Normalisation) -> tuple[float, float] | None:
    if rule.clip_values is not None:
        low, high = rule.clip_values
    elif rule.clip_percentiles is not None:
        low, high = rule.clip_percentiles
        if not 0 <= low <= high <= 100:
            raise ModelError(
                f"The percentiles {low} and {high} are not limits to clip to.",
                advice="Give two values from 0 to 100, the lower first.",
            )
        low, high = np.percentile(voxels, (low, high))
    else:
        return None
    if low > high:
        raise ModelError(f"The limits {low} and {high} are not in order.", advice="Give the lower one first.")
    return float(low), float(high)


def _rescale(voxels: np.ndarray, rule: Normalisation) -> None:
    """Rescale in place."""
    if rule.kind == "none":
        return
    if rule.kind == "z_score":
        offset, scale = _mean_and_deviation(voxels)
    else:
        offset, top = rule.clip_values or (float(voxels.min()), float(voxels.max()))
        scale = top - offset
    # A constant image has a spread of rounding errors only; dividing by it would turn them into signal.
    if scale <= 1e-6 * max(abs(offset), 1e-6):
        voxels[...] = 0
        return
    voxels -= np.float32(offset)
    voxels /= np.float32(scale)


def _mean_and_deviation(voxels: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation in float64, a piece at a time: a float64 copy of a whole CT would be gigabytes."""
    pieces = np.array_split(voxels.ravel(), max(1, voxels.size // _PIECE))
    mean = sum(float(piece.sum(dtype=np.float64)) for piece in pieces) / voxels.size
    squares = sum(float(np.square(piece.astype(np.float64) - mean).sum()) for piece in pieces)
    return mean, (squares / voxels.size) ** 0.5
