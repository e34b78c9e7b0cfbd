"""Values between voxels: the numbers of one array at the places of another grid's voxels."""

from __future__ import annotations

import math

import numpy as np

from MedSegAI.Logic.geometry import Shape
from MedSegAI.Logic.standardise.aligned_resample import load_kernel, resample_aligned, worthwhile_threads
from MedSegAI.Logic.standardise.aligned_weights import aligned_weights
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.standardise.rounding import rounded_to, write_rounded

# Below, importing numba and loading its code (about 0.4 s, once a process) takes longer than SimpleITK does.
COMPILED_FROM_VOXELS = 2**24
_SHRINKS = 1.5
_SPLINE_REACH = 12


def reach(index_map: IndexMap, interpolation: Interpolation) -> int:
    """Source voxels around a target grid that its voxels may depend on: the Gaussian's reach and interpolation's."""
    if interpolation is Interpolation.NEAREST:
        return 2
    beside = _SPLINE_REACH if interpolation is Interpolation.BSPLINE else 2
    return int(np.ceil(2 * index_map.footprint.max())) + beside


def smoothing_variance(index_map: IndexMap) -> np.ndarray:
    """Variance (i, j, k), in source voxels squared, of the Gaussian that a target so much coarser needs; 0 for none.

    It is the width at which a Gaussian seen by the source's own voxel becomes as wide as the target's voxel (full width
    at half maximum = size).
    """
    footprint = index_map.footprint
    return np.where(footprint > _SHRINKS, (footprint**2 - 1) / (8 * np.log(2)), 0.0)


def interpolate(
    array: np.ndarray,
    index_map: IndexMap,
    shape: Shape,
    *,
    interpolation: Interpolation,
    background: float,
    dtype: np.dtype,
    compiled_from: int | None = None,
) -> np.ndarray:
    """The values of an array at the places of another grid's voxels.

    Args:
        array: Source voxels (k, j, i), any real dtype.
        index_map: From the target's voxels to the source's.
        shape: Of the target (k, j, i).
        interpolation: How values between voxels are made.
        background: Value outside the source; half a voxel beyond the outermost centres is still inside.
        dtype: Of the result; an integer dtype is rounded to.
        compiled_from: Voxels of source and target together from which numba's loops serve grids with parallel axes;
            None for ``COMPILED_FROM_VOXELS``. Everything else goes by SimpleITK, which gives the same values to
            1/100 000 of the data's range.

    Returns:
        Voxels (k, j, i) of ``shape``.
    """
    least = COMPILED_FROM_VOXELS if compiled_from is None else compiled_from
    if interpolation is Interpolation.LINEAR and array.size + math.prod(shape) >= least:
        how = aligned_weights(index_map, array.shape, shape, smoothing_variance(index_map))
        kernel = None if how is None else load_kernel()
        if kernel is not None:
            threads = worthwhile_threads()
            return resample_aligned(
                array, how, shape, kernel=kernel, background=background, dtype=dtype, threads=threads
            )
    return by_simpleitk(array, index_map, shape, interpolation=interpolation, background=background, dtype=dtype)


def by_simpleitk(
    array: np.ndarray,
    index_map: IndexMap,
    shape: Shape,
    *,
    interpolation: Interpolation,
    background: float,
    dtype: np.dtype,
) -> np.ndarray:
    """The same by SimpleITK alone, for any two grids."""
    import SimpleITK as sitk

    kind = {
        Interpolation.LINEAR: sitk.sitkLinear,
        Interpolation.BSPLINE: sitk.sitkBSpline3,
        Interpolation.NEAREST: sitk.sitkNearestNeighbor,
    }[interpolation]
    if interpolation is not Interpolation.NEAREST or (dtype.kind == "f" and array.dtype.kind != "f"):
        array = array.astype(np.float32, copy=False)
    elif array.dtype.kind == "b" or array.dtype == np.float16:
        # SimpleITK has neither.
        array = array.astype(np.uint8 if array.dtype.kind == "b" else np.float32)
    # Between index spaces, where every length is 1, so that one matrix says all of the geometry.
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    variance = smoothing_variance(index_map)
    if variance.any() and interpolation is not Interpolation.NEAREST:
        image = sitk.DiscreteGaussian(image, variance=variance.tolist(), maximumKernelWidth=99, useImageSpacing=False)
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(index_map.matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(index_map.matrix[:3, 3].tolist())
    filled = sitk.Resample(
        image, shape[::-1], transform, kind, (0.0,) * 3, (1.0,) * 3, np.eye(3).ravel().tolist(), background
    )
    return _in_dtype(sitk.GetArrayFromImage(filled), dtype)


def _in_dtype(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if values.dtype == dtype:
        return values
    if values.dtype.kind != "f":
        return rounded_to(values, dtype)
    result = np.empty(values.shape, dtype)
    for plane, out in zip(values, result):
        write_rounded(plane, out)
    return result
