"""The ways to find a value between voxels."""

from __future__ import annotations

from enum import Enum


class Interpolation(str, Enum):
    """How a value between voxel centres is made."""

    LINEAR = "linear"
    """From the 8 nearest voxels; never beyond their values."""
    BSPLINE = "bspline"
    """Cubic B-spline through every voxel: sharper, and may go beyond the values around it."""
    NEAREST = "nearest"
    """The nearest voxel's own value, in its own dtype; nothing is smoothed when shrinking."""
