"""The largest connected component of a segmentation, without the islands a network sees far away from it."""

from __future__ import annotations

import numpy as np


def keep_largest_component(labels: np.ndarray) -> np.ndarray:
    """The label map without voxels that do not hang together with its largest piece.

    All labels count as one structure, so parts that touch each other stay together; voxels that share a corner touch.

    Args:
        labels: uint8 label map (k, j, i); 0 is background.

    Returns:
        A map of the same shape and dtype; the input itself where there is at most one piece.
    """
    from scipy import ndimage

    pieces, count = ndimage.label(labels, structure=np.ones((3, 3, 3), dtype=bool))
    if count < 2:
        return labels
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.where(pieces == sizes.argmax(), labels, 0).astype(labels.dtype)
