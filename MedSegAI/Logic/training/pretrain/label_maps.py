"""Telling label maps from scans, since one folder is easily taken for the other."""

from __future__ import annotations

import numpy as np

_CERTAINLY_LABELS = 4
_MOST_LABELS = 256
_ALIKE = 0.6
_LOOKED_AT = 1 << 22


def looks_like_labels(planes: np.ndarray) -> bool:
    """Whether voxels (k, j, i) are those of a label map.

    A label map holds whole numbers from 0 on, few of them, and its neighbours along i are mostly alike wherever they
    are not background; a scan has noise.
    """
    count = max(1, _LOOKED_AT // planes[0].size)
    first = max(0, (len(planes) - count) // 2)
    voxels = planes[first : first + count]
    if planes.min() < 0 or (voxels.dtype.kind == "f" and np.any(voxels != np.rint(voxels))):
        return False
    values = np.unique(voxels)
    if len(values) > _MOST_LABELS:
        return False
    if len(np.unique(planes)) <= _CERTAINLY_LABELS:
        return True
    left, right = voxels[..., :-1], voxels[..., 1:]
    inside = (left != 0) | (right != 0)
    return bool(inside.any()) and float((left == right)[inside].mean()) >= _ALIKE
