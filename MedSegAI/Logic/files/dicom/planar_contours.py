"""Outlines of a label in the planes of a scan, as radiotherapy structure sets hold them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.geometry import Grid

_LEAST_POINTS = 3


def planar_contours(mask: np.ndarray, grid: Grid) -> list[tuple[int, np.ndarray]]:
    """Closed outlines of a mask, plane by plane.

    They run half-way between the voxels inside and outside, so that a voxel belongs to the mask where its centre lies
    within an odd number of outlines. A hole is joined to the outline around it by a cut of no width that is walked
    there and back (the keyhole of DICOM PS3.3 C.8.8.6.3). Points that lie straight between their neighbours are left
    out.

    Args:
        mask: bool (k, j, i).
        grid: Where its voxels lie.

    Returns:
        Pairs of a plane k and points (n, 3) in LPS mm; the last point is not the first again.

    Raises:
        DependencyError: if the package contourpy is missing.
    """
    contourpy = _contourpy()
    found = []
    for k in np.flatnonzero(mask.any(axis=(1, 2))):
        padded = np.pad(mask[k], 1).astype(np.float64)
        generator = contourpy.contour_generator(z=padded, fill_type=contourpy.FillType.OuterOffset)
        for points, offsets in zip(*generator.filled(0.5, np.inf)):
            loops = [points[a : b - 1] for a, b in itertools.pairwise(offsets)]
            ij = _with_keyholes([loop for loop in map(_without_straight_points, loops) if len(loop) >= _LEAST_POINTS])
            kji = np.column_stack([np.full(len(ij), k), ij[:, 1] - 1, ij[:, 0] - 1])
            found.append((int(k), grid.lps_of(kji)))
    return found


def _contourpy() -> Any:
    try:
        import contourpy
    except ImportError as error:
        raise DependencyError(
            "Writing contours needs the package contourpy.",
            advice="Install it: pip install contourpy; or leave out the contours.",
        ) from error
    return contourpy


def _without_straight_points(loop: np.ndarray) -> np.ndarray:
    """A closed loop (n, 2) without the points whose two edges run in one direction."""
    before, after = loop - np.roll(loop, 1, axis=0), np.roll(loop, -1, axis=0) - loop
    turns = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    return loop[np.abs(turns) > 1e-9]


def _with_keyholes(loops: list[np.ndarray]) -> np.ndarray:
    """The first loop (n, 2) with the others, its holes, cut into it."""
    outline, holes = loops[0], loops[1:]
    # The hole with the nearest corner comes first, so that a cut may lead through a hole that is part of it already.
    for hole in sorted(holes, key=lambda hole: _nearest(outline, hole)[2]):
        here, there, _ = _nearest(outline, hole)
        walked = np.concatenate([hole[there:], hole[: there + 1]])
        outline = np.concatenate([outline[: here + 1], walked, outline[here:]])
    return outline


def _nearest(outline: np.ndarray, hole: np.ndarray) -> tuple[int, int, float]:
    """Indices of the closest corners of two loops (n, 2), and their distance squared."""
    distances = ((outline[:, None, :] - hole[None, :, :]) ** 2).sum(axis=2)
    here, there = np.unravel_index(int(np.argmin(distances)), distances.shape)
    return int(here), int(there), float(distances[here, there])
