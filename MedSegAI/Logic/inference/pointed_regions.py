"""The regions of a model that segments what the user points at, and the labels that each point gets."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from MedSegAI.Logic.errors import RegionError
from MedSegAI.Logic.geometry import Box, Grid, Triple, swap_lps_and_ras
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.inference.under_point import FARTHEST_MM
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.localise.points import middle_of, point_grid, refuse_outside, written
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.volume import Unit, Volume

AIR_HU = -1000.0
"""What lies beyond a CT's edge, as far as a network is shown anything there."""

# Lung is at about -850 HU, with vessels everywhere; what has next to nothing above this within reach is air alone.
_AIR_BELOW_HU = -900.0
# Even the faintest nodules (ground glass) are denser: about -700 HU and more.
_LUNG_BELOW_HU = -800.0
_PERCENT_OF_NOISE = 99.9
_GOLDEN_TURN = 0.618
_MARGIN_MM = 5.0
_MARGIN_VOXELS = 2


def numbered_labels(card: ModelCard, count: int) -> LabelTable:
    """The labels of ``count`` points: those of the card once a point, called "Lung nodule 1", "Lung nodule 2", ...

    Raises:
        LabelError: for more labels than a label map holds.
    """
    return LabelTable(tuple(label for number in range(1, count + 1) for label in labels_of_point(card, number)))


def labels_of_point(card: ModelCard, number: int) -> tuple[Label, ...]:
    """The labels of the point with this number, from 1; each point has a hue of its own."""
    first = (number - 1) * len(card.labels)
    return tuple(
        replace(
            label,
            value=first + place,
            key=f"{label.key}_{number}",
            name=f"{label.name} {number}",
            colour=_turned(label.colour, (number - 1) * _GOLDEN_TURN),
        )
        for place, label in enumerate(card.labels, start=1)
    )


def pointed_regions(case: InputScans, card: ModelCard, points: Sequence[Triple]) -> tuple[LocalisedRegion, ...]:
    """One region a point, with the point in its middle; it may reach over the scan's edge.

    Args:
        case: The scans; the result will lie on the grid of ``case.on``.
        card: The card of a model that needs points.
        points: Each (R, A, S) in mm.

    Raises:
        RegionError: for no point, and for one that lies outside the scan or in nothing but air.
    """
    if not points:
        raise RegionError(
            f"'{card.title}' segments what is pointed at; it does not look for anything by itself.",
            advice="Point at the structure: click on it, or give --point R,A,S.",
        )
    regions = []
    for number, point in enumerate(points, start=1):
        refuse_outside(point, case.on.grid, name=case.on.name)
        _refuse_air(case, card, point)
        grid = point_grid(point, case.on.grid, size_mm=card.point_box_mm, spacing_mm=card.spacing_mm)
        theirs = (label.value for label in labels_of_point(card, number))
        pairs = tuple((mine.value, value) for mine, value in zip(card.labels, theirs))
        regions.append(LocalisedRegion(_name_of(card, number), grid, False, pairs))
    return tuple(regions)


def tell_of_points(
    labels: Volume,
    regions: Sequence[LocalisedRegion],
    case: InputScans,
    card: ModelCard,
    *,
    points: Sequence[Triple],
    reporter: Reporter,
) -> None:
    """Say at which points nothing was found, and which structure may be cut off; drop what is lung and nothing else.

    A network that is told where somebody pointed outlines something even where there is nothing.

    Args:
        labels: uint8 label map (k, j, i) on the grid of ``case.on``; what is dropped is set to 0.
        regions: Those of :func:`pointed_regions`.
        case: The scans.
        card: The model's card.
        points: Each (R, A, S) in mm, in the order of the regions.
        reporter: Told.

    Raises:
        RegionError: if nothing was found at any point.
    """
    missed = []
    for point, region in zip(points, regions):
        dropped = _drop_lung(labels, region, case, card)
        if not _values_found(labels, region):
            is_lung = dropped is not None
            missed.append(_only_lung(point, dropped) if is_lung else _nothing_at(point, card, labels, regions))
    if len(missed) == len(points):
        raise RegionError(" ".join(missed), advice="Point at the middle of the structure.")
    for sentence in missed:
        reporter.message(sentence)
    for region in regions:
        if any(is_cut(labels, value, region) for value in _values_found(labels, region)):
            reporter.message(
                f"{region.name.capitalize()} reaches the edge of what the network was shown, or of the scan: "
                "a part of it may be cut off."
            )


def is_cut(labels: Volume, value: int, region: LocalisedRegion) -> bool:
    """Whether a label reaches the edge of the region that it was found in, or of the scan; a part may be missing then.

    Args:
        labels: Label map (k, j, i) on the scan's grid, or on a part of it that holds what lies in the region.
        value: The label.
        region: The region.
    """
    edge = _box_of(region, labels)
    found = Box.around(labels.array[edge.slices] == value)
    if found is None:
        return False
    return any(start == 0 for start in found.start) or any(a == b for a, b in zip(found.stop, edge.shape))


