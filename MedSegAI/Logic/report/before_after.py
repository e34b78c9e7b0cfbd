"""A picture of what steps of preparation made of a scan: planes and histograms before and after, and what was done."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.report.display_window import DisplayWindow, display_window
from MedSegAI.Logic.report.plane_drawing import (
    BACKGROUND,
    FAINT,
    TEXT,
    draw_directions,
    draw_ruler,
    frame_of,
    new_figure,
)
from MedSegAI.Logic.report.slice_planes import DEPTH_AXIS, PLANE_NAMES, Plane
from MedSegAI.Logic.standardise.sampled_voxels import sampled
from MedSegAI.Logic.standardise.step import Standardised
from MedSegAI.Logic.volume import Unit, Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH_INCHES, _ROW_INCHES, _HEAD_INCHES = 13.2, 3.1, 0.4
_LINE_INCHES, _LETTERS = 0.19, 175
_DPI = 110
_PIXELS = 340
_MOST_BINS = 100
_BEFORE, _AFTER = "#9aa4ad", "#4aa8ff"


@dataclass(frozen=True)
class _Row:
    """One scan to draw: before, after, or what a step found beside."""

    title: str
    scan: Volume
    window: DisplayWindow
    colours: str = ""


def before_after_figure(
    before: Volume,
    done: Standardised,
    *,
    title: str = "",
    focus: tuple[float, float, float] | None = None,
    window: DisplayWindow | None = None,
) -> Figure:
    """The scan before and after, row by row: three planes and the histogram; then what the steps found beside it.

    Planes in which the scan is only a few voxels long are left out. Before and after share a window where they have
    the same known unit, and SUV that of the activity it was made of; else each has its own. Histograms count all
    voxels, on a logarithmic scale; dotted lines are the ends of the window.

    Args:
        before: The scan as it came, with the records that it came with.
        done: What the steps made of it.
        title: Written on top; empty takes the scan's name and the steps.
        focus: LPS mm (x, y, z) through which the planes go; None takes the middle of the scan.
        window: Shown values, for before and after; None chooses by unit.

    Raises:
        DependencyError: if matplotlib is missing.
    """
    rows = _rows(before, done, window)
    records = done.volume.steps[len(before.steps) :]
    text = [line for record in records for line in textwrap.wrap(f"{record.step}: {record.sentence}", _LETTERS)]
    foot = _LINE_INCHES * (len(text) + 1) + 0.2
    height = _HEAD_INCHES + _ROW_INCHES * len(rows) + foot
    figure = new_figure((_WIDTH_INCHES, height), dpi=_DPI)
    planes = _planes(before, focus)
    for number, row in enumerate(rows):
        bottom = (foot + _ROW_INCHES * (len(rows) - 1 - number)) / height
        _draw_row(figure, row, planes, rows, bottom=bottom, height=(_ROW_INCHES - 0.25) / height)
    steps = ", ".join(record.step for record in records)
    heading = title or f"{before.name}: {steps}"
    figure.text(0.015, 1 - 0.16 / height, heading, color=TEXT, fontsize=13, va="top", weight="bold")
    for line, words in enumerate((*text, "The patient's right is on the left of the picture.")):
        colour = TEXT if line < len(text) else FAINT
        y = (foot - 0.12 - _LINE_INCHES * line) / height
        figure.text(0.015, y, words, color=colour, fontsize=9, va="top")
    return figure


def _rows(before: Volume, done: Standardised, window: DisplayWindow | None) -> tuple[_Row, ...]:
    after = done.volume
    first = window or _window_before(before, after)
    alike = window is not None or (before.unit is after.unit and before.unit is not Unit.ARBITRARY)
    rows = [_Row("Before", before, first), _Row("After", after, first if alike else display_window(after))]
    for name, extra in done.extras.items():
        low, high = (float(value) for value in np.percentile(sampled(extra.array), (1, 99)))
        shown = DisplayWindow(low, high if high > low else low + 1.0)
        rows.append(_Row(name.replace("_", " ").capitalize(), extra, shown, colours="viridis"))
    return tuple(rows)


def _window_before(before: Volume, after: Volume) -> DisplayWindow:
    """Its own; for a PET scan that became SUV the values that the window of SUV came from."""
    own, wanted = display_window(before), display_window(after)
    hottest = float(after.array.max())
    if not (own.dark_is_high and wanted.dark_is_high) or before.unit is after.unit or hottest <= 0:
        return own
    return DisplayWindow(0.0, wanted.high * float(before.array.max()) / hottest, dark_is_high=True)


def _planes(scan: Volume, focus: tuple[float, float, float] | None) -> tuple[Plane, ...]:
    """The patient's planes through the focus in which the scan is more than a line."""
    corners = scan.grid.corners_lps()
    middle = corners.mean(0)
    focus = tuple(middle) if focus is None else focus
    extents = np.ptp(corners, axis=0)
    thick = extents > 4 * max(scan.grid.spacing)
    planes = []
    for name in PLANE_NAMES:
        depth = DEPTH_AXIS[name]
        across = [axis for axis in range(3) if axis != depth]
        if all(thick[axis] for axis in across) or not thick[depth]:
            width = float(extents[across].max())
            centre = tuple(float(focus[axis] if axis == depth else middle[axis]) for axis in range(3))
            planes.append(Plane(name, centre, width, width / _PIXELS))
    return tuple(planes)


