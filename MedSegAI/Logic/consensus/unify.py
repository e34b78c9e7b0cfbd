"""From segmentations as files hold them to ratings that can be compared: one grid, one table of names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from MedSegAI.Logic.consensus.common_grid import GridChoice, common_grid
from MedSegAI.Logic.consensus.common_table import common_table, renamed
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.standardise.resample import resample_labels


def ratings_of(
    segmentations: Mapping[str, Segmentation | None] | Iterable[tuple[str, Segmentation | None]],
    *,
    grids: GridChoice | None = None,
    table: LabelTable | None = None,
) -> Ratings:
    """The segmentations of one scan as ratings.

    Args:
        segmentations: A segmentation by rater, in the order in which they are shown; None for a rater without one of
            this scan, who then has no vote anywhere.
        grids: What to do where the grids differ; None refuses.
        table: The labels wanted; None takes those of the segmentations, see ``common_table``.

    Returns:
        Ratings whose label values are those of the common table; arrays are not copied where nothing had to change.

    Raises:
        InputError: if there is no segmentation, a rater comes twice (whatever the case of the letters), or the grids
            differ and resampling was not asked for.
        LabelError: if the segmentations have different labels.
    """
    pairs = list(segmentations.items() if isinstance(segmentations, Mapping) else segmentations)
    _refuse_twice([name for name, _ in pairs])
    given = {name: one for name, one in pairs if one is not None}
    if not given:
        raise InputError("There is no segmentation to compare.", advice="Give at least one rater's segmentation.")
    labels = common_table({name: one.table for name, one in given.items()}, table)
    grid = common_grid({name: one.labels.grid for name, one in given.items()}, grids or GridChoice.must_match())
    ratings = []
    for name, one in pairs:
        if one is None:
            # Both are single numbers that only look like volumes.
            nothing = np.broadcast_to(np.uint8(0), grid.shape)
            ratings.append(Rating(name, nothing, np.broadcast_to(np.False_, grid.shape)))
            continue
        volume = one.labels if one.labels.grid.same_frame(grid) else resample_labels(one.labels, grid)
        ratings.append(Rating(name, renamed(volume.array, name, one.table, labels)))
    return Ratings(grid, labels, tuple(ratings))


def only_label(ratings: Ratings, label: str | int) -> Ratings:
    """The ratings of one label alone, everything else as background: each label map (k, j, i) holds 0 and its value.

    Raises:
        LabelError: if there is no such label.
    """
    wanted = ratings.table.find(label)
    return Ratings(
        ratings.grid,
        LabelTable((wanted,)),
        tuple(
            Rating(one.rater, (one.labels == wanted.value).astype(np.uint8) * np.uint8(wanted.value), one.looked_at)
            for one in ratings.ratings
        ),
    )


def box_of_votes(ratings: Ratings, *, margin_mm: float) -> Box:
    """The smallest box (k, j, i) around all voxels that anybody labelled, plus a margin, clipped to the grid.

    Args:
        ratings: The raters' label maps; labels where a rater did not look do not count.
        margin_mm: Margin on each side in mm, rounded up to whole voxels along each axis.

    Returns:
        The box; the whole grid where nobody labelled anything.

    Raises:
        InputError: if the margin is negative.
    """
    if not margin_mm >= 0:
        raise InputError(f"A margin of {margin_mm} mm is not possible.", advice="Choose 0 or more.")
    around = None
    for one in ratings.ratings:
        box = Box.around(one.labels if one.looked_at is None else (one.labels != 0) & one.looked_at)
        if box is not None:
            around = box if around is None else around.union(box)
    if around is None:
        return Box.whole(ratings.grid.shape)
    margins = [int(np.ceil(margin_mm / spacing - 1e-9)) for spacing in ratings.grid.spacing_kji]
    grown = Box(
        tuple(start - margin for start, margin in zip(around.start, margins)),
        tuple(stop + margin for stop, margin in zip(around.stop, margins)),
    )
    return grown.clip(ratings.grid.shape)


def cropped(ratings: Ratings, box: Box) -> Ratings:
    """The ratings inside a box (k, j, i; clipped to the grid), as views, at their place in the patient.

    Raises:
        RegionError: if the box holds no voxel of the grid.
    """
    inside = box.clip(ratings.grid.shape)
    return Ratings(
        ratings.grid.crop(inside),
        ratings.table,
        tuple(
            Rating(
                one.rater,
                one.labels[inside.slices],
                None if one.looked_at is None else one.looked_at[inside.slices],
            )
            for one in ratings.ratings
        ),
    )


def _refuse_twice(names: list[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(" ".join(name.split()).casefold(), name)
        if first is not name or names.count(name) > 1:
            same = f"'{name}'" if first == name else f"'{first}' and '{name}'"
            raise InputError(
                f"The rater {same} comes twice." if first == name else f"The raters {same} are one and the same.",
                advice="Give each rater's latest segmentation only, or the raters different names.",
            )
