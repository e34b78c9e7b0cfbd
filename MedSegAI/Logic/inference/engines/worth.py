"""Is a run long enough that another engine saves more time than it takes to start?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from MedSegAI.Logic.inference.windows import window_starts
from MedSegAI.Logic.models.card import ModelCard

ENOUGH_WORK = 40_000_000
"""Voxels of all windows times the feature size: two to three seconds in torch on one core. Starting another engine
takes one to three, each time, and the check before its first use several more; both shipped models stay below it for
one scan, and every whole volume lies far above."""

_WHOLE_SCAN_MM = 256.0
_USUAL_FEATURE_SIZE = 24


def is_enough_work(card: ModelCard, *, windows: int | None = None) -> bool:
    """Whether ``auto`` looks for a faster engine at all.

    Args:
        card: The model's card.
        windows: Windows of this run; None takes those of a usual one, see :func:`usual_windows`.
    """
    count = usual_windows(card) if windows is None else windows
    voxels = card.window[0] * card.window[1] * card.window[2]
    return count * voxels * feature_size(card.network_arguments) >= ENOUGH_WORK


def usual_windows(card: ModelCard) -> int:
    """Windows of one scan, from the card alone: around one point, in the localiser's boxes, or in 256 mm cubed."""
    if card.needs_point and card.point_box_mm is not None:
        boxes = [card.point_box_mm]
    elif card.localiser is not None:
        around = 2 * card.localiser.margin_mm
        corners = [side.box_ras_mm for side in card.localiser.sides]
        boxes = [tuple(box[2 * axis + 1] - box[2 * axis] + around for axis in range(3)) for box in corners]
    else:
        boxes = [(_WHOLE_SCAN_MM,) * 3]
    shapes = [[max(1, round(box[axis] / card.spacing_mm[axis])) for axis in (2, 1, 0)] for box in boxes]
    return sum(len(window_starts(shape, card.window, overlap=card.overlap)) for shape in shapes)


def feature_size(arguments: Mapping[str, Any]) -> int:
    """The network's feature size, of the network inside where one stands around another."""
    inside = arguments.get("arguments")
    if isinstance(inside, Mapping):
        return feature_size(inside)
    return int(arguments.get("feature_size", _USUAL_FEATURE_SIZE))
