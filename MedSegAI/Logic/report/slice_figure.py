"""A figure of three slices with outlines and heat map that needs no OpenGL and no Slicer, only matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.label_counts import label_counts
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.report.display_window import SOFT_TISSUE_HU
from MedSegAI.Logic.report.heat_colours import HEAT_LEGEND, heat_colours
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
from MedSegAI.Logic.volume import Unit, Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_NAMES = 8
_INCHES = (13.2, 5.6)
_DPI = 150
_CONVENTION = "Radiological convention: the patient's right is on the left of the picture."


def slice_figure(
    scan: Volume,
    *,
    labels: Volume | None = None,
    table: LabelTable | None = None,
    heat: Volume | None = None,
    focus: tuple[float, float, float] | None = None,
    threshold: float = 0.3,
    opacity: float = 0.5,
    width_mm: float | None = None,
    title: str = "",
) -> Figure:
    """The axial, coronal and sagittal slice through a point, drawn with matplotlib but without its global state.

    The slices lie in the patient's planes whatever way the voxels lie, and a millimetre is as long in every direction.
    Letters at the edges name the patient's directions; a ruler shows 5 cm, or 1 cm where less than 7 cm are seen.

    Args:
        scan: Shown in grey: a soft-tissue window for a CT in HU, else the middle 99% of the values shown.
        labels: uint8 label map, outlined in the labels' colours; may lie on another grid than the scan.
        table: Names and colours of the labels.
        heat: Heat map 0..1, laid over the scan where it is at least ``threshold``, with a colour bar.
        focus: LPS mm (x, y, z); None takes the hottest voxel, else the middle of the labels, else of the scan.
        threshold: Heat below which the map is transparent; 0..1.
        opacity: Of the heat map, 0..1.
        width_mm: How much of the patient is seen across a slice; None shows the whole scan.
        title: Written above the slices.

    Raises:
        DependencyError: if matplotlib is missing.
    """
    figure = new_figure(_INCHES, dpi=_DPI)
    focus = focus or focus_of(scan, labels=labels, heat=heat)
    extent = np.ptp(scan.grid.corners_lps(), axis=0).max()
    width_mm = float(min(width_mm or extent, extent))
    centre = focus if width_mm < extent else tuple(scan.grid.corners_lps().mean(0))
    panel = 0.29 * _INCHES[0] / _INCHES[1]
    for number, name in enumerate(PLANE_NAMES):
        plane = Plane(name, _through(focus, centre, name), width_mm, width_mm / 640)
        axes = figure.add_axes((0.015 + 0.305 * number, 0.155, 0.295, min(panel, 0.70)))
        _draw_scan(axes, scan, plane)
        if heat is not None:
            _draw_heat(axes, heat, plane, threshold=threshold, opacity=opacity)
        if labels is not None and table is not None:
            _draw_outlines(axes, labels, table, plane)
        draw_directions(axes, plane)
        draw_ruler(axes, plane)
    if heat is not None:
        _draw_colour_bar(figure, threshold=threshold)
    _write_around(figure, title or scan.name, heat=heat)
    if labels is not None and table is not None:
        _draw_names(figure, labels, table)
    return figure


def focus_of(scan: Volume, *, labels: Volume | None = None, heat: Volume | None = None) -> tuple[float, float, float]:
    """The point worth showing, LPS mm (x, y, z).

    The hottest voxel, else the label voxel nearest to the labels' middle, else the middle of the scan.
    """
    if heat is not None and np.nanmax(heat.array) > 0:
        index = np.array(np.unravel_index(np.nanargmax(heat.array), heat.array.shape))
        return tuple(heat.grid.lps_of(index))
    if labels is not None and labels.array.any():
        inside = np.argwhere(labels.array)
        nearest = inside[np.argmin(((inside - inside.mean(0)) ** 2).sum(1))]
        return tuple(labels.grid.lps_of(nearest))
    return tuple(scan.grid.corners_lps().mean(0))


def _through(
    focus: tuple[float, float, float], centre: tuple[float, float, float], name: str
) -> tuple[float, float, float]:
    """Centre of a slice: in depth at the focus, in the plane at ``centre``."""
    return tuple(focus[axis] if axis == DEPTH_AXIS[name] else centre[axis] for axis in range(3))


def _draw_scan(axes: Axes, scan: Volume, plane: Plane) -> None:
    darkest = float(np.nanmin(scan.array))
    cut = plane.cut(scan, outside=darkest)
    if scan.unit is Unit.HOUNSFIELD:
        low, high = SOFT_TISSUE_HU
    else:
        shown = cut[np.isfinite(cut) & (cut > darkest)]
        low, high = np.percentile(shown, [0.5, 99.5]) if shown.size else (darkest, darkest + 1.0)
        low = min(low, darkest + 0.2 * (high - darkest))
    axes.imshow(
        cut, cmap="gray", vmin=low, vmax=max(high, low + 1e-6), extent=frame_of(plane), interpolation="bilinear"
    )
    axes.set_axis_off()
    axes.set_title(f"{plane.name.capitalize()}  {plane.place}", color=TEXT, fontsize=10, loc="left", pad=5)


def _draw_heat(axes: Axes, heat: Volume, plane: Plane, *, threshold: float, opacity: float) -> None:
    cut = plane.cut(heat)
    colours = heat_colours(256)[np.clip(np.nan_to_num(cut) * 255, 0, 255).astype(np.uint8)]
    veil = np.where(cut >= max(threshold, 1e-6), opacity, 0.0)
    axes.imshow(np.dstack([colours, veil]), extent=frame_of(plane), interpolation="nearest")


def _draw_outlines(axes: Axes, labels: Volume, table: LabelTable, plane: Plane) -> None:
    near = plane.near(labels)
    if near is None:
        return
    half = (plane.width_mm - plane.pixel_mm) / 2
    at = np.linspace(-half, half, plane.pixels)
    for label in table:
        mask = plane.cut(near.with_array((near.array == label.value).astype(np.uint8)))
        if mask.max() > 0.5:
            axes.contour(at, at, mask, levels=[0.5], colors="black", linewidths=2.6, alpha=0.5)
            axes.contour(at, at, mask, levels=[0.5], colors=[label.colour], linewidths=1.5)


def _draw_colour_bar(figure: Figure, *, threshold: float) -> None:
    axes = figure.add_axes((0.937, 0.22, 0.014, 0.56))
    axes.imshow(heat_colours(256)[::-1, None, :], extent=(0, 1, 0, 1), aspect="auto")
    axes.axhspan(0, threshold, facecolor=BACKGROUND, alpha=0.82)
    axes.axhline(threshold, color=TEXT, linewidth=1)
    axes.set_xticks([])
    axes.yaxis.tick_right()
    axes.set_yticks(sorted({0.0, round(threshold, 2), 0.5, 1.0}))
    axes.tick_params(colors=TEXT, labelsize=8, length=3)
    for spine in axes.spines.values():
        spine.set_color(FAINT)
    axes.set_title("heat", color=TEXT, fontsize=9, pad=6)
    axes.text(0.5, -0.06, f"below {threshold:.2g}:\nnot shown", color=FAINT, fontsize=7, ha="center", va="top")


def _draw_names(figure: Figure, labels: Volume, table: LabelTable) -> None:
    from matplotlib.lines import Line2D

    present = label_counts(labels.array)
    found = sorted((label for label in table if present[label.value]), key=lambda label: -present[label.value])
    if not found:
        return
    shown = sorted(found[:_MOST_NAMES], key=lambda label: label.value)
    lines = [Line2D([], [], color=label.colour, linewidth=2.5) for label in shown]
    names = [f"{label.name}  {present[label.value] * labels.grid.voxel_volume_ml:.2f} mL" for label in shown]
    if len(found) > len(shown):
        lines.append(Line2D([], [], linewidth=0))
        names.append(f"and {len(found) - len(shown)} smaller ones")
    figure.legend(
        lines,
        names,
        loc="lower left",
        bbox_to_anchor=(0.01, 0.05),
        ncols=min(5, len(lines)),
        frameon=False,
        fontsize=9,
        labelcolor=TEXT,
        handlelength=1.4,
        columnspacing=1.8,
    )


def _write_around(figure: Figure, title: str, *, heat: Volume | None) -> None:
    figure.text(0.015, 0.965, title, color=TEXT, fontsize=13, va="top", weight="bold")
    footer = _CONVENTION if heat is None else f"{_CONVENTION}  Heat: {HEAT_LEGEND}."
    figure.text(0.015, 0.03, footer, color=FAINT, fontsize=8.5, va="center")
