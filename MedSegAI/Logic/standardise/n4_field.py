"""N4's bias field, estimated on a smaller copy of the scan and evaluated at full size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.mr_foreground import otsu_threshold
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    import SimpleITK

STAGE = "estimating the bias field"
_SHRUNK_SPACING_MM = 4.0
_LEAST_SIDE = 20


@dataclass(frozen=True, eq=False)
class N4Field:
    """What N4 found.

    Args:
        log_field: float32 (k, j, i): natural logarithm of the factor by which the scan is too bright.
        shrink: How many voxels (i, j, k) became one before the estimation.
        iterations: How many were done, over all levels.
        convergence: The last iteration's measure of change.
        mask_share: The part of the voxels that the estimation looked at, 0..1.
    """

    log_field: np.ndarray
    shrink: tuple[int, int, int]
    iterations: int
    convergence: float
    mask_share: float


def chosen_shrink(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> tuple[int, int, int]:
    """How many voxels along (i, j, k) become one, so that the voxels are about 4 mm and no side falls below 20.

    The field has no detail finer than the B-spline's mesh, which is centimetres; at 1 mm this leaves 1/64 of the
    voxels. Where voxels are too large or sides too short for a factor of 8, the factor is what the size allows.

    Args:
        shape: (k, j, i).
        spacing: mm along (i, j, k).
    """
    sides = shape[::-1]
    wanted = [max(1, round(_SHRUNK_SPACING_MM / one)) for one in spacing]
    return tuple(max(1, min(factor, side // _LEAST_SIDE)) for factor, side in zip(wanted, sides))


def fixed_shrink(shape: tuple[int, int, int], shrink: int) -> tuple[int, int, int]:
    """The same factor along (i, j, k), but at most what leaves 4 voxels of a side, the least N4's splines need."""
    return tuple(max(1, min(shrink, side // 4)) for side in shape[::-1])


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
        shrink: How many voxels (i, j, k) are averaged to one.
        levels: Levels of the B-spline mesh; it starts with one element a side and doubles each time.
        iterations: Most iterations of each level.
        convergence: A level ends when the field changes by less than this.
        mask: "otsu", "positive" or "all".
        reporter: Told of every iteration, and asked whether to stop.

    Raises:
        InputError: if nothing is left to look at, or N4 fails.
        Cancelled: if the reporter asked to stop.
    """
    import SimpleITK as sitk

    image = sitk.Cast(volume.to_sitk(), sitk.sitkFloat32)
    small = sitk.BinShrink(image, shrink) if max(shrink) > 1 else image
    inside = _mask(sitk.GetArrayViewFromImage(small), mask)
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
    field = sitk.GetArrayFromImage(filter_.GetLogBiasFieldAsImage(image))
    return N4Field(field, shrink, count, float(filter_.GetCurrentConvergenceMeasurement()), float(inside.mean()))


def _mask(array: np.ndarray, kind: str) -> np.ndarray:
    """Only voxels above 0 have the logarithm that N4 works on."""
    if kind == "otsu":
        return array > max(0.0, otsu_threshold(array))
    return array > 0


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
            filter_.Abort()

    filter_.AddCommand(sitk.sitkIterationEvent, on_iteration)
    raise_if_cancelled(reporter)
    reporter.progress(0, most, STAGE)
    try:
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
