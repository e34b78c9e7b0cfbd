"""Percentiles of numbers that are never in memory together, exact: the very values numpy gives for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

_HALF = 16
_BINS = 1 << _HALF
_SIGN = np.uint32(1 << 31)


def streamed_percentiles(
    pieces: Callable[[], Iterable[np.ndarray]], percents: tuple[float, ...], *, count: int
) -> tuple[float, ...]:
    """Percentiles as ``numpy.percentile`` interpolates them, of numbers that are gone through twice.

    A float32 has 32 bits whose order is that of the numbers: the first time counts their upper halves, the second time
    the lower halves of those few upper halves in which the wanted places lie.

    Args:
        pieces: Gives float32 arrays, finite; asked twice.
        percents: Each 0 to 100.
        count: How many numbers there are.
    """
    places = np.true_divide(percents, np.float32(100)) * (count - 1)
    below = np.floor(places).astype(np.int64)
    above = np.minimum(below + 1, count - 1)
    at_place = _values_at(pieces, np.unique(np.concatenate([below, above])))
    return tuple(
        float(_between(at_place[low], at_place[high], place - low)) for low, high, place in zip(below, above, places)
    )


def _values_at(pieces: Callable[[], Iterable[np.ndarray]], places: np.ndarray) -> dict[int, np.float32]:
    """The numbers at these places of the sorted whole."""
    upper = np.zeros(_BINS, np.int64)
    for piece in pieces():
        upper += np.bincount(_ordered_bits(piece) >> _HALF, minlength=_BINS)
    first_above = np.cumsum(upper)
    halves = np.searchsorted(first_above, places, side="right")
    lower = {int(half): np.zeros(_BINS, np.int64) for half in np.unique(halves)}
    for piece in pieces():
        bits = _ordered_bits(piece)
        for half, counts in lower.items():
            counts += np.bincount(bits[bits >> _HALF == half] & (_BINS - 1), minlength=_BINS)
    found = {}
    for place, half in zip(places.tolist(), halves.tolist()):
        before = int(first_above[half] - upper[half])
        rest = int(np.searchsorted(np.cumsum(lower[half]), place - before, side="right"))
        found[place] = _number_of(np.uint32(half << _HALF | rest))
    return found


def _ordered_bits(numbers: np.ndarray) -> np.ndarray:
    """uint32 (n,) in the order of float32 numbers of any shape."""
    # Adding 0 turns -0 into 0, which is the same number and must count as such.
    bits = (np.ravel(numbers) + np.float32(0)).view(np.uint32)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _number_of(bits: np.uint32) -> np.float32:
    return (bits ^ _SIGN if bits & _SIGN else ~bits).view(np.float32)


def _between(low: np.float32, high: np.float32, part: np.float64) -> np.float64:
    """As numpy interpolates: from the nearer end."""
    difference = np.float32(high - low)
    if part >= 0.5:
        return high - difference * (1 - part)
    return low + difference * part
