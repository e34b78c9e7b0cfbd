"""What every picture of the patient's planes has: letters of directions, a ruler, a dark ground, and a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.report.slice_planes import Plane

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BACKGROUND, TEXT, FAINT = "#111418", "#f2f2f2", "#9aa4ad"
_LONG_RULER_MM, _SHORT_RULER_MM = 50.0, 10.0


def frame_of(plane: Plane) -> tuple[float, float, float, float]:
    """The plane's left, right, bottom and top edge in mm from its centre, as matplotlib's ``extent`` wants them."""
    half = plane.width_mm / 2
    return -half, half, half, -half


def new_figure(inches: tuple[float, float], *, dpi: int) -> Figure:
    """An empty dark figure of this width and height and this many dots to the inch, without matplotlib's global state.

    Raises:
        DependencyError: if matplotlib is missing.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("Figures need matplotlib.", advice="Install it: pip install matplotlib.") from error
    figure = Figure(figsize=inches, dpi=dpi, facecolor=BACKGROUND)
    FigureCanvasAgg(figure)
    return figure


def write_figure(path: str | os.PathLike[str], figure: Figure) -> Path:
    """Write a figure of :func:`new_figure` as a PNG.

    Raises:
        StorageError: if the file cannot be written.
    """
    with write_beside(path) as temporary:
        figure.savefig(temporary, format="png", facecolor=BACKGROUND)
    return Path(path)


def draw_directions(axes: Axes, plane: Plane) -> None:
    """Letters of the patient's directions at the four edges."""
    left, right, top, bottom = plane.edges
    places = ((0.02, 0.5, left), (0.98, 0.5, right), (0.5, 0.965, top), (0.5, 0.035, bottom))
    for x, y, letter in places:
        _write(axes, x, y, letter, size=11)


def draw_ruler(axes: Axes, plane: Plane) -> None:
    """A ruler of 5 cm at the lower right, or of 1 cm where less than 7 cm are seen."""
    length = _LONG_RULER_MM if plane.width_mm > 1.4 * _LONG_RULER_MM else _SHORT_RULER_MM
    half = plane.width_mm / 2
    right = bottom = half * 0.93
    tick = plane.width_mm * 0.012
    lines = [([right - length, right], [bottom, bottom])]
    for position in np.linspace(0.0, length, 6):
        height = tick * (2 if position in (0.0, length) else 1)
        lines.append(([right - position] * 2, [bottom, bottom - height]))
    for width, colour in ((2.6, "black"), (1.1, TEXT)):
        for xs, ys in lines:
            axes.plot(xs, ys, color=colour, linewidth=width)
    x = 0.5 + (right - length / 2) / plane.width_mm
    _write(axes, x, 0.5 - bottom / plane.width_mm + 0.042, f"{length / 10:.0f} cm", size=8)


def _write(axes: Axes, x: float, y: float, text: str, *, size: float) -> None:
    from matplotlib.patheffects import withStroke

    across = "left" if x < 0.1 else "right" if x > 0.9 else "center"
    axes.text(
        x,
        y,
        text,
        transform=axes.transAxes,
        color=TEXT,
        fontsize=size,
        ha=across,
        va="center",
        path_effects=[withStroke(linewidth=2, foreground="black")],
    )