def _draw_row(
    figure: Figure, row: _Row, planes: tuple[Plane, ...], rows: tuple[_Row, ...], *, bottom: float, height: float
) -> None:
    side = (_ROW_INCHES - 0.25) / _WIDTH_INCHES
    for number, plane in enumerate(planes):
        axes = figure.add_axes((0.015 + (side + 0.008) * number, bottom, side, height))
        _draw_plane(axes, row, plane)
        where = f"{plane.name}  {plane.place}"
        axes.set_title(f"{row.title}, {where}" if number == 0 else where, color=TEXT, fontsize=9, loc="left", pad=3)
    left = 0.015 + (side + 0.008) * len(planes) + 0.045
    axes = figure.add_axes((left, bottom + 0.13 * height, 0.985 - left, 0.83 * height))
    _draw_histogram(axes, row, rows)


def _draw_plane(axes: Axes, row: _Row, plane: Plane) -> None:
    window = row.window
    darkest = float(np.nanmin(row.scan.array))
    colours = row.colours or ("gray_r" if window.dark_is_high else "gray")
    # Colours have no dark end that could stand for the outside.
    cut = plane.cut(row.scan, outside=np.nan if row.colours else darkest)
    axes.imshow(cut, cmap=colours, vmin=window.low, vmax=window.high, extent=frame_of(plane), interpolation="bilinear")
    axes.set_axis_off()
    draw_directions(axes, plane)
    draw_ruler(axes, plane)


def _draw_histogram(axes: Axes, row: _Row, rows: tuple[_Row, ...]) -> None:
    axes.set_facecolor(BACKGROUND)
    pair = rows[:2]
    alike = pair if row in pair and pair[0].window == pair[1].window else (row,)
    bins = _bins(alike, rows[0].scan)
    if len(alike) > 1 and row is rows[1]:
        _draw_counts(axes, rows[0].scan, bins, colour=_BEFORE, filled=False)
    _draw_counts(axes, row.scan, bins, colour=_BEFORE if row is rows[0] else _AFTER, filled=True)
    for end in (row.window.low, row.window.high):
        if bins[0] <= end <= bins[-1]:
            axes.axvline(end, color=TEXT, linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set_xlim(bins[0], bins[-1])
    unit = "" if row.scan.unit is Unit.ARBITRARY else f" ({row.scan.unit.value})"
    axes.set_title(f"{row.title}: voxels by value{unit}", color=TEXT, fontsize=9, loc="left", pad=3)
    axes.tick_params(colors=FAINT, labelsize=8, length=3, which="both")
    for spine in axes.spines.values():
        spine.set_color(FAINT)


def _bins(rows: tuple[_Row, ...], before: Volume) -> np.ndarray:
    """Edges over the values of the rows' scans; whole numbers fall into bins of equally many, so that no gaps show."""
    ends = np.concatenate([np.percentile(sampled(row.scan.array), (0.02, 99.98)) for row in rows])
    low, high = float(ends.min()), float(ends.max())
    if before.array.dtype.kind not in "iu":
        return np.linspace(low, high if high > low else low + 1.0, _MOST_BINS + 1)
    if rows[0].scan is before:
        step = max(1.0, np.ceil((high - low) / _MOST_BINS))
        return np.arange(np.floor(low) - 0.5, high + step, step)
    count = len(_bins((_Row("", before, rows[0].window),), before))
    return np.linspace(low, high if high > low else low + 1.0, count)


def _draw_counts(axes: Axes, scan: Volume, bins: np.ndarray, *, colour: str, filled: bool) -> None:
    counts, _ = np.histogram(scan.array, bins)
    axes.stairs(np.maximum(counts, 0.5), bins, color=colour, fill=filled, baseline=0.5, linewidth=1.2)
