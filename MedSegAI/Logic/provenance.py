"""How a result came about: enough to make it again and to trust it later."""

from __future__ import annotations

import functools
import json
import platform
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.step_record import StepRecord

_VERSIONED_PACKAGES = ("medsegai", "torch", "numpy", "SimpleITK", "monai")


def software_versions() -> dict[str, str]:
    """Versions of Python, of this project and of the packages that decide a result, as far as they are installed."""
    return {"Python": platform.python_version()} | {
        package: version for package in _VERSIONED_PACKAGES if (version := _version_of(package)) is not None
    }


@functools.cache
def _version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@dataclass(frozen=True)
class InputRecord:
    """What one input of the model was given.

    Args:
        input: Name of the input on the model's card, such as "FLAIR".
        scan: Name of the scan that was given for it; None where it was missing, and its channel was 0.
        steps: What was done to that scan before, its alignment included.
    """

    input: str
    scan: str | None
    steps: tuple[StepRecord, ...] = ()

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> InputRecord:
        """The record that ``dataclasses.asdict`` made JSON values of."""
        return cls(plain["input"], plain["scan"], tuple(StepRecord.from_plain(step) for step in plain["steps"]))


@dataclass(frozen=True)
class Provenance:
    """The record that travels with a segmentation or heat map through MRML, ``.seg.nrrd`` and DICOM.

    Args:
        model: Name of the model.
        model_version: Version on its card.
        model_sha256: Hex digest of its weights.
        engine: Engine that ran it, such as "torch".
        device: Device it ran on, such as "cpu" or "cuda:0 (name)".
        input_name: Name of the scan on whose grid the result lies.
        grid_shape: Shape (k, j, i) of the scan.
        grid_spacing_mm: Spacing (i, j, k) of the scan.
        regions: The places the network was shown; enough to explain the result later from the file alone.
        settings: The run's settings as plain values.
        seed: Random seed, None where nothing was random.
        fallbacks: Fallbacks taken, as sentences; empty when all went as planned.
        seconds: Wall time of the run.
        created: ISO 8601 time in UTC.
        versions: Versions of the software.
        inputs: What each of the model's inputs was given, in the card's order; empty in records of an older version.
    """

    model: str
    model_version: str
    model_sha256: str
    engine: str
    device: str
    input_name: str
    grid_shape: tuple[int, int, int]
    grid_spacing_mm: tuple[float, float, float]
    regions: tuple[LocalisedRegion, ...]
    settings: dict[str, str | float | int | bool | None]
    seconds: float
    created: str
    seed: int | None = None
    fallbacks: tuple[str, ...] = ()
    versions: dict[str, str] = field(default_factory=software_versions)
    inputs: tuple[InputRecord, ...] = ()

    @property
    def reference_input(self) -> str | None:
        """Name of the input on whose grid the result lies; None in records of an older version."""
        return next((record.input for record in self.inputs if record.scan == self.input_name), None)

    def to_json(self) -> str:
        """One line of JSON."""
        fields = {**asdict(self), "regions": [region.to_plain() for region in self.regions]}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Provenance:
        """The record that :meth:`to_json` wrote."""
        fields = json.loads(text)
        for key in ("grid_shape", "grid_spacing_mm", "fallbacks"):
            fields[key] = tuple(fields[key])
        fields["regions"] = tuple(LocalisedRegion.from_plain(region) for region in fields["regions"])
        fields["inputs"] = tuple(InputRecord.from_plain(record) for record in fields.get("inputs", ()))
        return cls(**fields)
