"""What several raters said of one scan: their label maps on one grid, under one table of names."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import LabelTable


@dataclass(frozen=True, eq=False)
class Rating:
    """One rater's segmentation.

    Args:
        rater: Who made it; unique in its set.
        labels: uint8 (k, j, i) on the set's grid; 0 is background, other values are those of the set's table.
        looked_at: bool (k, j, i), True where the rater looked; None for everywhere. Elsewhere the rater has no vote,
            whatever ``labels`` says there.
    """

    rater: str
    labels: np.ndarray
    looked_at: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Ratings:
    """The segmentations of one scan by several raters.

    Args:
        grid: The grid that all of them lie on, LPS mm.
        table: The names of the label values that all of them use.
        ratings: One a rater, in the order in which they are shown.

    Raises:
        InputError: if there is none, a rater comes twice, or an array has another shape or type than it must have.
    """

    grid: Grid
    table: LabelTable
    ratings: tuple[Rating, ...]

    def __post_init__(self) -> None:
        if not self.ratings:
            raise InputError("There is no rating to compare.", advice="Give at least one rater's segmentation.")
        names = self.raters
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"The rater '{twice}' comes twice.", advice="Give each rater's latest segmentation only.")
        for rating in self.ratings:
            _refuse_misfit(rating, self.grid)

    @property
    def raters(self) -> tuple[str, ...]:
        """The raters' names."""
        return tuple(rating.rater for rating in self.ratings)


def _refuse_misfit(rating: Rating, grid: Grid) -> None:
    for what, array, kind in (("labels", rating.labels, np.uint8), ("looked_at", rating.looked_at, np.bool_)):
        if array is not None and (array.shape != grid.shape or array.dtype != kind):
            raise InputError(
                f"The {what} of '{rating.rater}' are {array.dtype} of shape {array.shape}, "
                f"not {np.dtype(kind)} of shape {grid.shape}.",
                advice="Bring all ratings to one grid first.",
            )
