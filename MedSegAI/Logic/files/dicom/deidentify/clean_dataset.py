"""The basic profile applied to one DICOM data set, in place and through all its sequences."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from MedSegAI.Logic.files.dicom.deidentify.choices import DeidentifyChoices, Kept
from MedSegAI.Logic.files.dicom.deidentify.method import mark_as_deidentified
from MedSegAI.Logic.files.dicom.deidentify.moved_dates import moved_date
from MedSegAI.Logic.files.dicom.deidentify.pseudonyms import Pseudonyms
from MedSegAI.Logic.files.dicom.deidentify.safe_descriptions import safe_words
from MedSegAI.Logic.files.dicom.deidentify.safe_private import is_safe_private
from MedSegAI.Logic.files.dicom.deidentify.treatment import Treatment, treatment_of

_DUMMIES: Mapping[str, Any] = {
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "AS": "000Y",
    "PN": "Anon^",
    "DS": "0",
    "IS": "0",
    "OB": b"\0\0",
    "UN": b"\0\0",
    "UI": "2.25.0",
}
_OTHER_DUMMY = "REMOVED"
_OLDEST = 90


def clean_dataset(dataset: Any, choices: DeidentifyChoices, pseudonyms: Pseudonyms) -> Counter[tuple[str, str]]:
    """De-identify a data set with its file meta information; see :class:`DeidentifyChoices`.

    Args:
        dataset: A pydicom ``FileDataset``; changed in place. Its pixels are left as they are.
        choices: What becomes of dates, and what is kept.
        pseudonyms: Gives new UIDs, names and days.

    Returns:
        How often each attribute, by keyword, was removed, emptied, replaced and so on; no values.
    """
    cleaner = _Cleaner(choices, pseudonyms, _patient_of(dataset), str(dataset.get("SOPClassUID", "")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cleaner.clean(dataset)
        dataset.PatientName = f"{pseudonyms.patient(cleaner.patient)}^"
        dataset.PatientID = pseudonyms.patient(cleaner.patient)
        mark_as_deidentified(dataset, choices)
        _clean_file_meta(dataset)
    return cleaner.changes


def _patient_of(dataset: Any) -> str:
    """What tells patients apart: the ID and who gave it, else the study."""
    patient = str(dataset.get("PatientID") or "").strip()
    if patient:
        return f"{dataset.get('IssuerOfPatientID') or ''}|{patient}"
    return f"study|{dataset.get('StudyInstanceUID', '')}"


def _clean_file_meta(dataset: Any) -> None:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import PYDICOM_IMPLEMENTATION_UID

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128


@dataclass
class _Cleaner:
    """What is known of one file while its sequences are walked through."""

    choices: DeidentifyChoices
    pseudonyms: Pseudonyms
    patient: str
    sop_class: str
    changes: Counter[tuple[str, str]] = field(default_factory=Counter)

    def clean(self, dataset: Any) -> None:
        """Clean one level, and all below it."""
        for tag in list(dataset.keys()):
            if tag.is_private:
                self._clean_private(dataset, tag)
            elif tag.element == 0:
                del dataset[tag]
            else:
                self._clean_public(dataset, tag)
        self._drop_unused_creators(dataset)

    def _clean_public(self, dataset: Any, tag: Any) -> None:
        try:
            element = dataset[tag]
            treatment = treatment_of(element, dataset, self.choices, self.sop_class)
        except Exception:  # a value that cannot be read cannot be judged
            del dataset[tag]
            self.changes[str(tag), "removed"] += 1
            return
        if treatment is Treatment.KEEP:
            return
        if treatment is Treatment.RECURSE:
            for item in element.value or ():
                self.clean(item)
            return
        name = element.keyword or str(tag)
        if treatment is Treatment.REMOVE:
            del dataset[tag]
            self.changes[name, "removed"] += 1
            return
        new, done = self._new_value(element, treatment)
        if new != element.value:
            element.value = new
            self.changes[name, done] += 1

    def _new_value(self, element: Any, treatment: Treatment) -> tuple[Any, str]:
        value = element.value
        if treatment is Treatment.EMPTY:
            return ([] if element.VR == "SQ" else element.empty_value), "emptied"
        if treatment is Treatment.NEW_UID:
            return self._each(value, self.pseudonyms.uid), "got a new UID"
        if treatment is Treatment.PSEUDONYM:
            return self.pseudonyms.patient(self.patient), "replaced"
        if treatment is Treatment.MOVE:
            days = self.pseudonyms.days_of(self.patient)
            return self._each(value, lambda text: moved_date(text, days)), "moved"
        if treatment is Treatment.WORDS:
            return self._each(value, safe_words), "reduced to safe words"
        if treatment is Treatment.AGE:
            return _capped(str(value or "")), "capped"
        return _dummy(element.VR) if value not in (None, "") else value, "replaced"

    @staticmethod
    def _each(value: Any, change: Any) -> Any:
        if value in (None, ""):
            return value
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            return change(str(value))
        return [change(str(entry)) for entry in value]

    def _clean_private(self, dataset: Any, tag: Any) -> None:
        if tag.is_private_creator:
            return
        if Kept.PRIVATE in self.choices.kept and self._is_safe(dataset, tag):
            return
        del dataset[tag]
        self.changes["private attributes", "removed"] += 1

    @staticmethod
    def _is_safe(dataset: Any, tag: Any) -> bool:
        try:
            element = dataset[tag]
        except Exception:  # a value that cannot be read cannot be judged
            return False
        return element.VR != "SQ" and is_safe_private(tag.group, str(element.private_creator or ""), tag.element)

    def _drop_unused_creators(self, dataset: Any) -> None:
        tags = list(dataset.keys())
        blocks = {(tag.group, tag.element >> 8) for tag in tags if tag.is_private}
        for tag in (tag for tag in tags if tag.is_private_creator):
            if (tag.group, tag.element & 0xFF) not in blocks:
                del dataset[tag]


def _dummy(vr: str) -> Any:
    return _DUMMIES.get(vr, _OTHER_DUMMY)


def _capped(age: str) -> str:
    """An age of more than 89 years as 90 years, as such ages point to few people."""
    years = age.strip().rstrip("Y")
    return f"{_OLDEST:03d}Y" if age.strip().endswith("Y") and years.isdigit() and int(years) >= _OLDEST else age
