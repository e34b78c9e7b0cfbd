"""A picture of a place of disagreement: three slices with the outline of every rater."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.agreement.places import Place
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.report.slice_figure import slice_figure
from MedSegAI.Logic.report.slice_planes import PLANE_NAMES, Plane
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATER_COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2", "#ffffff")
"""Colours of the raters in their order, told apart by colour-blind eyes (Okabe and Ito); used again after eight."""
LINE_STYLES = ("solid", "dashed", "dotted", "dashdot")
"""Of each eight raters in turn."""
_SMALLEST_MM, _PLACES_ACROSS = 40.0, 3.0
_DPI = 110


def disagreement_picture(
    ratings: Ratings, place: Place, *, scan: Volume | None = None, consensus: np.ndarray | None = None
) -> bytes:
    """Axial, coronal and sagittal slice through a place with every rater's outlines: PNG.

    Args:
        ratings: The raters' segmentations.
        place: Where the slices cross.
        scan: Shown in grey; may lie on another grid. None shows how many raters marked each voxel.
        consensus: uint8 (k, j, i) on the grid of the ratings, outlined in white and wider.

    Raises:
        InputError: if the place lies outside the scan.
        DependencyError: if matplotlib is missing.
    """
    longest = max(n * size for n, size in zip(place.box.shape, ratings.grid.spacing_kji))
    width_mm = max(_SMALLEST_MM, _PLACES_ACROSS * longest)
    backdrop = scan or _vote_shares(ratings, place, width_mm)
    if not _holds(backdrop, place):
        raise InputError(
            f"The place of disagreement lies outside '{backdrop.name}'.", advice="Choose the scan that was segmented."
        )
    width_mm = min(width_mm, 0.999 * float(np.ptp(backdrop.grid.corners_lps(), axis=0).max()))
    title = "Where the raters disagree" if scan else "Where the raters disagree (grey: share of raters who marked it)"
    figure = slice_figure(backdrop, focus=place.centre_lps, width_mm=width_mm, title=title)
    for axes, name in zip(figure.axes, PLANE_NAMES):
        plane = Plane(name, place.centre_lps, width_mm, width_mm / 400)
        if consensus is not None:
            _draw(axes, Volume(consensus, ratings.grid), plane, colour="#ffffff", width=3.2)
        for rating, (colour, style) in zip(ratings.ratings, outline_styles(ratings.raters).values()):
            seen = rating.labels if rating.looked_at is None else rating.labels * rating.looked_at
            _draw(axes, Volume(seen, ratings.grid), plane, colour=colour, style=style)
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=_DPI, facecolor=figure.get_facecolor())
    return written.getvalue()


def outline_styles(raters: tuple[str, ...]) -> Mapping[str, tuple[str, str]]:
    """Colour and line style of each rater in the picture, which are those of the report, too."""
    count = len(RATER_COLOURS)
    return {
        rater: (RATER_COLOURS[number % count], LINE_STYLES[number // count % len(LINE_STYLES)])
        for number, rater in enumerate(raters)
    }


def _vote_shares(ratings: Ratings, place: Place, width_mm: float) -> Volume:
    """The share 0..1 of raters who marked each voxel, for as far as the picture reaches."""
    reach = int(np.ceil(width_mm / min(ratings.grid.spacing)))
    box = place.box.grow(reach).clip(ratings.grid.shape)
    shares = np.mean([rating.labels[box.slices] != 0 for rating in ratings.ratings], axis=0, dtype=np.float32)
    return Volume(shares, ratings.grid.crop(box), name="votes")


def _holds(volume: Volume, place: Place) -> bool:
    index = volume.grid.kji_of(np.array(place.centre_lps))
    return bool(np.all(index >= -0.5) and np.all(index <= np.array(volume.grid.shape) - 0.5))


def _draw(axes: Axes, labels: Volume, plane: Plane, *, colour: str, style: str = "solid", width: float = 1.5) -> None:
    """Contours of every label, each as if it were alone."""
    near = plane.near(labels)
    if near is None:
        return
    half = plane.width_mm / 2
    at = np.linspace(-half, half, plane.pixels)
    for value in np.unique(near.array[near.array > 0]):
        cut = plane.cut(near.with_array((near.array == value).astype(np.float32)))
        if cut.min() < 0.5 < cut.max():
            axes.contour(at, at, cut, levels=[0.5], colors=[colour], linestyles=style, linewidths=width)
