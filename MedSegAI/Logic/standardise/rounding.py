"""Interpolated numbers back to a scan's own dtype: integers are rounded, never truncated, and stop at their limits."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.errors import InputError


def rounded_to(values: np.ndarray, dtype: np.dtype | type) -> np.ndarray:
    """The values in another dtype.

    Args:
        values: Any shape, real, finite where ``dtype`` is an integer.
        dtype: Of the result. An integer dtype gets the nearest integers (halves go to the even one, so that no mean is
            shifted), and the nearest limit for what it cannot hold; bool gets what is above a half.

    Returns:
        A new array, or ``values`` itself where its dtype is the wanted one.
    """
    dtype = np.dtype(dtype)
    if values.dtype == dtype:
        return values
    if dtype.kind == "f":
        return values.astype(dtype)
    if values.dtype.kind in "iu" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        low, high = max(limits.min, np.iinfo(values.dtype).min), min(limits.max, np.iinfo(values.dtype).max)
        return np.clip(values, low, high).astype(dtype)
    result = np.empty(values.shape, dtype)
    write_rounded(values.astype(np.float32) if values.dtype.kind in "biu" else values.copy(), result)
    return result


def require_fits(background: float, dtype: np.dtype | type) -> None:
    """Raise :class:`InputError` for a background beyond what an integer dtype holds: it would silently be another."""
    dtype = np.dtype(dtype)
    if dtype.kind not in "iu":
        return
    limits = np.iinfo(dtype)
    if not limits.min <= round(background) <= limits.max:
        raise InputError(
            f"The background {background:g} does not fit: the scan holds whole numbers from {limits.min} to "
            f"{limits.max}.",
            advice="Choose one among these, or leave it out for the scan's smallest value.",
        )


def write_rounded(values: np.ndarray, out: np.ndarray) -> None:
    """Write floating-point ``values`` into ``out`` (same shape, any dtype) as :func:`rounded_to` makes them.

    ``values`` is used as working memory, so its content is lost.
    """
    if out.dtype.kind in "biu":
        low, high = _limits(out.dtype, values.dtype)
        np.rint(values, out=values)
        np.clip(values, low, high, out=values)
    out[...] = values


def _limits(dtype: np.dtype, floating: np.dtype) -> tuple[float, float]:
    """The smallest and the largest number of the floating dtype that the integer dtype can hold."""
    if dtype.kind == "b":
        return 0.0, 1.0
    limits = np.iinfo(dtype)
    high = floating.type(limits.max)
    if int(high) > limits.max:
        high = np.nextafter(high, floating.type(0))
    return float(limits.min), float(high)
