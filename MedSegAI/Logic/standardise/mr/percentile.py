"""Map two percentiles of a scan to 0 and 1."""

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


@dataclass(frozen=True)
class PercentileRange(Step):
    """(value - low percentile) / (high percentile - low percentile), percentiles as numpy's "linear" has them.

    Args:
        low: Percentile that becomes 0.
        high: Percentile that becomes 1.
        clip: Whether what lies beyond becomes 0 or 1; it cannot be undone then.
        foreground: A word of ``foreground.FOREGROUNDS``: which voxels the percentiles are taken of.

    Raises:
        ValueError: if the percentiles are not two numbers from 0 to 100, the lower first, or the word does not exist.
    """

    low: float = 0.5
    high: float = 99.5
    clip: bool = False
    foreground: str = "all"

    kind: ClassVar[str] = "percentile"
    title: ClassVar[str] = "Percentiles to 0..1"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.MR,)

    def __post_init__(self) -> None:
        require_number_settings(self)
        require_foreground_kind(self.foreground)
        if not 0 <= self.low < self.high <= 100:
            raise ValueError(f"the percentiles {self.low} and {self.high} are not two from 0 to 100, the lower first")
        if not isinstance(self.clip, bool):
            raise ValueError(f"'clip' is {self.clip!r}, and must be True or False")

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The mapped scan as float32; can be undone where nothing was clipped.

        Raises:
            InputError: for another kind of scan, voxels that are not numbers, or percentiles that are the same value.
        """
        require_kind(volume, self)
        require_numbers(volume)
        raise_if_cancelled(reporter)
        array = volume.array
        seen = array if self.foreground == "all" else array[foreground_mask(array, self.foreground, name=volume.name)]
        low, high = (float(value) for value in np.percentile(seen, (self.low, self.high)))
        if not high > low:
            raise InputError(
                f"Percentiles {self.low:g} and {self.high:g} of '{volume.name}' are the same value, {low:g}.",
                advice="Choose percentiles further apart, or another foreground.",
            )
        mapped = np.subtract(array, np.float32(low), dtype=np.float32)
        mapped *= np.float32(1 / (high - low))
        clipped = self.clip and (mapped.min() < 0 or mapped.max() > 1)
        if clipped:
            np.clip(mapped, 0, 1, out=mapped)
        sentence = f"Percentiles {self.low:g} ({low:.6g}) and {self.high:g} ({high:.6g}) became 0 and 1"
        sentence += ", and what lay beyond was cut off." if clipped else "."
        record = StepRecord(self.kind, sentence, self.to_plain(), {"low_value": low, "high_value": high})

        def undo(array: np.ndarray) -> np.ndarray:
            back = np.multiply(array, np.float32(high - low), dtype=np.float32)
            back += np.float32(low)
            return back

        return Standardised(volume.after(record, mapped, unit=Unit.ARBITRARY), None if clipped else undo)
