"""What a user chooses for de-identification, beside what the basic profile demands in any case."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Dates(str, Enum):
    """What becomes of dates: removed; all of a patient's moved by the same number of days; or kept as they are."""

    REMOVE = "remove"
    SHIFT = "shift"
    KEEP = "keep"


class Kept(str, Enum):
    """What may be kept although the basic profile takes it away; each is an option that PS3.15 names.

    ``patient`` keeps age (90 years at most), sex, size, weight and the like. ``device`` keeps names and serial numbers
    of machines, ``institution`` the hospital. ``private`` keeps the private attributes that PS3.15 lists as safe, such
    as Philips' factors for SUV. ``descriptions`` keeps those words of descriptions that are terms of imaging.
    """

    PATIENT = "patient"
    DEVICE = "device"
    INSTITUTION = "institution"
    PRIVATE = "private"
    DESCRIPTIONS = "descriptions"


@dataclass(frozen=True)
class DeidentifyChoices:
    """The choices for one run.

    Args:
        dates: What becomes of dates.
        kept: What is kept.
    """

    dates: Dates = Dates.REMOVE
    kept: frozenset[Kept] = frozenset()


# The attributes that each option of PS3.15 Table E.1-1 keeps ("K"), as far as images, segmentations, reports and
# structure sets have them.
KEPT_KEYWORDS: dict[Kept, frozenset[str]] = {
    Kept.PATIENT: frozenset(
        (
            "PatientAge", "PatientSex", "PatientSize", "PatientWeight", "EthnicGroup", "PregnancyStatus",
            "SmokingStatus", "PatientSexNeutered",
        )
    ),
    Kept.DEVICE: frozenset(
        (
            "StationName", "DeviceSerialNumber", "DeviceUID", "CassetteID", "PlateID", "GantryID", "GeneratorID",
            "DetectorID", "DeviceDescription", "PerformedStationName", "PerformedStationAETitle",
            "PerformedStationNameCodeSequence", "ScheduledStationName", "ScheduledStationAETitle", "XRaySourceID",
            "XRayDetectorID", "SourceSerialNumber", "UDISequence", "UniqueDeviceIdentifier", "DeviceLabel",
        )
    ),
    Kept.INSTITUTION: frozenset(
        (
            "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "InstitutionCodeSequence",
            "InstitutionalDepartmentTypeCodeSequence", "ClinicalTrialSiteID", "ClinicalTrialSiteName",
            "ClinicalTrialCoordinatingCenterName",
        )
    ),
}  # fmt: skip

DESCRIPTION_KEYWORDS = frozenset(
    (
        "SeriesDescription", "StudyDescription", "ProtocolName", "AcquisitionProtocolDescription",
        "PerformedProcedureStepDescription", "RequestedProcedureDescription", "DerivationDescription",
        "ContrastBolusAgent", "ROIName", "StructureSetName", "ROIDescription",
        "AcquisitionDeviceProcessingDescription",
    )
)  # fmt: skip
