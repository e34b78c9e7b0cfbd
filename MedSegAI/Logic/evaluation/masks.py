"""Two masks that are to be compared: checked, as bool, and cut to where they hold anything."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box


def as_masks(predicted: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both arrays (k, j, i) as bool masks: non-zero is inside.

    Raises:
        InputError: if they differ in shape.
    """
    if predicted.shape != reference.shape:
        raise InputError(
            f"Two masks of shape {predicted.shape} and {reference.shape} cannot be compared.",
            advice="Resample one of them to the other's grid.",
        )
    return _as_bool(predicted), _as_bool(reference)


def box_around(mask: np.ndarray) -> Box | None:
    """As :meth:`Box.around` for a bool array (k, j, i): each axis is searched inside what the axes before it left.

    A small structure in a large scan is found several times faster so.
    """
    start, stop = [], []
    inside = mask
    for axis in range(3):
        found = np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis)))
        if found.size == 0:
            return None
        first, end = int(found[0]), int(found[-1]) + 1
        start.append(first)
        stop.append(end)
        inside = inside[(slice(None),) * axis + (slice(first, end),)]
    return Box(tuple(start), tuple(stop))


def _as_bool(mask: np.ndarray) -> np.ndarray:
    mask = np.asarray(mask)
    return mask if mask.dtype == np.bool_ else mask != 0
