"""A PET header whose numbers are easy: 70 kg, 350 MBq, half-life 1 h, injected at 10:00, scanned at 11:00."""

from __future__ import annotations

from typing import Any

from MedSegAI.Logic.standardise.pet.pet_image import PetImage

EASY = {
    "SeriesDate": "20260301",
    "SeriesTime": "110000",
    "AcquisitionDate": "20260301",
    "AcquisitionTime": "110000",
    "PatientSex": "M",
    "PatientSize": 1.75,
    "PatientWeight": 70.0,
    "RadionuclideTotalDose": 350e6,
    "RadionuclideHalfLife": 3600.0,
    "RadiopharmaceuticalStartTime": "100000",
    "CorrectedImage": ["NORM", "ATTN", "DECY"],
    "DecayCorrection": "START",
    "Units": "BQML",
    "ActualFrameDuration": 120000.0,
}
EASY_FACTOR = 70e3 / 175e6
"""One half-life after the injection half of 350 MBq is left for 70 kg."""


def easy(**changes: Any) -> PetImage:
    """The easy header with other values; None takes one out."""
    return PetImage({key: value for key, value in {**EASY, **changes}.items() if value is not None})
