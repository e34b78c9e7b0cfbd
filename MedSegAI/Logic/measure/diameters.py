"""How long and how wide a structure is: diameters between its outermost edges, in a plane and in space.

The edge of a mask lies half-way between the last voxel centre inside and the first one outside, along each axis: a row
of n voxels is n spacings long, as a radiologist measures it from edge to edge. Measured between voxel centres it would
be one spacing too short, between outermost voxel corners up to a voxel's diagonal too long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_A_ROUNDING = 1e-9


@dataclass(frozen=True)
class PlaneDiameters:
    """The longest diameter in one plane, and the longest one perpendicular to it in that plane.

    Args:
        long_mm: The longest distance between two places on the edge.
        short_mm: The longest chord of the outline's convex hull perpendicular to that.
        ends: Where the longest diameter ends, (2, 2): in mm along the plane's two axes.
    """

    long_mm: float
    short_mm: float
    ends: np.ndarray


def edge_places(mask: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """The places on a mask's edge, in mm along its axes from the centre of its first voxel.

    Args:
        mask: bool, of two or three dimensions.
        spacing: Distance between voxel centres along each of its axes, mm.

    Returns:
        (n, dimensions): the middle of each face between a voxel inside and one outside; (0, dimensions) for an empty
        mask.
    """
    padded = np.pad(mask, 1).astype(np.int8)
    found = []
    for axis in range(mask.ndim):
        places = np.argwhere(np.diff(padded, axis=axis)).astype(float) - 1
        places[:, axis] += 0.5
        found.append(places)
    return np.concatenate(found) * np.array(spacing, dtype=float)


def plane_diameters(mask: np.ndarray, spacing: Sequence[float]) -> PlaneDiameters | None:
    """The diameters of a mask (rows, columns) bool; None for an empty one. ``spacing`` in mm, (rows, columns)."""
    places = edge_places(mask, spacing)
    if len(places) == 0:
        return None
    outline = _convex_outline(_row_ends(np.insert(places, 0, 0.0, axis=1))[:, 1:])
    a, b = _farthest(outline)
    long = float(np.linalg.norm(outline[b] - outline[a]))
    along = (outline[b] - outline[a]) / long
    return PlaneDiameters(long, _longest_chord_across(outline, along), outline[[a, b]])


def longest_diameter(mask: np.ndarray, spacing: Sequence[float]) -> float:
    """The longest distance in mm between two places on the edge of a mask (k, j, i) bool; 0 for an empty one."""
    places = edge_places(mask, spacing)
    if len(places) == 0:
        return 0.0
    # A corner of the hull in space is one of the outline in every plane through it, so the others need no comparing.
    corners = _row_ends(places)
    for axis in range(3):
        corners = _outlines_across(corners, axis)
    a, b = _farthest(corners)
    return float(np.linalg.norm(corners[b] - corners[a]))


def _row_ends(places: np.ndarray) -> np.ndarray:
    """Of the places (n, 3) in each row along the last axis, the first and the last."""
    ordered = places[np.lexsort(places.T[::-1])]
    begins = np.flatnonzero(np.any(np.diff(ordered[:, :2], axis=0, prepend=np.inf) != 0, axis=1))
    ends = np.append(begins[1:], len(ordered)) - 1
    return ordered[np.union1d(begins, ends)]


def _outlines_across(places: np.ndarray, axis: int) -> np.ndarray:
    """The corners of the convex outlines of places (n, 3) in each plane across an axis."""
    ordered = places[np.argsort(places[:, axis], kind="stable")]
    planes = np.split(ordered, np.flatnonzero(np.diff(ordered[:, axis])) + 1)
    return np.concatenate(
        [np.insert(_convex_outline(np.delete(plane, axis, axis=1)), axis, plane[0, axis], axis=1) for plane in planes]
    )


def _convex_outline(places: np.ndarray) -> np.ndarray:
    """The corners of the convex hull of places (n, 2) in a plane, in their order around it; Andrew's monotone chain."""
    ordered = [tuple(place) for place in np.unique(places, axis=0)]
    if len(ordered) < 3:
        return np.array(ordered)
    halves = [_half_outline(ordered), _half_outline(ordered[::-1])]
    return np.array([place for half in halves for place in half[:-1]])


def _half_outline(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
    kept: list[tuple[float, float]] = []
    for place in ordered:
        while len(kept) > 1 and _turn(kept[-2], kept[-1], place) <= _A_ROUNDING:
            kept.pop()
        kept.append(place)
    return kept


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _farthest(places: np.ndarray) -> tuple[int, int]:
    """The two places that lie farthest apart; the first of several such pairs."""
    squares = (places**2).sum(axis=1)
    apart = squares[:, None] + squares - 2 * places @ places.T
    a, b = np.unravel_index(int(np.argmax(apart)), apart.shape)
    return int(a), int(b)


def _longest_chord_across(outline: np.ndarray, along: np.ndarray) -> float:
    """The longest chord of a convex outline (n, 2) perpendicular to the unit vector ``along``.

    The chord's length is concave along the axis and bends only at corners, so it is longest at one of them.
    """
    across = np.array([-along[1], along[0]])
    places = np.column_stack([outline @ along, outline @ across])
    order = np.lexsort((places[:, 1], places[:, 0]))
    first, last = places[order[0]], places[order[-1]]
    share = (places[:, 0] - first[0]) / (last[0] - first[0])
    above = places[:, 1] - (first[1] + share * (last[1] - first[1]))
    upper, lower = (_chain(places[side]) for side in (above >= -_A_ROUNDING, above <= _A_ROUNDING))
    at = places[:, 0]
    return float((np.interp(at, *upper) - np.interp(at, *lower)).max())


def _chain(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ordered = places[np.argsort(places[:, 0], kind="stable")]
    return ordered[:, 0], ordered[:, 1]
