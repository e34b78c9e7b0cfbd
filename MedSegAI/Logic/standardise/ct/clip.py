"""Cut off a CT's values where they stop to mean anything: fill values below air, metal above bone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.ct.hounsfield import require_hounsfield
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.standardise.step_checks import require_kind, require_number_settings, require_numbers
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume


@dataclass(frozen=True)
class ClipCt(Step):
    """Clip to the range of a 12-bit CT, -1024..3071 HU, or to another one.

    Args:
        low: HU; what lies below (fill values outside of the field of view) becomes this.
        high: HU; what lies above (metal) becomes this.

    Raises:
        ValueError: if the limits are not two numbers, the lower first.
    """

    low: float = -1024.0
    high: float = 3071.0

    kind: ClassVar[str] = "ct-clip"
    title: ClassVar[str] = "Air and metal clipping"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.CT,)

    def __post_init__(self) -> None:
        require_number_settings(self)
        if not self.low < self.high:
            raise ValueError(f"the limits {self.low} and {self.high} are not in order, the lower first")

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The clipped scan, of the same dtype; can be undone only where nothing was clipped.

        Raises:
            InputError: for another kind of scan, or values that are not HU.
        """
        require_kind(volume, self)
        require_numbers(volume)
        require_hounsfield(volume)
        raise_if_cancelled(reporter)
        below = int(np.count_nonzero(volume.array < self.low))
        above = int(np.count_nonzero(volume.array > self.high))
        sentence = (
            f"Clipped to {self.low:g}..{self.high:g} HU: {below} of {volume.array.size} voxels lay below and {above} "
            "above."
        )
        figures = {"voxels_below": below, "voxels_above": above, "share_clipped": (below + above) / volume.array.size}
        record = StepRecord(self.kind, sentence, self.to_plain(), figures)
        clipped = np.clip(volume.array, *_limits(volume.array.dtype, self.low, self.high))
        done = volume.after(record, clipped, unit=Unit.HOUNSFIELD)
        return Standardised(done, None if below or above else _as_it_is)


def _limits(dtype: np.dtype, low: float, high: float) -> tuple[Any, Any]:
    """The limits in the array's own dtype, so that numpy clips without a wider copy."""
    if not np.issubdtype(dtype, np.integer):
        return dtype.type(low), dtype.type(high)
    info = np.iinfo(dtype)
    return dtype.type(np.clip(np.ceil(low), info.min, info.max)), dtype.type(
        np.clip(np.floor(high), info.min, info.max)
    )


def _as_it_is(array: np.ndarray) -> np.ndarray:
    return array
