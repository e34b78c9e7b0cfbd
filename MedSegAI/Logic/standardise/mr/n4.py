"""Take the slow brightness changes of the receive coil out of an MR scan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.mr.n4_field import N4Field, chosen_shrink, estimate_field, fixed_shrink, is_finite_field
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.standardise.step_checks import require_kind, require_number_settings, require_numbers
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

MASKS = ("otsu", "positive")
LOG_FIELD = "log_bias_field"


@dataclass(frozen=True)
class N4(Step):
    """N4 bias field correction (Tustison et al., IEEE Trans Med Imaging 29:1310, 2010), by SimpleITK.

    The field is estimated on some of the voxels, evaluated at all of them, and the scan divided by it. Multiplying
    by it again undoes the step exactly but for rounding. The logarithm of the field is in ``extras["log_bias_field"]``.
    ITK adds up in the order in which its threads finish, so that two runs differ in the fifth digit or so.

    Args:
        shrink: One voxel in how many along each axis is looked at; 0 chooses from size and spacing.
        levels: Levels of the field's B-spline mesh, 1 to 6.
        iterations: Most iterations of each level.
        convergence: A level ends when the field changes by less than this.
        mask: Where the field is estimated: "otsu" (above Otsu's threshold) or "positive" (above 0).

    Raises:
        ValueError: for a setting outside of its range.
    """

    shrink: int = 0
    levels: int = 4
    iterations: int = 50
    convergence: float = 0.001
    mask: str = "otsu"

    kind: ClassVar[str] = "n4"
    title: ClassVar[str] = "Bias field correction (N4)"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.MR,)

    def __post_init__(self) -> None:
        require_number_settings(self)
        for name, least, most in (("shrink", 0, 32), ("levels", 1, 6), ("iterations", 1, 1000)):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"'{name}' is {value}, and must be from {least} to {most}")
        if not 0 < self.convergence < 1:
            raise ValueError(f"'convergence' is {self.convergence}, and must lie between 0 and 1")
        if self.mask not in MASKS:
            raise ValueError(f"'mask' is '{self.mask}', and must be one of {', '.join(MASKS)}")

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The scan divided by its bias field, as float32.

        Raises:
            InputError: for another kind of scan, voxels that are not numbers, or where N4 fails.
            Cancelled: if the reporter asked to stop; asked at every iteration.
        """
        require_kind(volume, self)
        require_numbers(volume)
        found = self._estimated(volume, reporter)
        if not is_finite_field(found.log_field):
            raise InputError(f"N4 found no usable field for '{volume.name}'.", advice="Choose another mask.")
        corrected = _divided(volume.array, found.log_field)
        figures = {
            "field_least": float(np.exp(found.log_field.min())),
            "field_greatest": float(np.exp(found.log_field.max())),
            "iterations": float(found.iterations),
            "mask_share": found.mask_share,
        }
        by = " x ".join(str(factor) for factor in found.shrink)
        seen = f"from one voxel in {by}" if max(found.shrink) > 1 else "from every voxel"
        sentence = (
            f"Divided by a bias field of {figures['field_least']:.2f} to {figures['field_greatest']:.2f}, estimated "
            f"{seen} in {found.iterations} iterations."
        )
        record = StepRecord(self.kind, sentence, self.to_plain(), figures)
        field = replace(volume, array=found.log_field, unit=Unit.ARBITRARY, name=f"{volume.name} log bias field")
        done = volume.after(record, corrected, unit=Unit.ARBITRARY)
        return Standardised(done, lambda array: _multiplied(array, found.log_field), {LOG_FIELD: field})

    def _estimated(self, volume: Volume, reporter: Reporter) -> N4Field:
        grid = volume.grid
        shrink = fixed_shrink(grid.shape, self.shrink) if self.shrink else chosen_shrink(grid.shape, grid.spacing)
        return estimate_field(
            volume,
            shrink,
            levels=self.levels,
            iterations=self.iterations,
            convergence=self.convergence,
            mask=self.mask,
            reporter=reporter,
        )


def _divided(array: np.ndarray, log_field: np.ndarray) -> np.ndarray:
    """One plane at a time, so that the field's exponential is never there as a whole."""
    result = np.empty(array.shape, np.float32)
    for k, plane in enumerate(array):
        np.divide(plane, np.exp(log_field[k]), out=result[k], casting="same_kind")
    return result


def _multiplied(array: np.ndarray, log_field: np.ndarray) -> np.ndarray:
    result = np.empty(array.shape, np.float32)
    for k, plane in enumerate(array):
        np.multiply(plane, np.exp(log_field[k]), out=result[k], casting="same_kind")
    return result