def scans_near(case: InputScans, card: ModelCard, point: Triple) -> InputScans:
    """The same scans, each cut to what a network needs to see of it around a point; nothing is copied.

    Args:
        case: The scans.
        card: The card of a model that needs points.
        point: (R, A, S) in mm.

    Raises:
        RegionError: if the point lies outside the scan on whose grid the result will lie.
    """
    refuse_outside(point, case.on.grid, name=case.on.name)
    region = point_grid(point, case.on.grid, size_mm=card.point_box_mm, spacing_mm=card.spacing_mm)
    return replace(case, by_name={name: _cut(volume, region) for name, volume in case.by_name.items()})


def _cut(volume: Volume, region: Grid) -> Volume:
    margins = np.ceil(_MARGIN_MM / np.array(volume.grid.spacing_kji)) + _MARGIN_VOXELS
    places = volume.grid.kji_of(region.corners_lps())
    box = Box.covering(np.concatenate([places - margins, places + margins])).clip(volume.grid.shape)
    # A scan that has nothing there stays whole: whoever looks for it there says so.
    return volume if box.is_empty else volume.crop(box)


def _box_of(region: LocalisedRegion, labels: Volume) -> Box:
    return Box.inside(labels.grid.kji_of(region.grid.corners_lps())).clip(labels.grid.shape)


def _values_found(labels: Volume, region: LocalisedRegion) -> list[int]:
    """The label values of a region that any voxel in it has."""
    inside = labels.array[_box_of(region, labels).slices]
    return [value for _, value in region.labels if np.any(inside == value)]


def _nothing_at(point: Triple, card: ModelCard, labels: Volume, regions: Sequence[LocalisedRegion]) -> str:
    reach = FARTHEST_MM / np.array(labels.grid.spacing_kji)
    place = labels.grid.kji_of(swap_lps_and_ras(point))
    near = labels.array[Box.covering(np.array([place - reach, place + reach])).clip(labels.grid.shape).slices]
    for region in regions:
        if any(np.any(near == value) for _, value in region.labels):
            return f"What lies at {written(point)} (R, A, S) is {region.name} already."
    what = " or ".join(label.name.lower() for label in card.labels)
    return f"No {what} was found at {written(point)} (R, A, S), nor within {FARTHEST_MM:g} mm of it."


def _only_lung(point: Triple, mean: float) -> str:
    return (
        f"What was outlined at {written(point)} (R, A, S) is as light as lung (mean {mean:.0f} HU): nothing is there."
    )


def _name_of(card: ModelCard, number: int) -> str:
    if len(card.labels) == 1:
        return f"{next(iter(card.labels)).name.lower()} {number}"
    return f"what is at point {number}"


def _is_in_hu(case: InputScans, card: ModelCard) -> bool:
    """Whether the scan on whose grid the result lies is one that the card wants in HU."""
    names = {name for name, volume in case.by_name.items() if volume is case.on}
    return any(entry.name in names and entry.unit is Unit.HOUNSFIELD for entry in card.inputs)


def _drop_lung(labels: Volume, region: LocalisedRegion, case: InputScans, card: ModelCard) -> float | None:
    """Take away the labels of a region that are no denser than lung; their mean in HU, None where nothing was."""
    if not _is_in_hu(case, card):
        return None
    mean = None
    at = _box_of(region, labels).slices
    for value in _values_found(labels, region):
        mask = labels.array[at] == value
        found = float(case.on.array[at][mask].mean(dtype=np.float64))
        if found < _LUNG_BELOW_HU:
            labels.array[at][mask] = 0
            mean = found
    return mean


def _refuse_air(case: InputScans, card: ModelCard, point: Triple) -> None:
    if not _is_in_hu(case, card):
        return
    around = point_grid(point, case.on.grid, size_mm=(2 * FARTHEST_MM + 1,) * 3, spacing_mm=(1.0, 1.0, 1.0))
    values = resample(case.on, around, background=AIR_HU).array
    places = np.indices(around.shape).reshape(3, -1).T - middle_of(around)
    near = values.reshape(-1)[np.linalg.norm(places, axis=1) <= FARTHEST_MM]
    if np.percentile(near, _PERCENT_OF_NOISE) < _AIR_BELOW_HU:
        raise RegionError(
            f"There is only air within {FARTHEST_MM:g} mm of {written(point)} (R, A, S) in '{case.on.name}' "
            f"(mean {near.mean():.0f} HU): the point lies outside the body.",
            advice="Point at the structure itself.",
        )


def _turned(colour: tuple[float, float, float], turn: float) -> tuple[float, float, float]:
    hue, lightness, saturation = colorsys.rgb_to_hls(*colour)
    return tuple(round(part, 4) for part in colorsys.hls_to_rgb((hue + turn) % 1.0, lightness, saturation))
