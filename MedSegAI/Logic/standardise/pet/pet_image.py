"""What the header of one PET image says, as far as SUV needs it; asked by tag, refused by name where it is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.standardise.pet.dicom_times import moment_of, moment_of_datetime

TAGS = {
    "SeriesDate": "Series Date (0008,0021)",
    "SeriesTime": "Series Time (0008,0031)",
    "AcquisitionDate": "Acquisition Date (0008,0022)",
    "AcquisitionTime": "Acquisition Time (0008,0032)",
    "AcquisitionDateTime": "Acquisition Date Time (0008,002A)",
    "PatientSex": "Patient's Sex (0010,0040)",
    "PatientSize": "Patient's Size (0010,1020)",
    "PatientWeight": "Patient's Weight (0010,1030)",
    "ActualFrameDuration": "Actual Frame Duration (0018,1242)",
    "RadiopharmaceuticalStartTime": "Radiopharmaceutical Start Time (0018,1072)",
    "RadionuclideTotalDose": "Radionuclide Total Dose (0018,1074)",
    "RadionuclideHalfLife": "Radionuclide Half Life (0018,1075)",
    "RadiopharmaceuticalStartDateTime": "Radiopharmaceutical Start Date Time (0018,1078)",
    "DecayCorrectionDateTime": "Decay Correction Date Time (0018,9701)",
    "CorrectedImage": "Corrected Image (0028,0051)",
    "Units": "Units (0054,1001)",
    "SUVType": "SUV Type (0054,1006)",
    "DecayCorrection": "Decay Correction (0054,1102)",
    "FrameReferenceTime": "Frame Reference Time (0054,1300)",
    "GEScanDateTime": "GE's private scan date time (0009,100D)",
    "PhilipsSUVScaleFactor": "Philips' private SUV scale factor (7053,1000)",
    "PhilipsActivityScaleFactor": "Philips' private activity scale factor (7053,1009)",
}
"""The keys of a PET scan's :attr:`Volume.acquisition` (and of each entry of its list ``images``), with DICOM's names.

Beside them there are ``normal``, the slice normal in LPS, and, in each entry of ``images``, ``position``, an LPS point
(x, y, z in mm) on the image's plane. What is alike in all images stands once, beside the list.
"""
_ADVICE = "No number was guessed. Take the original series from the scanner or the archive."


@dataclass(frozen=True)
class PetImage:
    """One image's header.

    Args:
        values: JSON values by the keys of :data:`TAGS`; what the header lacks is not there.
    """

    values: Mapping[str, Any]

    def text(self, key: str) -> str:
        """The value as text without blanks around it; empty where it is missing."""
        return str(self.values.get(key) or "").strip()

    def texts(self, key: str) -> tuple[str, ...]:
        """The value as several texts; empty where it is missing."""
        value = self.values.get(key) or ()
        return (value.strip(),) if isinstance(value, str) else tuple(str(part).strip() for part in value)

    def number(self, key: str) -> float | None:
        """The value as a finite number above 0; None where it is missing, 0 or no such number."""
        try:
            number = float(self.values.get(key) or 0)
        except (TypeError, ValueError):
            return None
        return number if math.isfinite(number) and number > 0 else None

    def needed(self, key: str) -> float:
        """As :meth:`number`.

        Raises:
            InputError: where it is missing, naming the tag.
        """
        number = self.number(key)
        if number is None:
            raise missing(key) if not self.text(key) else unusable(key, self.text(key))
        return number

    def moment(self, key: str) -> datetime | None:
        """The moment of a date time tag; None where it is missing.

        Raises:
            InputError: for a text that is no date with a time, naming the tag.
        """
        text = self.text(key)
        if not text:
            return None
        try:
            return moment_of_datetime(text)
        except ValueError as error:
            raise unusable(key, text) from error

    def moment_of_pair(self, name: str) -> datetime:
        """The moment of the tags ``nameDate`` and ``nameTime``.

        Raises:
            InputError: where one of them is missing or unusable, naming it.
        """
        parts = [self.text(f"{name}{part}") for part in ("Date", "Time")]
        for part, text in zip(("Date", "Time"), parts):
            if not text:
                raise missing(f"{name}{part}")
        try:
            return moment_of(*parts)
        except ValueError as error:
            raise unusable(f"{name}Time", " ".join(parts)) from error

    @property
    def acquired(self) -> datetime:
        """When the acquisition of the image's frame began.

        Raises:
            InputError: where the header does not say it, naming the tag.
        """
        known = self.text("AcquisitionDate") and self.text("AcquisitionTime")
        at = None if known else self.moment("AcquisitionDateTime")
        return at or self.moment_of_pair("Acquisition")


def images_of(acquisition: Mapping[str, Any]) -> tuple[PetImage, ...]:
    """The header of every image, in the order of the list ``images``; of one where there is no list."""
    shared = {key: value for key, value in acquisition.items() if key in TAGS}
    return tuple(PetImage({**shared, **image}) for image in acquisition.get("images") or ({},))


def missing(*keys: str) -> InputError:
    """The refusal of a header that lacks what these tags say."""
    named = ", nor ".join(TAGS[key] for key in keys)
    return InputError(f"SUV cannot be computed: the header has no {named}.", advice=_ADVICE)


def unusable(key: str, text: str) -> InputError:
    """The refusal of a header whose tag holds something else than it should."""
    return InputError(f"SUV cannot be computed: the header's {TAGS[key]} is '{text}'.", advice=_ADVICE)
