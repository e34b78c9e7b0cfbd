"""What a compliance check says: findings in plain words, by series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

from MedSegAI.Logic.geometry import Shape, Triple


class Weight(str, Enum):
    """How serious a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Args:
        rule: Key of the rule, such as "hounsfield"; "dciodvfy" for what the standard's validator said.
        title: What it is, in a few words.
        meaning: What it means, in sentences.
        advice: What to do about it, in sentences.
        weight: How serious it is.
        hinders: Whether a segmentation cannot be made, or must not be trusted, because of it.
        count: Of how many of the files that were looked at it holds.
        examples: Names of a few of them.
        said: What the validator said, word for word but for names of persons; empty for our own rules.
    """

    rule: str
    title: str
    meaning: str
    advice: str
    weight: Weight
    hinders: bool = False
    count: int = 0
    examples: tuple[str, ...] = ()
    said: str = ""

    def to_plain(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {**asdict(self), "weight": self.weight.value, "examples": list(self.examples)}


@dataclass(frozen=True)
class SeriesReport:
    """What was found in one series, or one volume of it; says nothing of the patient.

    Args:
        uid: As ``read_volume`` takes it; empty for the entry of damaged files.
        description: Series description.
        number: Series number.
        modality: DICOM's code.
        is_scan: Whether it is meant to be a scan, rather than a report or a colour picture.
        usable: Whether it can be read as a volume.
        file_count: Number of files.
        validated: How many of them ``dciodvfy`` looked at.
        size: Voxels along i, j, k; None where there is no volume.
        spacing: The same in mm.
        findings: What hinders first, then errors, warnings and notes.
    """

    uid: str
    description: str
    number: int | None
    modality: str
    is_scan: bool
    usable: bool
    file_count: int
    validated: int
    size: Shape | None
    spacing: Triple | None
    findings: tuple[Finding, ...]

    @property
    def hindrances(self) -> tuple[Finding, ...]:
        """The findings for which a segmentation cannot be made or trusted."""
        return tuple(finding for finding in self.findings if finding.hinders)

    def to_plain(self) -> dict[str, Any]:
        """The series as JSON values."""
        plain = {key: getattr(self, key) for key in ("uid", "description", "number", "modality", "is_scan", "usable")}
        plain |= {"file_count": self.file_count, "validated": self.validated}
        plain |= {"size": _listed(self.size), "spacing": _listed(self.spacing)}
        return {**plain, "findings": [finding.to_plain() for finding in self.findings]}


@dataclass(frozen=True)
class CheckReport:
    """The outcome of a compliance check.

    Args:
        source: What was checked.
        series: One entry a volume.
        validator: Which validator ran, such as "dciodvfy of dicom3tools 20260927"; empty where none is installed.
        notes: How it was checked, in sentences.
        versions: Of what the check was made with.
    """

    source: str
    series: tuple[SeriesReport, ...]
    validator: str
    notes: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def usable(self) -> bool:
        """Whether at least one scan can be read as a volume."""
        return any(series.usable for series in self.series)

    @property
    def clean(self) -> bool:
        """Whether every scan can be read and nothing that was found is an error or hinders."""
        scans = [series for series in self.series if series.is_scan]
        faults = (f for series in self.series for f in series.findings if f.hinders or f.weight is Weight.ERROR)
        return bool(scans) and all(series.usable for series in scans) and not any(faults)

    def to_plain(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "source": self.source,
            "usable": self.usable,
            "clean": self.clean,
            "validator": self.validator,
            "notes": list(self.notes),
            "versions": dict(self.versions),
            "series": [series.to_plain() for series in self.series],
        }


def in_order(findings: list[Finding]) -> tuple[Finding, ...]:
    """What hinders first, then by weight, our own rules before the validator's, then by count."""
    weights = list(Weight)
    return tuple(
        sorted(
            findings, key=lambda f: (not f.hinders, weights.index(f.weight), f.rule == "dciodvfy", -f.count, f.title)
        )
    )


def _listed(values: Shape | Triple | None) -> list | None:
    return None if values is None else list(values)
