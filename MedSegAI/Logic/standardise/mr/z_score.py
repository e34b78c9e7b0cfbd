"""Centre an MR scan on its typical tissue and scale it by its spread, unmoved by a few very bright voxels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.mr.foreground import foreground_mask, require_foreground_kind
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.standardise.step_checks import require_kind, require_number_settings, require_numbers
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

MEASURES = ("median", "trimmed")
_MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True)
class RobustZScore(Step):
    """(value - centre) / spread, both measured in the foreground.

    Args:
        measure: "median": median, and median absolute deviation times 1.4826, which is the standard deviation where the
            values are normally distributed (Rousseeuw and Croux, J Am Stat Assoc 88:1273, 1993). "trimmed": mean and
            standard deviation without the lowest and highest ``trim`` per cent.
        trim: Per cent left out at either end; used by "trimmed".
        foreground: A word of ``foreground.FOREGROUNDS``.

    Raises:
        ValueError: for a word that does not exist, or a trim outside of 0..49.
    """

    measure: str = "median"
    trim: float = 5.0
    foreground: str = "auto"

    kind: ClassVar[str] = "z-score"
    title: ClassVar[str] = "Robust z-score"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.MR,)

    def __post_init__(self) -> None:
        require_number_settings(self)
        require_foreground_kind(self.foreground)
        if self.measure not in MEASURES:
            raise ValueError(f"'measure' is '{self.measure}', and must be one of {', '.join(MEASURES)}")
        if not 0 <= self.trim < 50:
            raise ValueError(f"'trim' is {self.trim}, and must be from 0 to below 50 per cent")

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The scaled scan as float32.

        Raises:
            InputError: for another kind of scan, voxels that are not numbers, or a foreground without spread.
        """
        require_kind(volume, self)
        require_numbers(volume)
        raise_if_cancelled(reporter)
        values = volume.array[foreground_mask(volume.array, self.foreground, name=volume.name)]
        centre, spread = self._centre_and_spread(values)
        if not spread > 1e-6 * max(abs(centre), 1e-30):
            raise InputError(
                f"The foreground of '{volume.name}' has no spread: most of it has one value, {centre:g}.",
                advice="Choose another foreground or another measure.",
            )
        sentence = f"Subtracted {centre:.6g} and divided by {spread:.6g} ({self.measure} of {values.size} voxels)."
        figures = {"centre": centre, "spread": spread, "foreground_voxels": float(values.size)}
        record = StepRecord(self.kind, sentence, self.to_plain(), figures)
        scaled = np.subtract(volume.array, np.float32(centre), dtype=np.float32)
        scaled *= np.float32(1 / spread)

        def undo(array: np.ndarray) -> np.ndarray:
            back = np.multiply(array, np.float32(spread), dtype=np.float32)
            back += np.float32(centre)
            return back

        return Standardised(volume.after(record, scaled, unit=Unit.ARBITRARY), undo)

    def _centre_and_spread(self, values: np.ndarray) -> tuple[float, float]:
        if self.measure == "median":
            centre = float(np.median(values))
            away = np.abs(values.astype(np.float32) - np.float32(centre))
            return centre, _MAD_TO_DEVIATION * float(np.median(away))
        low, high = np.percentile(values, (self.trim, 100 - self.trim))
        kept = values[(values >= low) & (values <= high)]
        return float(kept.mean(dtype=np.float64)), float(kept.std(dtype=np.float64))
