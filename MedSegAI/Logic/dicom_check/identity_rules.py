"""Whether it is clear which image is which, whose it is, and in whose coordinates it lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from MedSegAI.Logic.dicom_check.finding import Finding, Weight
from MedSegAI.Logic.dicom_check.under_check import SeriesUnderCheck, of_files

_MAGIC_AT = 128


def identity_findings(series: SeriesUnderCheck) -> Iterator[Finding]:
    """Frame of reference, unique identifiers, one patient, names burned into the picture, and the form of the file."""
    if series.volume.is_scan:
        yield from _frame_of_reference(series)
    yield from _identifiers(series)
    yield from _patients(series)
    yield from _burned_in(series)
    yield from _file_form(series)


def _frame_of_reference(series: SeriesUnderCheck) -> Iterator[Finding]:
    missing = series.where(lambda header: not header.get("FrameOfReferenceUID"))
    if missing:
        yield of_files(
            missing,
            rule="frame-of-reference",
            title="The frame of reference is missing",
            meaning="Nobody can tell which other scans lie in the same coordinates, and no DICOM segmentation can "
            "refer to this one.",
            advice="It can be segmented; write the result as .seg.nrrd, and register it to other scans.",
        )
    elif len(series.values("FrameOfReferenceUID")) > 1:
        yield Finding(
            "frame-of-reference",
            "There are several frames of reference in one series",
            "The patient may have been moved between the images.",
            "Look at the result where the images meet; better, fetch the series again.",
            Weight.WARNING,
        )


def _identifiers(series: SeriesUnderCheck) -> Iterator[Finding]:
    counted = Counter(str(header.get("SOPInstanceUID") or "") for _, header in series.headers)
    repeated = [path for path, header in series.headers if counted[str(header.get("SOPInstanceUID") or "")] > 1]
    if repeated:
        yield of_files(
            repeated,
            rule="unique-uid",
            title="Several files have one identifier",
            meaning="Each image must have an identifier (SOP Instance UID) of its own; an archive keeps only one of "
            "those that share it.",
            advice="Fetch the series from its source again rather than from this copy.",
            weight=Weight.ERROR,
        )


def _patients(series: SeriesUnderCheck) -> Iterator[Finding]:
    for keyword, what in (("PatientID", "patients"), ("StudyInstanceUID", "studies")):
        count = len(series.values(keyword))
        if count > 1:
            yield Finding(
                "one-patient",
                f"There are {count} {what} in one series",
                f"The files of the series name {count} different {what}: images may have been mixed up.",
                "Do not use it before somebody has looked at where it comes from.",
                Weight.ERROR,
                hinders=True,
                count=len(series.headers),
            )


def _burned_in(series: SeriesUnderCheck) -> Iterator[Finding]:
    burned = series.where(lambda header: str(header.get("BurnedInAnnotation") or "").upper() == "YES")
    if burned:
        yield of_files(
            burned,
            rule="burned-in",
            title="Text is burned into the picture",
            meaning="Names or dates may be part of the pixels, where de-identification does not reach; the text may "
            "also be taken for anatomy.",
            advice="Choose the series without it, and do not pass this one on as de-identified.",
        )


def _file_form(series: SeriesUnderCheck) -> Iterator[Finding]:
    bare = [path for path, _ in series.headers if not _has_preamble(path)]
    if bare:
        yield of_files(
            bare,
            rule="file-form",
            title="The files lack DICOM's beginning",
            meaning="They begin without the preamble that marks a DICOM file, as very old exports do. They are read "
            "here, but many programs refuse them.",
            advice="Export them again as DICOM files, if another program needs them.",
            weight=Weight.NOTE,
        )


def _has_preamble(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(_MAGIC_AT + 4)[_MAGIC_AT:] == b"DICM"
