"""Give an MR scan the histogram of a reference scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.mr.foreground import foreground_mask, require_foreground_kind
from MedSegAI.Logic.standardise.mr.value_map import ValueMap
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.standardise.step_checks import require_kind, require_numbers
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

_QUANTILES = 65
_END = 0.002


@dataclass(frozen=True)
class HistogramMatch(Step):
    """Map each grey value to the one that is as frequent in the reference's foreground.

    The map goes through evenly spaced quantiles of both scans, as in ITK's HistogramMatchingImageFilter, the outer ones
    at 0.2 and 99.8 per cent, and is applied to every voxel. Below them a straight line leads to the background, whose
    median becomes the reference's; above them, and where there is no background, the map goes on as a straight line.
    :meth:`to_reference` makes the step of a scan.

    Args:
        quantiles: The reference's foreground at evenly spaced ranks, rising.
        foreground: A word of ``foreground.FOREGROUNDS``, for both scans.
        reference: What the reference was called.
        background: The median of the reference's other voxels; None where it has none.

    Raises:
        ValueError: without quantiles of a reference, or for ones that fall.
    """

    quantiles: tuple[float, ...] = ()
    foreground: str = "auto"
    reference: str = ""
    background: float | None = None

    kind: ClassVar[str] = "histogram-match"
    title: ClassVar[str] = "Histogram matching to a reference"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.MR,)

    def __post_init__(self) -> None:
        require_foreground_kind(self.foreground)
        quantiles = np.asarray(self.quantiles, dtype=np.float64)
        if quantiles.size < 2:
            raise ValueError("it needs the quantiles of a reference scan")
        if not (np.all(np.isfinite(quantiles)) and np.all(np.diff(quantiles) >= 0) and quantiles[-1] > quantiles[0]):
            raise ValueError("the quantiles of the reference must rise")
        if self.background is not None and not np.isfinite(self.background):
            raise ValueError(f"the background of the reference is {self.background}, and must be a number")
        object.__setattr__(self, "quantiles", tuple(quantiles.tolist()))

    @classmethod
    def to_reference(cls, reference: Volume, *, foreground: str = "auto") -> HistogramMatch:
        """The step that brings a scan to this reference's histogram.

        Raises:
            InputError: if the reference is of another kind, is constant or has no foreground.
        """
        require_kind(reference, cls)
        require_numbers(reference)
        quantiles, background = _quantiles(reference, foreground, _QUANTILES)
        if not quantiles[-1] > quantiles[0]:
            raise InputError(f"The foreground of '{reference.name}' has one value only.", advice="Choose another scan.")
        return cls(tuple(quantiles), foreground, reference.name, background)

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The mapped scan as float32.

        Raises:
            InputError: for another kind of scan, voxels that are not numbers, or a foreground of one value.
        """
        require_kind(volume, self)
        require_numbers(volume)
        raise_if_cancelled(reporter)
        own, background = _quantiles(volume, self.foreground, len(self.quantiles))
        try:
            mapping = self._map(own, background)
        except ValueError as error:
            raise InputError(
                f"The foreground of '{volume.name}' has one value only, {own[0]:g}.",
                advice="Choose another foreground.",
            ) from error
        middle = len(own) // 2
        reference = f"'{self.reference}'" if self.reference else "a reference"
        sentence = (
            f"Matched {len(own)} quantiles of the foreground to those of {reference}: the median went from "
            f"{own[middle]:.6g} to {self.quantiles[middle]:.6g}."
        )
        figures = {"median_before": float(own[middle]), "median_after": self.quantiles[middle]}
        record = StepRecord(self.kind, sentence, self.to_plain(), figures)
        done = volume.after(record, mapping(volume.array), unit=Unit.ARBITRARY)
        return Standardised(done, mapping.inverse)

    def _map(self, own: np.ndarray, background: float | None) -> ValueMap:
        both = background is not None and self.background is not None
        if both and background < own[0] and self.background < self.quantiles[0]:
            return ValueMap.through(np.array([background, *own]), np.array([self.background, *self.quantiles]))
        return ValueMap.through(own, np.asarray(self.quantiles))


def _quantiles(volume: Volume, foreground: str, count: int) -> tuple[np.ndarray, float | None]:
    """The foreground's quantiles, float64, and the median of all other voxels where there are any."""
    mask = foreground_mask(volume.array, foreground, name=volume.name)
    ranks = np.linspace(_END, 1 - _END, count)
    quantiles = np.quantile(volume.array[mask], ranks).astype(np.float64)
    np.logical_not(mask, out=mask)
    return quantiles, float(np.median(volume.array[mask])) if mask.any() else None
