"""N4's bias field, estimated on some of the scan's voxels and evaluated at all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.mr.foreground import otsu_threshold
from MedSegAI.Logic.standardise.mr.n4_stop import StopN4, stopped_quietly
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    import SimpleITK

STAGE = "estimating the bias field"
_SHRUNK_SPACING_MM = 4.0
_LEAST_SIDE = 12
_LEAST_SAVING = 8


@dataclass(frozen=True, eq=False)
class N4Field:
    """What N4 found.

    Args:
        log_field: float32 (k, j, i): natural logarithm of the factor by which the scan is too bright.
        shrink: One voxel in how many along (i, j, k) was looked at.
        iterations: How many were done, over all levels.
        mask_share: The part of the voxels that the estimation looked at, 0..1.
    """

    log_field: np.ndarray
    shrink: tuple[int, int, int]
    iterations: int
    mask_share: float


def chosen_shrink(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> tuple[int, int, int]:
    """One voxel in how many along (i, j, k) is looked at: voxels of about 4 mm, and at most one in 8 wherever possible.

    The field has no detail finer than its B-spline mesh, which is centimetres; at 1 mm this leaves 1 voxel in 64. Where
    voxels are larger than that, the finest axes are thinned out until one in 8 is left, or sides would be too short.

    Args:
        shape: (k, j, i).
        spacing: mm along (i, j, k).
    """
    sides = shape[::-1]
    factors = [
        max(1, min(int(_SHRUNK_SPACING_MM / one + 0.1), side // _LEAST_SIDE)) for one, side in zip(spacing, sides)
    ]
    while math.prod(factors) < _LEAST_SAVING:
        room = [axis for axis in range(3) if sides[axis] // (factors[axis] + 1) >= _LEAST_SIDE]
        if not room:
            break
        factors[min(room, key=lambda axis: factors[axis] * spacing[axis])] += 1
    return factors[0], factors[1], factors[2]


def fixed_shrink(shape: tuple[int, int, int], shrink: int) -> tuple[int, int, int]:
    """The same factor along (i, j, k), but at most what leaves 4 voxels of a side, the least N4's splines need."""
    k, j, i = (max(1, min(shrink, side // 4)) for side in shape)
    return i, j, k


def estimate_field(
    volume: Volume,
    shrink: tuple[int, int, int],
    *,
    levels: int,
    iterations: int,
    convergence: float,
    mask: str,
    reporter: Reporter,
) -> N4Field:
    """Run SimpleITK's N4 (Tustison et al., IEEE Trans Med Imaging 29:1310, 2010) on the shrunk scan.

    Args:
        volume: An MR scan.
        shrink: One voxel in how many along (i, j, k) is looked at.
        levels: Levels of the B-spline mesh; it starts with one element a side and doubles each time.
        iterations: Most iterations of each level.
        convergence: A level ends when the field changes by less than this.
        mask: "otsu" (of the whole scan) or "positive".
        reporter: Told of every iteration, and asked whether to stop.

    Raises:
        InputError: if nothing is left to look at, or N4 fails.
        Cancelled: if the reporter asked to stop.
    """
    import SimpleITK as sitk

    # Single voxels, not means of several: N4 sharpens the histogram, which averaging would change.
    small = sitk.Cast(sitk.Shrink(volume.to_sitk(), shrink), sitk.sitkFloat32)
    inside = sitk.GetArrayViewFromImage(small) > _threshold(volume.array, mask)
    if not inside.any():
        raise InputError(
            f"'{volume.name}' has no voxels above 0 to estimate a bias field from.", advice="Choose another mask."
        )
    mask_image = sitk.GetImageFromArray(inside.astype(np.uint8))
    mask_image.CopyInformation(small)
    filter_ = sitk.N4BiasFieldCorrectionImageFilter()
    filter_.SetMaximumNumberOfIterations([iterations] * levels)
    filter_.SetConvergenceThreshold(convergence)
    count = _run(filter_, small, mask_image, levels * iterations, volume.name, reporter)
    field = sitk.GetArrayFromImage(filter_.GetLogBiasFieldAsImage(_grid_image(volume)))
    return N4Field(field, shrink, count, float(inside.mean()))


def _grid_image(volume: Volume) -> SimpleITK.Image:
    """An image of the smallest type on the scan's grid: N4 only asks where the voxels are."""
    import SimpleITK as sitk

    image = sitk.Image(volume.grid.shape[::-1], sitk.sitkUInt8)
    image.SetSpacing(volume.grid.spacing)
    image.SetOrigin(volume.grid.origin)
    image.SetDirection(volume.grid.direction)
    return image


def _threshold(array: np.ndarray, mask: str) -> float:
    """What the mask's voxels lie above; only voxels above 0 have the logarithm that N4 works on."""
    return max(0.0, otsu_threshold(array)) if mask == "otsu" else 0.0


def _run(
    filter_: SimpleITK.N4BiasFieldCorrectionImageFilter,
    image: SimpleITK.Image,
    mask: SimpleITK.Image,
    most: int,
    name: str,
    reporter: Reporter,
) -> int:
    import SimpleITK as sitk

    count = 0

    def on_iteration() -> None:
        nonlocal count
        count += 1
        reporter.progress(min(count, most), most, STAGE)
        if reporter.cancelled():
            raise StopN4

    filter_.AddCommand(sitk.sitkIterationEvent, on_iteration)
    raise_if_cancelled(reporter)
    reporter.progress(0, most, STAGE)
    try:
        with stopped_quietly():
            filter_.Execute(image, mask)
    except RuntimeError as error:
        raise_if_cancelled(reporter)
        raise InputError(f"N4 cannot estimate a bias field of '{name}'.", advice="Choose another mask.") from error
    finally:
        filter_.RemoveAllCommands()
    raise_if_cancelled(reporter)
    reporter.progress(most, most, STAGE)
    return count


def is_finite_field(field: np.ndarray) -> bool:
    """Whether the field, and the factor it stands for, are numbers everywhere."""
    greatest = max(abs(float(field.min())), abs(float(field.max())))
    return math.isfinite(greatest) and greatest < 80
