"""A picture of two scans in one chess board, before and after one was aligned to the other."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.report.display_window import display_window
from MedSegAI.Logic.report.plane_drawing import (
    FAINT,
    TEXT,
    draw_directions,
    draw_ruler,
    frame_of,
    new_figure,
)
from MedSegAI.Logic.report.slice_planes import DEPTH_AXIS, PLANE_NAMES, Plane
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCHES = (10.6, 8.0)
_DPI = 110
_PIXELS = 420
_SQUARES = 8
_LETTERS = 140
_GAMMA = 0.7
_NAME = 40
REFERENCE_TINT, MOVING_TINT = np.array((0.75, 0.90, 1.0)), np.array((1.0, 0.86, 0.62))


def alignment_figure(
    reference: Volume,
    before: Volume,
    after: Volume,
    *,
    sentence: str = "",
    focus: tuple[float, float, float] | None = None,
) -> Figure:
    """Three planes of the patient as a chess board: bluish squares of the reference, yellowish ones of the other scan.

    Where the scans fit, an edge runs on from square to square.

    Args:
        reference: The scan that stayed, LPS mm.
        before: The other one as it lay.
        after: The other one where it was put; its voxels are cut where they lie, on a grid of its own.
        sentence: Written below, such as :meth:`Alignment.sentence`.
        focus: LPS mm (x, y, z) through which the planes go; None takes the middle of the reference.

    Raises:
        DependencyError: if matplotlib is missing.
    """
    figure = new_figure(_INCHES, dpi=_DPI)
    for row, (title, moving) in enumerate((("Before", before), ("After", after))):
        for column, plane in enumerate(_planes(reference, focus)):
            axes = figure.add_axes((0.012 + 0.329 * column, 0.515 - 0.43 * row, 0.318, 0.405))
            _draw_board(axes, reference, moving, plane)
            where = f"{plane.name}  {plane.place}"
            axes.set_title(f"{title}, {where}" if column == 0 else where, color=TEXT, fontsize=9, loc="left", pad=3)
    stays, moves = _short(reference.name), _short(after.name)
    figure.text(0.012, 0.985, f"{moves} on {stays}", color=TEXT, fontsize=13, va="top", weight="bold")
    sentence = sentence.replace(reference.name, stays).replace(after.name, moves)
    words = f"{sentence} Bluish squares: {stays}; yellowish squares: {moves}.".strip()
    figure.text(0.012, 0.008, "\n".join(textwrap.wrap(words, _LETTERS)), color=FAINT, fontsize=8.5, va="bottom")
    return figure


def chess_board(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Two grey pictures 0..1 (rows, columns) as one in colour (rows, columns, 3), square by square in turn."""
    rows, columns = one.shape
    squares = (np.arange(rows) * _SQUARES // rows)[:, None] + (np.arange(columns) * _SQUARES // columns)[None]
    picture = np.where((squares % 2 == 0)[..., None], one[..., None] * REFERENCE_TINT, other[..., None] * MOVING_TINT)
    return np.clip(picture, 0.0, 1.0)


def _short(name: str) -> str:
    """A name that fits beside another: its beginning and its end."""
    return name if len(name) <= _NAME else f"{name[: _NAME // 2 - 1]}...{name[-_NAME // 2 + 2 :]}"


def _planes(reference: Volume, focus: tuple[float, float, float] | None) -> list[Plane]:
    corners = reference.grid.corners_lps()
    middle = corners.mean(0)
    through = middle if focus is None else np.array(focus)
    width = float(np.ptp(corners, axis=0).max())
    planes = []
    for name in PLANE_NAMES:
        centre = middle.copy()
        centre[DEPTH_AXIS[name]] = through[DEPTH_AXIS[name]]
        planes.append(Plane(name, tuple(float(value) for value in centre), width, width / _PIXELS))
    return planes


def _draw_board(axes: Axes, reference: Volume, moving: Volume, plane: Plane) -> None:
    one, other = (_grey(volume, plane) for volume in (reference, moving))
    axes.imshow(chess_board(one, other), extent=frame_of(plane), interpolation="bilinear")
    axes.set_axis_off()
    draw_directions(axes, plane)
    draw_ruler(axes, plane)


def _grey(volume: Volume, plane: Plane) -> np.ndarray:
    window = display_window(volume)
    cut = plane.cut(volume, outside=float(np.nanmin(volume.array)))
    grey = np.clip((cut - window.low) / max(window.high - window.low, 1e-6), 0.0, 1.0)
    # Brighter than a window alone shows them: beside scalp the brain would be all but black.
    grey = grey**_GAMMA
    return 1.0 - grey if window.dark_is_high else grey
