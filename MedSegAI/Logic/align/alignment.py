"""How one scan was brought to lie on another, and how far that can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.step_record import StepRecord

ALIGN_STEP = "align"
"""Key of the record that a scan carries once it was aligned."""


class Verdict(str, Enum):
    """A plain word for an alignment; the rule is stated in ``Logic/align/judge.py``."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    """Look at the picture before trusting it."""
    FAILED = "failed"
    """Not to be used."""


@dataclass(frozen=True)
class AlignmentQuality:
    """The figures by which an alignment is judged.

    Args:
        mutual_information_before: Normalised mutual information (Studholme et al. 1999, 1 for unrelated scans, 2 for
            the same scan) as the scans lay.
        mutual_information_after: The same once aligned.
        overlap_before: Fraction 0..1 of the smaller scan's extent that lies inside the other, as they lay.
        overlap_after: The same once aligned.
        moved_mm: Mean distance by which the bright voxels of the reference that both scans cover were moved.
        spread_mm: How sure it is: the search is repeated with either half of the voxels alone, and this is the largest
            distance between where the two put one of these voxels.
        verdict: What these say together.
    """

    mutual_information_before: float
    mutual_information_after: float
    overlap_before: float
    overlap_after: float
    moved_mm: float
    spread_mm: float
    verdict: Verdict


@dataclass(frozen=True)
class Alignment:
    """A rigid alignment of one scan to another.

    Args:
        transform: From a point of the reference to the same anatomy in the moving scan, both LPS mm: the direction in
            which a scan is resampled.
        quality: How well it fits.
        moving: Name of the scan that was aligned.
        reference: Name of the scan that it was aligned to.
    """

    transform: LinearTransform
    quality: AlignmentQuality
    moving: str
    reference: str

    @property
    def moving_to_reference(self) -> LinearTransform:
        """From a point of the moving scan, LPS mm, to the reference: how the scan itself is moved (an MRML node)."""
        return self.transform.inverse

    def sentence(self) -> str:
        """The alignment for a person to read."""
        quality = self.quality
        return (
            f"'{self.moving}' was aligned to '{self.reference}' ({quality.verdict.value}): moved by "
            f"{quality.moved_mm:.1f} mm; normalised mutual information {quality.mutual_information_before:.3f} before, "
            f"{quality.mutual_information_after:.3f} after; overlap {quality.overlap_before:.0%} before, "
            f"{quality.overlap_after:.0%} after."
        )

    def record(self) -> StepRecord:
        """The record that the aligned scan carries; :meth:`of_record` reads it back."""
        figures = {name: value for name, value in asdict(self.quality).items() if name != "verdict"}
        settings = {
            "matrix": list(self.transform.matrix),
            "moving": self.moving,
            "reference": self.reference,
            "verdict": self.quality.verdict.value,
        }
        return StepRecord(ALIGN_STEP, self.sentence(), settings, figures)

    @classmethod
    def of_record(cls, record: StepRecord) -> Alignment:
        """The alignment that a scan's record describes."""
        settings = record.settings
        quality = AlignmentQuality(**record.figures, verdict=Verdict(settings["verdict"]))
        return cls(LinearTransform(tuple(settings["matrix"])), quality, settings["moving"], settings["reference"])

    def to_plain(self) -> dict[str, Any]:
        """The alignment as JSON values."""
        return self.record().to_plain()

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Alignment:
        """The alignment that :meth:`to_plain` described."""
        return cls.of_record(StepRecord.from_plain(plain))
