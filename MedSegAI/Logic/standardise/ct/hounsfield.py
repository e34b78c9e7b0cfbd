"""Make sure that a CT is in Hounsfield units, and bring it there where only the offset is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.standardise.ct.hounsfield_evidence import HounsfieldEvidence, HounsfieldVerdict, hounsfield_evidence
from MedSegAI.Logic.standardise.step import Standardised, Step
from MedSegAI.Logic.standardise.step_checks import require_kind
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

OTHERWISE = ("refuse", "shift")


@dataclass(frozen=True)
class Hounsfield(Step):
    """Recognise Hounsfield units by the peaks of air, lung, fat and soft tissue.

    Args:
        otherwise: What to do where the values are not HU and a shift with slope 1 would make them so: "refuse" and
            offer the shift, or "shift" them.

    Raises:
        ValueError: for any other word.
    """

    otherwise: str = "refuse"

    kind: ClassVar[str] = "hounsfield"
    title: ClassVar[str] = "Hounsfield units"
    modalities: ClassVar[tuple[Modality, ...]] = (Modality.CT,)

    def __post_init__(self) -> None:
        if self.otherwise not in OTHERWISE:
            raise ValueError(f"'otherwise' is '{self.otherwise}', and must be one of {', '.join(OTHERWISE)}")

    def apply(self, volume: Volume, *, reporter: Reporter) -> Standardised:
        """The scan in HU, as a CT; its voxels are the same array where they were HU already.

        Raises:
            InputError: for another kind of scan, and where the values are not HU and cannot, or shall not, be shifted.
        """
        require_kind(volume, self)
        raise_if_cancelled(reporter)
        evidence = hounsfield_evidence(volume)
        if evidence.verdict is HounsfieldVerdict.UNKNOWN:
            advice = "Read the scan from its DICOM files, whose rescale values say what the numbers mean."
            raise InputError(f"'{volume.name}': {evidence.sentence}", advice=advice)
        if evidence.verdict is HounsfieldVerdict.SHIFTED and self.otherwise == "refuse":
            advice = "If you believe it, shift the values: hounsfield:otherwise=shift."
            raise InputError(f"'{volume.name}': {evidence.sentence}", advice=advice)
        shift = float(evidence.shift or 0.0)
        record = StepRecord(self.kind, _sentence(evidence), self.to_plain(), _figures(evidence))
        done = volume.after(record, _shifted(volume.array, shift), unit=Unit.HOUNSFIELD)
        return Standardised(replace(done, modality=Modality.CT), lambda array: _shifted(array, -shift))


def require_hounsfield(volume: Volume) -> None:
    """Refuse a CT whose values are not Hounsfield units; one that says so in its unit is believed.

    Raises:
        InputError: if they are not, or it cannot be told.
    """
    if volume.unit is Unit.HOUNSFIELD:
        return
    evidence = hounsfield_evidence(volume)
    if evidence.verdict is not HounsfieldVerdict.YES:
        advice = "Bring it to Hounsfield units first (step 'hounsfield')."
        raise InputError(f"'{volume.name}': {evidence.sentence}", advice=advice)


def _shifted(array: np.ndarray, shift: float) -> np.ndarray:
    """The values plus a whole number; integers stay integers, of a type in which none wraps around."""
    if shift == 0.0 or array.size == 0:
        return array
    if not np.issubdtype(array.dtype, np.integer):
        return np.add(array, np.float32(shift), dtype=np.float32)
    least, greatest = int(array.min()) + int(shift), int(array.max()) + int(shift)
    fitting = (one for one in (np.int16, np.int32) if np.iinfo(one).min <= least and greatest <= np.iinfo(one).max)
    dtype = next(fitting, np.int64)
    return np.add(array, int(shift), dtype=dtype, casting="unsafe")


def _sentence(evidence: HounsfieldEvidence) -> str:
    if not evidence.shift:
        return evidence.sentence
    return evidence.sentence.partition(" Adding ")[0] + f" Shifted by {evidence.shift:+g} to Hounsfield units."


def _figures(evidence: HounsfieldEvidence) -> dict[str, float]:
    seen = {"air": evidence.air, "soft_tissue": evidence.soft_tissue, "minimum": evidence.minimum}
    return {name: value for name, value in seen.items() if value is not None} | {"shift_hu": evidence.shift or 0.0}
