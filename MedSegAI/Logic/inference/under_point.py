"""What a user pointed at: of all that a network found in a box, the one piece under the point."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.geometry import Triple

FARTHEST_MM = 10.0
"""How far from the point a piece may lie that is taken for what was pointed at."""


def under_point(
    labels: np.ndarray, point: Triple, *, spacing_kji: Triple, farthest_mm: float = FARTHEST_MM
) -> np.ndarray:
    """The label map with the one connected component under a point, or else the nearest one.

    All labels count as one structure; voxels that share a corner touch.

    Args:
        labels: uint8 label map (k, j, i); 0 is background.
        point: Position (k, j, i) in voxels, fractions allowed.
        spacing_kji: Spacing in mm, (k, j, i).
        farthest_mm: A component whose nearest voxel centre is farther from the point is none that was meant.

    Returns:
        A map of the same shape and dtype; all background where nothing lies near enough.
    """
    from scipy import ndimage

    components, count = ndimage.label(labels, structure=np.ones((3, 3, 3), dtype=bool))
    if count == 0:
        return labels
    places = np.argwhere(components)
    apart = np.linalg.norm((places - np.array(point)) * np.array(spacing_kji), axis=1)
    nearest = int(np.argmin(apart))
    if apart[nearest] > farthest_mm:
        return np.zeros_like(labels)
    return np.where(components == components[tuple(places[nearest])], labels, 0).astype(labels.dtype)
