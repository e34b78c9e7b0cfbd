"""The air around the body in a CT: the one place whose Hounsfield value is known without knowing the patient."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.standardise.sampled_voxels import sampled

_MOST_VOXELS = 1 << 21


def outside_air(array: np.ndarray, below: float) -> tuple[np.ndarray, int]:
    """The values of the air outside of the body, without its border.

    Air is what lies below ``below`` and hangs together with the side faces of the scan (not the first and last plane,
    which the airways reach). What is within two voxels of anything else is left out, because it is partly something
    else.

    Args:
        array: Voxels (k, j, i), HU. Of a large scan every second or third voxel in each axis is looked at.
        below: HU that air stays below.

    Returns:
        The values, in no order, empty where the body fills the scan; and how many voxels were looked at.
    """
    import SimpleITK as sitk

    looked_at = sampled(array, _MOST_VOXELS)
    air = sitk.GetImageFromArray((looked_at < below).astype(np.uint8))
    parts = sitk.GetArrayFromImage(sitk.ConnectedComponent(air))
    sides = np.concatenate([parts[:, 0].ravel(), parts[:, -1].ravel(), parts[:, :, 0].ravel(), parts[:, :, -1].ravel()])
    touching = np.unique(sides)
    outside = np.isin(parts, touching[touching > 0])
    return looked_at[_without_border(outside)], looked_at.size


def _without_border(mask: np.ndarray) -> np.ndarray:
    """The mask two voxels further in within each plane; the scan's own edge is no border."""
    inner = mask
    for _ in range(2):
        padded = np.pad(inner, ((0, 0), (1, 1), (1, 1)), constant_values=True)
        inner = inner & padded[:, :-2, 1:-1] & padded[:, 2:, 1:-1] & padded[:, 1:-1, :-2] & padded[:, 1:-1, 2:]
    return inner
