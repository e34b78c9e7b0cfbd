"""Which of the profile's actions an attribute gets, where the table leaves a choice or an option changes it."""

from __future__ import annotations

from enum import Enum
from typing import Any

from MedSegAI.Logic.files.dicom.deidentify.basic_profile import Action, action_of
from MedSegAI.Logic.files.dicom.deidentify.choices import (
    DESCRIPTION_KEYWORDS,
    KEPT_KEYWORDS,
    Dates,
    DeidentifyChoices,
    Kept,
)


class Treatment(Enum):
    """What is done with one attribute."""

    KEEP = "keep"
    REMOVE = "remove"
    EMPTY = "empty"
    DUMMY = "dummy"
    NEW_UID = "new uid"
    RECURSE = "recurse"
    PSEUDONYM = "pseudonym"
    MOVE = "move"
    WORDS = "words"
    AGE = "age"


_DATES = {"DA", "DT"}
_BIRTH = {"PatientBirthDate", "PatientBirthTime", "LastMenstrualDate"}
_PET = {"1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.128.1"}
_RADIOTHERAPY = "1.2.840.10008.5.1.4.1.1.481."
_NEEDED_IN_PET = {"SeriesDate", "SeriesTime"}
# UIDs that name a kind of thing, not a thing.
_KINDS = ("ClassUID", "TransferSyntaxUID", "CodingSchemeUID", "ContextUID", "MappingResourceUID")
_STAFF_CODES = {"PersonIdentificationCodeSequence", "InstitutionCodeSequence"}
_MAY_BE_EMPTY = {"AcquisitionContextSequence"}
# Texts of a report that name the program, its settings, the make of a device and the key of a segment.
_SAFE_TEXTS = {"111001", "111002", "111003", "112039", "121014", "121015"}
# Attributes that the table does not list, and which tell of a person or a hospital all the same.
_TELLING = ("Comment", "OrderNumber", "AlternativeCalendar", "EntityID", "Encrypted")


def treatment_of(element: Any, dataset: Any, choices: DeidentifyChoices, sop_class: str) -> Treatment:
    """What is done with an attribute of a data set or of an item of a sequence.

    Args:
        element: The attribute, a pydicom ``DataElement``.
        dataset: Where it stands.
        choices: The user's.
        sop_class: UID of the file's SOP class.
    """
    keyword, vr, action = element.keyword, str(element.VR), action_of(int(element.tag))
    if keyword == "PatientAge" and Kept.PATIENT in choices.kept:
        return Treatment.AGE
    if any(kept in choices.kept and keyword in keywords for kept, keywords in KEPT_KEYWORDS.items()):
        return Treatment.KEEP
    if keyword in ("PatientName", "PatientID"):
        return Treatment.PSEUDONYM
    if keyword == "TextValue":
        return Treatment.KEEP if _concept_of(dataset) in _SAFE_TEXTS else Treatment.DUMMY
    if (vr in _DATES or vr == "TM") and keyword not in _BIRTH and choices.dates is not Dates.REMOVE:
        return Treatment.MOVE if vr in _DATES and choices.dates is Dates.SHIFT else Treatment.KEEP
    if action is not None and keyword in DESCRIPTION_KEYWORDS and Kept.DESCRIPTIONS in choices.kept:
        return Treatment.WORDS
    if action is None:
        return _of_unlisted(keyword, vr)
    return _of_listed(action, keyword, vr, sop_class)


def _of_unlisted(keyword: str, vr: str) -> Treatment:
    if not keyword or vr in ("UN", "UR") or any(part in keyword for part in _TELLING):
        return Treatment.REMOVE
    if vr == "SQ":
        return Treatment.RECURSE
    if vr == "PN" or vr in _DATES:
        return Treatment.EMPTY
    if vr == "UI" and not keyword.endswith(_KINDS):
        return Treatment.NEW_UID
    return Treatment.KEEP


def _of_listed(action: Action, keyword: str, vr: str, sop_class: str) -> Treatment:
    if action is Action.REMOVE:
        return Treatment.REMOVE
    if action is Action.NEW_UID:
        return Treatment.NEW_UID
    if action is Action.REFERENCES:
        return Treatment.RECURSE
    if vr == "SQ":
        return _of_sequence(action, keyword)
    if action in (Action.EMPTY, Action.EMPTY_OR_REMOVE):
        return Treatment.EMPTY
    if action is Action.DUMMY_OR_REMOVE:
        return _least_that_conforms(keyword, vr, sop_class)
    if action is Action.DUMMY_OR_EMPTY:
        return Treatment.DUMMY if vr in _DATES or vr == "TM" else Treatment.EMPTY
    if action is Action.ANY and keyword == "InstanceCreationTime":
        return Treatment.REMOVE
    if action is Action.ANY and keyword not in ("AcquisitionDateTime", "DeviceSerialNumber"):
        return Treatment.EMPTY
    return Treatment.DUMMY


def _of_sequence(action: Action, keyword: str) -> Treatment:
    if action is Action.EMPTY or keyword in _MAY_BE_EMPTY:
        return Treatment.EMPTY
    if action in (Action.DUMMY_OR_REMOVE, Action.EMPTY_OR_REMOVE) or keyword in _STAFF_CODES:
        return Treatment.REMOVE
    return Treatment.RECURSE


def _least_that_conforms(keyword: str, vr: str, sop_class: str) -> Treatment:
    """Removed, but for the dates and times that PET (type 1) and radiotherapy (type 2) demand."""
    if sop_class in _PET and keyword in _NEEDED_IN_PET:
        return Treatment.DUMMY
    if sop_class.startswith(_RADIOTHERAPY) and (vr in _DATES or vr == "TM") and not keyword.startswith("Series"):
        return Treatment.EMPTY
    return Treatment.REMOVE


def _concept_of(dataset: Any) -> str:
    """The code of what a text is about, where it is one of DICOM's own; other schemes reuse the numbers."""
    names = dataset.get("ConceptNameCodeSequence")
    return str(names[0].get("CodeValue", "")) if names and names[0].get("CodingSchemeDesignator") == "DCM" else ""
