"""Label maps on another grid, where each voxel takes the label that fills most of it."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.geometry import Box, Shape
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolate import interpolate, reach
from MedSegAI.Logic.standardise.interpolation import Interpolation


def interpolate_labels(
    array: np.ndarray, index_map: IndexMap, shape: Shape, *, compiled_from: int | None = None
) -> np.ndarray:
    """Each label resampled linearly as a mask of its own; the one that fills most of a voxel gets it.

    Args:
        array: Label map (k, j, i) of an integer dtype; 0 is background.
        index_map: From the target's voxels to the map's.
        shape: Of the target (k, j, i).
        compiled_from: As ``interpolate`` has it.

    Returns:
        A map of ``shape`` and the same dtype; background wins a tie, then the lower label.
    """
    result = np.zeros(shape, dtype=array.dtype)
    best = np.zeros(shape, dtype=np.float32)
    claimed = np.zeros(shape, dtype=np.float32)
    for value in np.unique(array):
        if value == 0:
            continue
        mask = array == value
        source = Box.around(mask).grow(reach(index_map, Interpolation.LINEAR)).clip(array.shape)
        target = index_map.target_box(source, shape)
        if target.is_empty:
            continue
        share = interpolate(
            mask[source.slices],
            index_map.between_parts(source_start=source.start, target_start=target.start),
            target.shape,
            interpolation=Interpolation.LINEAR,
            background=0.0,
            dtype=np.dtype(np.float32),
            compiled_from=compiled_from,
        )
        claimed[target.slices] += share
        wins = share > best[target.slices]
        best[target.slices][wins] = share[wins]
        result[target.slices][wins] = value
    # Background has what no label claims; float32 sums of the shares of a full voxel may miss 1 by a little.
    result[best <= 1.0 - claimed + 1e-6] = 0
    return result
