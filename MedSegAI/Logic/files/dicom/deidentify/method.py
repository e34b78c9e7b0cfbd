"""How a DICOM file says that it was de-identified, and how far (PS3.15 Annex E; context group CID 7050)."""

from __future__ import annotations

from typing import Any

from MedSegAI.Logic.files.dicom.deidentify.choices import Dates, DeidentifyChoices, Kept
from MedSegAI.Logic.files.dicom.result_object import MAKER, software_version

_PROFILE = ("113100", "Basic Application Confidentiality Profile")
_STRUCTURED_CONTENT = ("113104", "Clean Structured Content Option")
_OPTIONS = {
    Kept.PATIENT: ("113108", "Retain Patient Characteristics Option"),
    Kept.DEVICE: ("113109", "Retain Device Identity Option"),
    Kept.INSTITUTION: ("113112", "Retain Institution Identity Option"),
    Kept.PRIVATE: ("113111", "Retain Safe Private Option"),
    Kept.DESCRIPTIONS: ("113105", "Clean Descriptors Option"),
}
_DATES = {
    Dates.SHIFT: ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    Dates.KEEP: ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
}
_TEMPORAL = {Dates.REMOVE: "REMOVED", Dates.SHIFT: "MODIFIED", Dates.KEEP: "UNMODIFIED"}
# What was done to the pixels before stays true.
_OF_PIXELS = {"113101", "113102", "113103"}


def is_deidentified(dataset: Any) -> bool:
    """Whether the file says of itself that the patient's identity was removed."""
    return str(dataset.get("PatientIdentityRemoved", "")).strip() == "YES"


def mark_as_deidentified(dataset: Any, choices: DeidentifyChoices) -> None:
    """Write what was done: the profile and its options as codes, the method as text, what became of dates."""
    earlier = [
        (str(item.get("CodeValue", "")), str(item.get("CodeMeaning", "")))
        for item in dataset.get("DeidentificationMethodCodeSequence") or ()
    ]
    codes = [_PROFILE, *(code for code in earlier if code[0] in _OF_PIXELS)]
    if "ContentSequence" in dataset:
        codes.append(_STRUCTURED_CONTENT)
    codes += [_OPTIONS[kept] for kept in Kept if kept in choices.kept]
    if choices.dates in _DATES:
        codes.append(_DATES[choices.dates])
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = f"{MAKER} {software_version()}, DICOM PS3.15 2026c Annex E"
    dataset.DeidentificationMethodCodeSequence = [_coded(*code) for code in codes]
    dataset.LongitudinalTemporalInformationModified = _TEMPORAL[choices.dates]


def _coded(value: str, meaning: str) -> Any:
    from pydicom.dataset import Dataset

    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item
