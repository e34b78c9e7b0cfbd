"""Intensities brought to the range a network was trained on, by the rule its card names.

Training and inference call the same function, so a model never sees voxels prepared in another way.
"""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.standardise.intensity_scale import (
    KINDS,
    measured_limits,
    measured_scale,
    refuse_not_finite,
    refuse_unknown,
)
from MedSegAI.Logic.standardise.normalisation import Normalisation

__all__ = ["KINDS", "normalise"]


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
    refuse_unknown(rule)
    voxels = np.array(array, dtype=np.float32)
    if voxels.size == 0:
        return voxels
    refuse_not_finite(voxels)
    limits = measured_limits(rule, lambda percents: np.percentile(voxels, percents))
    if limits is not None:
        np.clip(voxels, *limits, out=voxels)
    measured_scale(rule, limits, lambda: [voxels], count=voxels.size).rescale(voxels)
    return voxels
