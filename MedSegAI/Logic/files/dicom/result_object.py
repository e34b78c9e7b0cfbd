"""What every DICOM object of ours has in common: who made it, in which series it is, and that it is whole."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any

from MedSegAI.Logic.errors import DependencyError, InputError
from MedSegAI.Logic.files.dicom.shared_provenance import algorithm_parameters
from MedSegAI.Logic.files.dicom.source_series import SourceSeries
from MedSegAI.Logic.labels import Code
from MedSegAI.Logic.provenance import Provenance

MAKER = "MedSegAI"
_SERIAL_NUMBER = "0"
_LONGEST_MEANING = 64


@dataclass(frozen=True)
class NewObject:
    """Numbers and texts of an object that is about to be made.

    Args:
        series_number: Where viewers sort its series.
        description: What its series is called.
        creator: Who made it; may be empty.
        series_uid: UID of its series, a new one each time.
        instance_uid: Its own UID, a new one each time.
    """

    series_number: int
    description: str
    creator: str = ""
    series_uid: str = field(default_factory=lambda: str(highdicom_package().UID()))
    instance_uid: str = field(default_factory=lambda: str(highdicom_package().UID()))

    @property
    def creator_name(self) -> str | None:
        """The creator as DICOM's person names want it: without the character that parts them."""
        return self.creator.replace("^", " ").strip() or None

    def identity(self) -> dict[str, Any]:
        """The arguments that every class of highdicom takes."""
        return {
            "series_instance_uid": self.series_uid,
            "series_number": self.series_number,
            "sop_instance_uid": self.instance_uid,
            "instance_number": 1,
            "manufacturer": MAKER,
            "series_description": self.description,
        }

    def device(self) -> dict[str, Any]:
        """The arguments of those classes that name a device."""
        return {
            "manufacturer_model_name": MAKER,
            "software_versions": software_version(),
            "device_serial_number": _SERIAL_NUMBER,
        }


def made(what: str, make: Callable[[], Any], source: SourceSeries) -> Any:
    """The data set that ``make`` builds; its warnings are not for a person.

    Raises:
        InputError: if the series lacks what the object takes from it.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = make()
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise InputError(
                f"The series '{source.scan.name}' lacks what {what} takes from it: {str(error).rstrip('.')}.",
                advice="Write a .seg.nrrd.",
            ) from error
    return dataset


def algorithm(provenance: Provenance) -> Any:
    """The model as DICOM identifies an algorithm (PS3.3 10.16)."""
    highdicom = highdicom_package()
    return highdicom.AlgorithmIdentificationSequence(
        name=provenance.model,
        family=highdicom.sr.CodedConcept("123110", "DCM", "Artificial Intelligence"),
        version=provenance.model_version,
        source=MAKER,
        parameters=algorithm_parameters(provenance),
    )


def concept(code: Code) -> Any:
    """A code as highdicom has it."""
    return highdicom_package().sr.CodedConcept(code.value, code.scheme, code.meaning[:_LONGEST_MEANING] or "unnamed")


def software_version() -> str:
    """The version of this project, "source" where it runs from its source folder."""
    try:
        return metadata.version("medsegai")
    except metadata.PackageNotFoundError:
        return "source"


def highdicom_package() -> Any:
    """The package highdicom.

    Raises:
        DependencyError: if it is not installed.
    """
    try:
        import highdicom
    except ImportError as error:
        raise DependencyError(
            "Writing DICOM needs the package highdicom.",
            advice="Install it: pip install highdicom; or write a .seg.nrrd.",
        ) from error
    return highdicom
