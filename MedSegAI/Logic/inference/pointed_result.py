"""Results at one point after the other, joined to one segmentation: numbers, records, and what is there already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from MedSegAI.Logic.geometry import Grid, Triple
from MedSegAI.Logic.inference.pointed_regions import labels_of_point, scans_near
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume

_SAME_STRUCTURE_DICE = 0.5


def numbered(result: SegmentationResult, card: ModelCard, *, number: int) -> SegmentationResult:
    """The result of one point as that of the point with this number: other label values, keys, names and colours."""
    theirs = labels_of_point(card, number)
    own = labels_of_point(card, 1)
    values = np.zeros(256, dtype=np.uint8)
    keys = {}
    for mine, new in zip(own, theirs):
        values[mine.value] = new.value
        keys[mine.key] = new.key
    (region,) = result.provenance.regions
    name = region.name.removesuffix("1") + str(number)
    pairs = tuple((inside, int(values[outside])) for inside, outside in region.labels)
    sure = result.label_confidence
    return replace(
        result,
        labels=result.labels.with_array(values[result.labels.array]),
        table=LabelTable(theirs),
        provenance=replace(result.provenance, regions=(replace(region, name=name, labels=pairs),)),
        label_confidence=None if sure is None else {keys[key]: value for key, value in sure.items()},
    )


def joined_record(before: Provenance | None, added: Provenance, *, grid: Grid) -> Provenance:
    """The record of a segmentation after the result of one more point came in.

    Args:
        before: What it said until then; None for the first point.
        added: The record of the point's run, which may have seen a part of the scan only.
        grid: The grid of the whole scan.
    """
    earlier = () if before is None else before.regions
    points = [] if before is None else points_of(before)
    settings = {**added.settings, "points": [*points, *points_of(added)]}
    return replace(added, regions=(*earlier, *added.regions), settings=settings, grid_shape=grid.shape)


def without_points(record: Provenance, values: Sequence[int]) -> Provenance:
    """The record without the regions, and their points, that gave these label values."""
    kept = [
        (region, point)
        for region, point in zip(record.regions, points_of(record))
        if not any(value in values for _, value in region.labels)
    ]
    settings = {**record.settings, "points": [point for _, point in kept]}
    return replace(record, regions=tuple(region for region, _ in kept), settings=settings)


def points_of(record: Provenance) -> list[list[float]]:
    """The points (R, A, S) mm that a run was given, one for each of its regions; none where it was given none."""
    return list(record.settings.get("points") or ())


def point_of(record: Provenance, value: int) -> Triple | None:
    """The point that a label value came from; None where there is none."""
    for region, point in zip(record.regions, points_of(record)):
        if any(value == outside for _, outside in region.labels):
            return tuple(point)
    return None


def seen_around(
    case: InputScans, card: ModelCard, record: Provenance | None, value: int
) -> tuple[InputScans, Provenance | None]:
    """The scans cut to what the network saw around the point that a label came from, and the record as of a run there.

    Both as they are where the label came from no point.
    """
    point = None if record is None or not card.needs_point else point_of(record, value)
    if point is None:
        return case, record
    near = scans_near(case, card, point)
    return near, replace(record, grid_shape=near.on.grid.shape)


def next_number(record: Provenance | None, card: ModelCard) -> int:
    """The number of the next point; one whose result was removed is not given again while a later one is there."""
    values = [0] if record is None else [value for region in record.regions for _, value in region.labels] or [0]
    return -(-max(values) // len(card.labels)) + 1


def already_there(found: Volume, known: Volume) -> int | None:
    """The label of ``known`` that is the structure in ``found``, both (k, j, i) on one grid; None where it is new.

    It is the same structure where the two agree with a Dice of more than a half.
    """
    mask = found.array > 0
    size = int(np.count_nonzero(mask))
    for value in np.unique(known.array[mask]):
        if value == 0:
            continue
        theirs = known.array == value
        if 2 * np.count_nonzero(theirs & mask) > _SAME_STRUCTURE_DICE * (size + np.count_nonzero(theirs)):
            return int(value)
    return None


def giving_way(result: SegmentationResult, known: Volume) -> SegmentationResult:
    """The result without the voxels that belong to another structure already, on the same grid."""
    return replace(result, labels=result.labels.with_array(np.where(known.array > 0, 0, result.labels.array)))
