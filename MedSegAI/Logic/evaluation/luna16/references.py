"""The reference mask of each annotated nodule: the consensus of its radiologists, or a ball in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import reduce

import numpy as np

from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.evaluation.luna16.draw_outlines import PlacedMask, centre_of, draw_reading
from MedSegAI.Logic.files.lidc_outlines import Reading
from MedSegAI.Logic.files.luna16 import Luna16Nodule
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label, LabelTable

FEWEST_READERS = 3
"""LUNA16's table holds the nodules that at least three of the four radiologists marked."""
_MOST_READERS = 4
_MARGIN_MM = 10.0
_NEAREST_MM = 3.0
_TABLE = LabelTable((Label(1, "nodule", "Nodule", (0.9, 0.3, 0.2)),))


class ReferenceKind(str, Enum):
    """What stands for the truth.

    ``staple`` and ``majority`` are consensuses of the radiologists' outlines, ``spheres`` are balls of the annotated
    diameter: a crude stand-in for those who have no outlines.
    """

    STAPLE = "staple"
    MAJORITY = "majority"
    SPHERES = "spheres"


@dataclass(frozen=True, eq=False)
class NoduleReference:
    """The reference of one nodule, and of how many radiologists (0 for a ball)."""

    nodule: Luna16Nodule
    placed: PlacedMask
    readers: int


@dataclass(frozen=True, eq=False)
class ScanReferences:
    """What a scan holds.

    Args:
        nodules: Those with a reference.
        without: Annotated nodules that fewer than three outlines belong to, or whose consensus is empty.
        marked: All that any radiologist outlined, nodules of the table or not; what is found there is no false alarm.
    """

    nodules: tuple[NoduleReference, ...]
    without: tuple[Luna16Nodule, ...]
    marked: tuple[PlacedMask, ...]


def ball_references(nodules: Sequence[Luna16Nodule], grid: Grid) -> ScanReferences:
    """A ball of the annotated diameter around each annotated centre."""
    found = [(nodule, _ball(nodule, grid)) for nodule in nodules]
    references = tuple(NoduleReference(nodule, placed, 0) for nodule, placed in found if placed is not None)
    without = tuple(nodule for nodule, placed in found if placed is None)
    return ScanReferences(references, without, tuple(reference.placed for reference in references))


def outline_references(
    nodules: Sequence[Luna16Nodule], readings: Sequence[Reading], grid: Grid, *, kind: ReferenceKind
) -> ScanReferences:
    """The consensus of the radiologists' outlines of each nodule.

    An outline belongs to the nodule whose annotated centre is nearest to its own middle, if that is no farther than the
    nodule's radius (or 3 mm, for small ones). LIDC does not say who drew what; of more than four outlines of a nodule
    the four nearest count.

    Args:
        nodules: The annotated nodules of the scan.
        readings: What the radiologists drew in it.
        grid: Its grid, LPS mm.
        kind: STAPLE or MAJORITY.

    Raises:
        InputError: if the outlines do not fit the scan.
    """
    drawn = [draw_reading(reading, grid) for reading in readings]
    members: dict[int, list[tuple[float, PlacedMask]]] = {}
    if nodules:
        centres = np.array([nodule.centre_lps for nodule in nodules])
        for reading, placed in zip(readings, drawn):
            apart = np.linalg.norm(centres - centre_of(reading, placed, grid), axis=1)
            nearest = int(apart.argmin())
            if apart[nearest] <= max(nodules[nearest].diameter_mm / 2, _NEAREST_MM):
                members.setdefault(nearest, []).append((float(apart[nearest]), placed))
    references, without = [], []
    for number, nodule in enumerate(nodules):
        nearest_first = sorted(members.get(number, ()), key=lambda member: member[0])[:_MOST_READERS]
        masks = [placed for _, placed in nearest_first]
        fused = _consensus(masks, grid, kind) if len(masks) >= FEWEST_READERS else None
        if fused is None or not fused.mask.any():
            without.append(nodule)
        else:
            references.append(NoduleReference(nodule, fused, len(masks)))
    return ScanReferences(tuple(references), tuple(without), tuple(drawn))


def _consensus(masks: Sequence[PlacedMask], grid: Grid, kind: ReferenceKind) -> PlacedMask:
    around = reduce(Box.union, (placed.box for placed in masks))
    margin = int(np.ceil(_MARGIN_MM / min(grid.spacing)))
    box = around.grow(margin).clip(grid.shape)
    ratings = tuple(
        Rating(f"reader {number}", placed.within(box).astype(np.uint8)) for number, placed in enumerate(masks, start=1)
    )
    method = Method.MAJORITY if kind is ReferenceKind.MAJORITY else Method.STAPLE
    settings = FuseSettings(margin_mm=_MARGIN_MM)
    labels = fuse(Ratings(grid.crop(box), _TABLE, ratings), method=method, settings=settings).labels
    return PlacedMask(box, labels > 0)


def _ball(nodule: Luna16Nodule, grid: Grid) -> PlacedMask | None:
    """None where the nodule lies outside the scan."""
    centre = grid.kji_of(np.array(nodule.centre_lps))
    reach = nodule.diameter_mm / 2 / np.array(grid.spacing_kji)
    box = Box.inside(np.stack([centre - reach, centre + reach])).clip(grid.shape)
    if box.is_empty:
        return None
    places = np.moveaxis(np.indices(box.shape), 0, -1) + np.array(box.start)
    apart = np.linalg.norm(grid.lps_of(places) - np.array(nodule.centre_lps), axis=-1)
    mask = apart <= nodule.diameter_mm / 2
    return PlacedMask(box, mask) if mask.any() else None
