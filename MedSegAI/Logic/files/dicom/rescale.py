"""From stored values to measured ones: slope and intercept of every plane, and what lies outside the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from MedSegAI.Logic.files.dicom.pixels import pixel_layout
from MedSegAI.Logic.files.dicom.planes import Plane
from MedSegAI.Logic.volume import Modality, Unit

_WHOLE_TYPES = tuple(np.dtype(name) for name in ("u1", "i1", "u2", "i2", "u4", "i4"))
AIR_HU = -1024
_HOUNSFIELD_TYPES = ("", "HU", "US")


def rescaled_type(planes: Sequence[Plane]) -> np.dtype:
    """The type that holds every value the planes can have after rescale.

    The smallest integer type where all slopes and intercepts are whole numbers, else float32 (float64 where stored so).
    """
    low, high = 0.0, 0.0
    for layout, (slope, intercept) in {(pixel_layout(p.file), p.rescale or (1.0, 0.0)) for p in _one_a_kind(planes)}:
        if layout.limits is None:
            return layout.dtype
        if not (slope.is_integer() and intercept.is_integer()):
            return np.dtype(np.float32)
        ends = [slope * end + intercept for end in layout.limits]
        low, high = min(low, *ends), max(high, *ends)
    return next((kind for kind in _WHOLE_TYPES if _holds(kind, low, high)), np.dtype(np.float32))


def tight_type(stored: np.ndarray, planes: Sequence[Plane], dtype: np.dtype) -> np.dtype:
    """int16 in place of int32 where the values that are really there fit, as those of every CT do; else ``dtype``."""
    if dtype != np.int32 or stored.dtype.itemsize != 2:
        return dtype
    ends = [
        slope * float(end) + intercept
        for plane, (slope, intercept) in zip(stored, _factors(planes))
        for end in (plane.min(), plane.max())
    ]
    return np.dtype(np.int16) if _holds(np.dtype(np.int16), min(ends), max(ends)) else dtype


def rescaled(stored: np.ndarray, planes: Sequence[Plane], *, dtype: np.dtype) -> np.ndarray:
    """The measured values (k, j, i) of stored ones, each plane by its own slope and intercept, as ``dtype``.

    Where the new type has the size of the old one, the memory of ``stored`` is used again.
    """
    factors = _factors(planes)
    if all(factor == (1.0, 0.0) for factor in factors):
        return stored.astype(dtype, copy=False)
    if dtype.kind == "f":
        result = np.empty(stored.shape, dtype)
        for plane, out, (slope, intercept) in zip(stored, result, factors):
            out[...] = plane.astype(np.float64) * slope + intercept
        return result
    # Integers wrap around, so what fits at the end is right, whatever it was on the way.
    result = stored.view(dtype) if dtype.itemsize == stored.dtype.itemsize else stored.astype(dtype)
    for out, (slope, intercept) in zip(result, factors):
        if slope != 1.0:
            out *= np.int64(slope).astype(dtype)
        out += np.int64(intercept).astype(dtype)
    return result


def _factors(planes: Sequence[Plane]) -> list[tuple[float, float]]:
    return [plane.rescale or (1.0, 0.0) for plane in planes]


def unit_of(planes: Sequence[Plane], lowest: float, modality: Modality) -> Unit:
    """HU where a CT says how its values are rescaled and they can be HU.

    Copies of CT series exist whose values were shifted to start at zero, with an intercept of 0 and the rescale type
    "US" (unspecified): those are not Hounsfield units, though the tags are there.

    Args:
        planes: Of one volume.
        lowest: The smallest of its values.
        modality: What was measured.
    """
    first = planes[0]
    if modality is not Modality.CT or first.rescale is None or first.rescale_type not in _HOUNSFIELD_TYPES:
        return Unit.ARBITRARY
    return Unit.HOUNSFIELD if first.rescale[1] != 0 or lowest < 0 else Unit.ARBITRARY


def fill_padding(array: np.ndarray, planes: Sequence[Plane]) -> int:
    """Set what a CT marks as outside its picture, and is lower than air, to air (-1024 HU), in place.

    Scanners fill the corners outside the reconstructed circle with a value such as -2000 or -3024 that was never
    measured; a step that looks at air, or at the mean of the scan, would take it for one.

    Args:
        array: Values (k, j, i) in HU.
        planes: One a plane of ``array``.

    Returns:
        How many voxels were filled.
    """
    filled = 0
    for values, plane in zip(array, planes):
        limits = padding_of(plane)
        if limits is None or limits[1] >= AIR_HU:
            continue
        outside = (values >= limits[0]) & (values <= limits[1])
        values[outside] = AIR_HU
        filled += int(np.count_nonzero(outside))
    return filled


def padding_of(plane: Plane) -> tuple[float, float] | None:
    """The lowest and the highest rescaled value that stand for no measurement; None where the header names none."""
    header = plane.file.header
    if header.get("PixelPaddingValue") is None or pixel_layout(plane.file).dtype.kind == "f":
        return None
    slope, intercept = plane.rescale or (1.0, 0.0)
    ends = [header.PixelPaddingValue, header.get("PixelPaddingRangeLimit", header.PixelPaddingValue)]
    # Many files write a negative value in the tag's unsigned form.
    stored = np.array([int(end) for end in ends]).astype(pixel_layout(plane.file).dtype).astype(float)
    return float(stored.min() * slope + intercept), float(stored.max() * slope + intercept)


def _one_a_kind(planes: Sequence[Plane]) -> list[Plane]:
    """Planes without those that share bits, slope and intercept with an earlier one, so that few files are opened."""
    kinds = {}
    for plane in planes:
        header = plane.file.header
        bits = tuple(header.get(name) for name in ("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"))
        kinds.setdefault((*bits, plane.rescale), plane)
    return list(kinds.values())


def _holds(kind: np.dtype, low: float, high: float) -> bool:
    limits = np.iinfo(kind)
    return limits.min <= low and high <= limits.max
