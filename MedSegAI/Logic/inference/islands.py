"""Islands: specks that a network sees beside a structure that is in one piece."""

from __future__ import annotations

import numpy as np

_SHARE_OF_LARGEST = 0.1


def without_islands(labels: np.ndarray) -> np.ndarray:
    """The label map without connected components smaller than a tenth of its largest one.

    All labels count as one structure, so parts that touch each other stay together; voxels that share a corner touch.
    Larger pieces stay: where a network finds a structure broken in two, both pieces are part of it.

    Args:
        labels: uint8 label map (k, j, i); 0 is background.

    Returns:
        A map of the same shape and dtype; the input itself where there is at most one component.
    """
    from scipy import ndimage

    components, count = ndimage.label(labels, structure=np.ones((3, 3, 3), dtype=bool))
    if count < 2:
        return labels
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    return np.where((sizes >= _SHARE_OF_LARGEST * sizes.max())[components], labels, 0).astype(labels.dtype)
