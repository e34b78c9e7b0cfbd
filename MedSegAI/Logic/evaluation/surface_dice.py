"""Surface Dice at a tolerance: which part of two outlines lies within so many millimetres of the other.

Nikolov et al. 2018, *Deep learning to achieve clinically applicable segmentation of head and neck anatomy for
radiotherapy*, arXiv:1809.04430. As there, the surface is area-weighted and lies between voxels: each corner where eight
voxels meet, some inside and some outside, is a point of the surface. Its weight is the area in mm2 of the polygons
through the middles of those edges of the eight voxels' cube whose ends differ. What lies beyond the array is outside.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from MedSegAI.Logic.evaluation.masks import as_masks, box_around
from MedSegAI.Logic.evaluation.surfaces import Surface

_CORNERS = tuple(itertools.product((0, 1), repeat=3))
_SAME_DISTANCE = 1e-9


def surface_dice(
    predicted: np.ndarray, reference: np.ndarray, *, spacing_kji: tuple[float, float, float], tolerance_mm: float
) -> float:
    """The share of both surfaces' area that lies within ``tolerance_mm`` of the other surface, 0..1.

    1 where both masks are empty, 0 where one of them is.

    Args:
        predicted: (k, j, i), non-zero is inside.
        reference: (k, j, i), voxel by voxel the prediction.
        spacing_kji: Spacing in mm along k, j, i.
        tolerance_mm: Distance in mm that counts as agreement; zero asks for the same place.

    Raises:
        InputError: if the masks differ in shape.
    """
    surfaces = [surface_between_voxels(mask, spacing_kji=spacing_kji) for mask in as_masks(predicted, reference)]
    return surface_dice_between(*surfaces, tolerance_mm=tolerance_mm)


def surface_dice_between(one: Surface, other: Surface, *, tolerance_mm: float) -> float:
    """As :func:`surface_dice` for two surfaces of :func:`surface_between_voxels`."""
    if one.is_empty or other.is_empty:
        return float(one.is_empty and other.is_empty)
    reach = tolerance_mm + _SAME_DISTANCE
    near = sum(of.weights[of.distances_to(to, at_most=reach) <= reach].sum() for of, to in ((one, other), (other, one)))
    return float(near / (one.weights.sum() + other.weights.sum()))


def surface_between_voxels(mask: np.ndarray, *, spacing_kji: tuple[float, float, float]) -> Surface:
    """The corners between the inside and the outside of a mask (k, j, i), weighted by area in mm2."""
    box = box_around(np.asarray(mask) != 0)
    if box is None:
        return Surface(np.zeros((0, 3)), np.zeros(0), spacing_kji)
    inside = np.pad(np.asarray(mask)[box.slices] != 0, 1)
    shape = tuple(n - 1 for n in inside.shape)
    codes = np.zeros(shape, np.uint8)
    for bit, corner in enumerate(_CORNERS):
        codes |= inside[tuple(slice(c, c + n) for c, n in zip(corner, shape))].astype(np.uint8) << bit
    found = np.nonzero((codes != 0) & (codes != 255))
    points = (np.column_stack(found) + np.array(box.start) - 0.5) * np.array(spacing_kji)
    return Surface(points, _area_of_codes(tuple(spacing_kji))[codes[found]], spacing_kji)


@lru_cache(maxsize=32)
def _area_of_codes(spacing_kji: tuple[float, float, float]) -> np.ndarray:
    """Area in mm2 of the surface inside the cube of eight voxels for each of the 256 ways to be inside: (256,)."""
    return np.array([sum(_area(loop, spacing_kji) for loop in _loops(code)) for code in range(256)])


def _area(loop: list[np.ndarray], spacing_kji: tuple[float, float, float]) -> float:
    """Area of a polygon that need not be flat: the triangles from its middle to its sides."""
    points = np.array(loop) * spacing_kji
    spokes = points - points.mean(0)
    return float(np.linalg.norm(np.cross(spokes, np.roll(spokes, -1, axis=0)), axis=1).sum() / 2)


def _loops(code: int) -> Iterator[list[np.ndarray]]:
    """The closed polygons that part the inner from the outer corners of a cube, as lists of points (k, j, i) in 0..1.

    On each of its six sides the crossed edges are joined in pairs; where all four are crossed, each pair cuts off one
    inner corner. Following the pairs from side to side closes each polygon.
    """
    joined: dict[tuple, list[tuple]] = {}
    for side in _sides():
        for one, other in _pairs_on_side(side, code):
            joined.setdefault(one, []).append(other)
            joined.setdefault(other, []).append(one)
    while joined:
        edge = next(iter(joined))
        loop = []
        while edge in joined:
            loop.append(np.mean(edge, axis=0))
            edge = next((n for n in joined.pop(edge) if n in joined), edge)
        yield loop


def _sides() -> Iterator[list[tuple[int, int, int]]]:
    """The four corners of each side of the cube, going round it."""
    for axis, level in itertools.product(range(3), (0, 1)):
        side = []
        for one, other in ((0, 0), (0, 1), (1, 1), (1, 0)):
            corner = [one, other]
            corner.insert(axis, level)
            side.append(tuple(corner))
        yield side


def _pairs_on_side(side: list[tuple[int, int, int]], code: int) -> list[tuple[tuple, tuple]]:
    inside = [bool(code >> _CORNERS.index(corner) & 1) for corner in side]
    edges = [tuple(sorted((side[n], side[(n + 1) % 4]))) for n in range(4)]
    crossed = [n for n in range(4) if inside[n] != inside[(n + 1) % 4]]
    if len(crossed) == 4:
        return [(edges[n - 1], edges[n]) for n in range(4) if inside[n]]
    return [(edges[crossed[0]], edges[crossed[1]])] if crossed else []
