"""What a person needs to recognise a DICOM series, and a program to read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from MedSegAI.Logic.geometry import Shape, Triple


@dataclass(frozen=True)
class FoundSeries:
    """One DICOM series that was found on disk, or one volume of it where it holds several.

    Who is in the picture stays out of ``repr``, so that it stays out of logs; a face may show it.

    Args:
        uid: What ``read_volume(..., series=)`` takes: the Series Instance UID, followed by ``#2`` for the second of
            several volumes in one series. Empty for the entry that names files which could not be read at all.
        description: Series description; for one of several volumes also what tells it from the others.
        number: Series number, as the scanner counts; None where it is not known.
        modality: DICOM's code: "CT", "MR", "PT", and also "SEG", "SR" and others that are no scan.
        patient: Name and ID of the patient as a person reads them; may be empty.
        study: Description of the study; may be empty.
        study_date: Such as "2026-03-31"; may be empty.
        body_part: Such as "HEAD"; may be empty.
        files: The files of this volume, slice by slice; for a zip that was not unpacked for keeps, the zip itself.
        file_count: Number of DICOM files.
        frame_count: Number of image planes in them.
        size: Voxels along i, j, k of the volume that :func:`read_volume` gives; None where it gives none.
        spacing: Of the same volume, mm along i, j, k; None where there is none.
        frame_of_reference: Frame of Reference UID; series that share it need no registration. May be empty.
        problem: Why it cannot be read as a volume and what would help, in sentences; empty where it can.
        notes: What else is worth knowing, in sentences, such as images that will be left out.
    """

    uid: str
    description: str
    number: int | None = None
    modality: str = ""
    patient: str = field(default="", repr=False)
    study: str = field(default="", repr=False)
    study_date: str = field(default="", repr=False)
    body_part: str = ""
    files: tuple[Path, ...] = field(default=(), repr=False)
    file_count: int = 0
    frame_count: int = 0
    size: Shape | None = None
    spacing: Triple | None = None
    frame_of_reference: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether it can be read as a volume."""
        return not self.problem

    def to_plain(self) -> dict[str, Any]:
        """The series as JSON values; holds the patient's name."""
        return {
            "uid": self.uid,
            "description": self.description,
            "number": self.number,
            "modality": self.modality,
            "patient": self.patient,
            "study": self.study,
            "study_date": self.study_date,
            "body_part": self.body_part,
            "files": [str(path) for path in self.files],
            "file_count": self.file_count,
            "frame_count": self.frame_count,
            "size": None if self.size is None else list(self.size),
            "spacing": None if self.spacing is None else list(self.spacing),
            "frame_of_reference": self.frame_of_reference,
            "problem": self.problem,
            "notes": list(self.notes),
        }
