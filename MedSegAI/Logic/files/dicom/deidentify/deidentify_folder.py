"""A folder of DICOM files without what tells whom they show, all of it or nothing."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.deidentify.burned_in import burned_in_sign, may_show_a_face
from MedSegAI.Logic.files.dicom.deidentify.choices import Dates, DeidentifyChoices, Kept
from MedSegAI.Logic.files.dicom.deidentify.clean_dataset import clean_dataset
from MedSegAI.Logic.files.dicom.deidentify.pseudonyms import Pseudonyms
from MedSegAI.Logic.files.dicom.headers import read_data_set
from MedSegAI.Logic.files.new_folder import new_folder, refuse_used
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled

_STAGE = "de-identifying"
_DOCUMENTS = "1.2.840.10008.5.1.4.1.1.104."


@dataclass(frozen=True)
class Deidentified:
    """What was done to a folder; holds no value that was taken away.

    Args:
        files: Number of files written.
        patients: Number of patients.
        changes: For each attribute, by keyword, what was done how often: ``("PatientName", "replaced", 22)``.
        left_out: Files that were not written, and why.
        warnings: Sentences about what no header can mend.
    """

    files: int
    patients: int
    changes: tuple[tuple[str, str, int], ...]
    left_out: tuple[tuple[Path, str], ...]
    warnings: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """The report as JSON values; without the names of files, which often are names of people."""
        return {
            "files": self.files,
            "patients": self.patients,
            "changes": [{"attribute": name, "done": done, "times": times} for name, done, times in self.changes],
            "left_out": dict(Counter(reason for _, reason in self.left_out)),
            "warnings": list(self.warnings),
        }


def deidentify_folder(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    choices: DeidentifyChoices | None = None,
    pseudonyms: Pseudonyms | None = None,
    reporter: Reporter | None = None,
) -> Deidentified:
    """De-identify every DICOM file of a folder by the basic profile of PS3.15 Annex E.

    UIDs, patient names and shifts of dates are the same through all files, so that series still belong together. Files
    get new names, ``series-001/00001.dcm`` and on, because names of files often are names of people. What is no DICOM
    file, a DICOMDIR and encapsulated documents are left out and named.

    Args:
        source: A folder, searched through all its sub-folders, or one file.
        target: A new or empty folder, not inside the source.
        choices: What becomes of dates, and what is kept; None keeps nothing and removes dates.
        pseudonyms: Those of an earlier run, where files must go with its files; new names are added to them.
        reporter: Told of progress; asked between files whether to stop.

    Raises:
        InputError: if the source holds no DICOM file, or one is damaged, or the target lies inside the source.
        StorageError: if the target holds something or cannot be written.
        Cancelled: if the reporter said so; nothing is left behind.
    """
    choices, pseudonyms = choices or DeidentifyChoices(), pseudonyms or Pseudonyms()
    reporter = reporter or SilentReporter()
    start, end = Path(source).expanduser().resolve(), Path(target).expanduser().resolve()
    _refuse_places(start, end)
    refuse_used(end)
    files = sorted(path for path in (start.rglob("*") if start.is_dir() else [start]) if path.is_file())
    work = _Work(choices, pseudonyms)
    with new_folder(end) as room:
        for done, path in enumerate(files):
            raise_if_cancelled(reporter)
            reporter.progress(done, len(files), _STAGE)
            work.take(path, room)
        reporter.progress(len(files), len(files), _STAGE)
        if not work.written:
            raise InputError(f"'{source}' holds no DICOM file.", advice="Choose the folder of a scan.")
    return work.report()


def _refuse_places(source: Path, target: Path) -> None:
    if not source.exists():
        raise InputError(f"There is no file or folder '{source}'.", advice="Check the path.")
    if target == source or source in target.parents or target in source.parents:
        raise InputError(
            f"'{target}' lies inside '{source}', or the other way round: originals and copies would mix.",
            advice="Choose a folder beside the originals.",
        )


def _is_cut_short(dataset: Any) -> bool:
    """Whether pixels are missing at the end, which pydicom reads without a word."""
    if "Rows" not in dataset or "ImagePositionPatient" not in dataset:
        return False
    if "PixelData" not in dataset:
        return True
    if dataset.file_meta.TransferSyntaxUID.is_compressed:
        return False
    frames = str(dataset.get("NumberOfFrames") or 1).strip()
    voxels = (
        dataset.Rows * dataset.Columns * dataset.get("SamplesPerPixel", 1) * (int(frames) if frames.isdigit() else 1)
    )
    return len(dataset.PixelData) < voxels * dataset.BitsAllocated // 8


class _Work:
    """What is gathered while one file after the other is cleaned."""

    def __init__(self, choices: DeidentifyChoices, pseudonyms: Pseudonyms) -> None:
        self.written = 0
        self._choices, self._pseudonyms = choices, pseudonyms
        self._changes: Counter[tuple[str, str]] = Counter()
        self._series: dict[str, int] = {}
        self._in_series: Counter[str] = Counter()
        self._patients: set[str] = set()
        self._left_out: list[tuple[Path, str]] = []
        self._signs: Counter[str] = Counter()
        self._faces = self._pet = 0

    def take(self, path: Path, room: Path) -> None:
        """Clean one file into ``room``, or say why it is left out."""
        dataset = self._read(path)
        if dataset is None:
            return
        sign = burned_in_sign(dataset)
        if sign:
            self._signs[sign] += 1
        self._faces += may_show_a_face(dataset)
        self._pet += dataset.get("Modality") == "PT"
        self._changes.update(clean_dataset(dataset, self._choices, self._pseudonyms))
        self._patients.add(str(dataset.PatientID))
        dataset.save_as(self._place(dataset, room), enforce_file_format=True)
        self.written += 1

    def report(self) -> Deidentified:
        """What was done."""
        changes = tuple((name, done, times) for (name, done), times in sorted(self._changes.items()))
        return Deidentified(self.written, len(self._patients), changes, tuple(self._left_out), tuple(self._sentences()))

    def _read(self, path: Path) -> Any | None:
        import pydicom

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                dataset = read_data_set(path)
            if "SOPClassUID" not in dataset or "SOPInstanceUID" not in dataset:
                return self._leave_out(path, "it is no DICOM object with an identity, perhaps a DICOMDIR")
        except pydicom.errors.InvalidDicomError:
            return self._leave_out(path, "it is no DICOM file")
        except (EOFError, ValueError, NotImplementedError, OSError) as error:
            raise InputError(f"'{path}' is a damaged DICOM file.", advice="Copy it again, or take it away.") from error
        if _is_cut_short(dataset):
            raise InputError(f"'{path}' is a damaged DICOM file.", advice="Copy it again, or take it away.")
        if str(dataset.SOPClassUID).startswith(_DOCUMENTS):
            return self._leave_out(path, "it holds a document, whose text cannot be cleaned")
        return dataset

    def _leave_out(self, path: Path, reason: str) -> None:
        self._left_out.append((path, reason))

    def _place(self, dataset: Any, room: Path) -> Path:
        uid = str(dataset.get("SeriesInstanceUID", ""))
        number = self._series.setdefault(uid, len(self._series) + 1)
        self._in_series[uid] += 1
        folder = room / f"series-{number:03d}"
        folder.mkdir(exist_ok=True)
        return folder / f"{self._in_series[uid]:05d}.dcm"

    def _sentences(self) -> Iterator[str]:
        for sign, times in sorted(self._signs.items()):
            yield (
                f"Pictures that may have names or dates written into them ({sign}): {times}. Look at them before they "
                "leave."
            )
        if self._faces:
            yield (
                f"Pictures of a head, or of no named part of the body: {self._faces}. A face can be rebuilt from the "
                "scan of a head, and was not removed."
            )
        if self._pet and (self._choices.dates is Dates.REMOVE or Kept.PATIENT not in self._choices.kept):
            yield (
                "SUV can no longer be computed from the PET scan: it needs times and weight, which the dates 'shift' "
                "and keeping 'patient' leave in; for Philips also 'private'."
            )
