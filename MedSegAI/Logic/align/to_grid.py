"""Scans on one grid, for files and programs that want them so; a run needs none of it."""

from __future__ import annotations

from dataclasses import replace

from MedSegAI.Logic.align.check import Fit, check_space
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Volume

TO_GRID_STEP = "to-grid"


def on_grid_of(scan: Volume, reference: Volume) -> Volume:
    """A scan on another's grid, linearly interpolated once; what the scan does not cover takes its smallest value.

    Args:
        scan: A scan in the reference's space (aligned and moved, where it was not taken there), LPS mm.
        reference: The scan whose grid it is brought to.

    Returns:
        float32 (k, j, i) on the reference's grid with a record of it; the scan itself where it lies there already.

    Raises:
        InputError: if nothing says that both lie in one space: then its voxels would be put anywhere in silence.
    """
    if scan.grid.same_frame(reference.grid):
        return scan
    found = check_space(scan, reference)
    if found.fit is not Fit.FIT:
        raise InputError(found.sentence, advice=found.advice)
    brought = resample(scan, reference.grid)
    spacing = " x ".join(f"{value:.3g}" for value in reference.grid.spacing)
    record = StepRecord(
        TO_GRID_STEP,
        f"'{scan.name}' was resampled to the grid of '{reference.name}' ({spacing} mm), {found.overlap:.0%} overlap.",
        {"reference": reference.name, "shape": list(reference.grid.shape), "spacing": list(reference.grid.spacing)},
        {"overlap": found.overlap},
    )
    return replace(brought, steps=(*scan.steps, record))
