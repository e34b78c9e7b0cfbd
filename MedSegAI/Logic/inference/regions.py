"""Which parts of a scan the network is shown: the user's region, those the localiser finds, or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from MedSegAI.Logic.errors import InputError, RegionError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.pointed_regions import numbered_labels, pointed_regions
from MedSegAI.Logic.inference.region_on_lattice import may_be_laid_on_lattice, on_lattice
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.localise.localise import localise
from MedSegAI.Logic.localise.points import box_around, refuse_outside
from MedSegAI.Logic.localise.region_of_interest import parse_region
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import Localiser, ModelCard, Side
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.resample import canonical_grid
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True)
class ChosenRegions:
    """The regions to segment, in model space, and the names of the label values they give."""

    regions: tuple[LocalisedRegion, ...]
    table: LabelTable


def choose_regions(case: InputScans, card: ModelCard, *, settings: RunSettings, reporter: Reporter) -> ChosenRegions:
    """Decide what the network looks at.

    A region that the user names, or a place pointed at, wins; a model that segments what is pointed at takes nothing
    else. Else a scan that already fits the model, or a model without localiser, is used
    whole; else the localiser finds the structure. Of several scans, "the scan" is the one on whose grid the result
    will lie, and the localiser looks at the input that the card names for it, else the first.

    Raises:
        RegionError: if the user's region or point lies outside the scan, the model takes no points or nothing else, or
            the localiser does not find the structure.
        InputError: if the scan that the localiser looks at is missing.
    """
    localiser = card.localiser
    volume = case.on
    if card.needs_point:
        return ChosenRegions(pointed_regions(case, card, settings.points), numbered_labels(card, len(settings.points)))
    needs_localiser = localiser is not None and not fits(volume.grid, localiser)
    overlap = settings.overlap_or(card.overlap)
    if settings.region is not None:
        return _in_box(settings.region, volume, card, reporter, overlap=overlap)
    if settings.points:
        texts = _boxes_around(settings, volume, card)
        boxes = [_in_box(text, volume, card, reporter, overlap=overlap) for text in texts]
        return ChosenRegions(tuple(region for found in boxes for region in found.regions), boxes[0].table)
    if not needs_localiser:
        grid = canonical_grid(volume.grid, spacing_mm=card.spacing_mm)
        return ChosenRegions((_as_it_is("whole volume", grid, card.labels),), card.labels)
    looked_at = _looked_at(case, card)
    found = localise(looked_at, localiser, spacing_mm=card.spacing_mm, reporter=reporter, along=volume.grid)
    return ChosenRegions(found, localiser.labels)


def _in_box(text: str, volume: Volume, card: ModelCard, reporter: Reporter, *, overlap: float) -> ChosenRegions:
    """A region as the user wrote it."""
    box = parse_region(text, volume.grid, reporter=reporter)
    grid = canonical_grid(volume.grid.crop(box), spacing_mm=card.spacing_mm)
    localiser = card.localiser
    if localiser is not None and len(localiser.sides) > 1 and not fits(volume.grid, localiser):
        return _by_side(volume, grid, localiser, reporter)
    region = _as_it_is("region of interest", grid, card.labels)
    if may_be_laid_on_lattice(card):
        region = replace(region, grid=on_lattice(volume.grid, box, card, overlap=overlap), within=grid)
    return ChosenRegions((region,), card.labels)


def _boxes_around(settings: RunSettings, volume: Volume, card: ModelCard) -> list[str]:
    if card.point_box_mm is None:
        raise RegionError(
            f"'{card.title}' does not segment what is pointed at.", advice="Leave the point out, or give --roi."
        )
    for point in settings.points:
        refuse_outside(point, volume.grid, name=volume.name)
    return [box_around(point, card.point_box_mm) for point in settings.points]


def _looked_at(case: InputScans, card: ModelCard) -> Volume:
    """The scan that the localiser registers to its template."""
    name = card.localiser.input or card.inputs[0].name
    volume = case.by_name.get(name)
    if volume is None:
        raise InputError(
            f"'{card.name}' finds its structure in the {name} scan, which is missing.",
            advice=f"Give the {name} scan, or choose the region yourself (--roi).",
        )
    return volume


def fits(grid: Grid, localiser: Localiser) -> bool:
    """Whether a scan is no larger than the crops the network knows, so that nothing needs to be found in it."""
    extent = (size * spacing for size, spacing in zip(grid.size, grid.spacing))
    return all(length <= limit for length, limit in zip(extent, localiser.fits_below_mm))


def _as_it_is(name: str, grid: Grid, labels: LabelTable) -> LocalisedRegion:
    return LocalisedRegion(name, grid, False, tuple((label.value, label.value) for label in labels))


def _by_side(volume: Volume, grid: Grid, localiser: Localiser, reporter: Reporter) -> ChosenRegions:
    """A region inside a whole head belongs to the side it lies on, seen from the middle of the scan.

    One that reaches well into both sides is cut between them: what lies on the left must not be called right.
    """
    middle = _centre_x_ras(volume.grid)
    reached = sorted((side for side in localiser.sides if _reaches(grid, side, middle)), key=_box_x_ras)
    if len(reached) > 1:
        names = " and ".join(side.name for side in reached)
        reporter.message(f"The region of interest reaches over the scan's middle: cut there into {names}.")
        return ChosenRegions(_cut_between(grid, reached, middle), localiser.labels)
    right_of_middle = _centre_x_ras(grid) - middle
    side = min(localiser.sides, key=lambda side: abs(_box_x_ras(side) - right_of_middle))
    reporter.message(
        f"The region of interest lies {abs(right_of_middle):.0f} mm to the patient's "
        f"{'right' if right_of_middle > 0 else 'left'} of the scan's middle: taken for the {side.name}."
    )
    return ChosenRegions((LocalisedRegion(side.name, grid, side.mirrored, side.labels),), localiser.labels)


def _reaches(grid: Grid, side: Side, middle: float) -> bool:
    """Whether the region covers at least half of the width of the side's box, along Right."""
    right = -grid.corners_lps()[:, 0] - middle
    low, high = side.box_ras_mm[:2]
    return min(high, right.max()) - max(low, right.min()) >= (high - low) / 2


def _cut_between(grid: Grid, sides: Sequence[Side], middle: float) -> tuple[LocalisedRegion, ...]:
    """One region for each of the sides, which lie in ascending order along Right, as does i in model space."""
    kji = (np.array(grid.shape) - 1) / 2
    centre = grid.lps_of(kji)
    edges = [0]
    for left, right in pairwise(sides):
        boundary = middle + (_box_x_ras(left) + _box_x_ras(right)) / 2
        edges.append(round(float(grid.kji_of(np.array([-boundary, *centre[1:]]))[2]) + 0.5))
    edges.append(grid.shape[2])
    return tuple(
        LocalisedRegion(side.name, grid.crop(Box((0, 0, start), (*grid.shape[:2], stop))), side.mirrored, side.labels)
        for side, (start, stop) in zip(sides, pairwise(edges))
    )


def _centre_x_ras(grid: Grid) -> float:
    return -float(grid.corners_lps()[:, 0].mean())


def _box_x_ras(side: Side) -> float:
    return (side.box_ras_mm[0] + side.box_ras_mm[1]) / 2
