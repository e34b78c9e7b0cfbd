"""Where the voxels of an image file lie among its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class VoxelLayout:
    """The bytes of a 3D scan whose planes follow one another.

    Args:
        path: The file that holds the voxels; not always the one with the header.
        start: Where they, or the compressed stream with them, begin in the file, in bytes.
        dtype: Of one stored voxel, with its byte order.
        compressed: Whether a zlib or gzip stream holds them.
        inner_start: Where they begin in the decoded stream, in bytes.
        rescale: Slope and intercept that turn a stored value into the scan's; None where they are the same.
    """

    path: Path
    start: int
    dtype: np.dtype
    compressed: bool = False
    inner_start: int = 0
    rescale: tuple[float, float] | None = None
