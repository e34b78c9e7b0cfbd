"""What is written down of a scan that was brought to another grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.step_record import StepRecord

if TYPE_CHECKING:
    from MedSegAI.Logic.standardise.register import LinearTransform

RESAMPLE = "resample"
_WAYS = {
    Interpolation.LINEAR: "linear interpolation",
    Interpolation.BSPLINE: "cubic B-splines",
    Interpolation.NEAREST: "the nearest voxel",
}


def resample_record(
    before: Grid, after: Grid, *, interpolation: Interpolation, transform: LinearTransform | None = None
) -> StepRecord:
    """The record of a resampling: both grids in words, and the new one in full, to do it again."""
    moved = " through a transform" if transform is not None else ""
    sentence = f"Resampled from {grid_words(before)} to {grid_words(after)} by {_WAYS[interpolation]}{moved}."
    settings = {
        "interpolation": interpolation.value,
        "shape": list(after.shape),
        "spacing_mm": list(after.spacing),
        "origin_lps_mm": list(after.origin),
        "direction": list(after.direction),
    }
    if transform is not None:
        settings["transform"] = [float(value) for value in transform.matrix]
    return StepRecord(RESAMPLE, sentence, settings)


def grid_words(grid: Grid) -> str:
    """A grid as a person says it: voxels and spacing along i, j and k."""
    spacing = " x ".join(f"{value:.4g}" for value in grid.spacing)
    return f"{' x '.join(map(str, grid.size))} voxels of {spacing} mm"
