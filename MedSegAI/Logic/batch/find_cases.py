"""The cases in a folder or among files: every image file, and every DICOM series of the model's kind."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from MedSegAI.Logic.batch.case import BatchCase, case_id
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.found_series import FoundSeries
from MedSegAI.Logic.files.formats import READABLE_SENTENCE, ending_of, name_of
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.volume import Modality

SEGMENTATION_ENDING = ".seg.nrrd"
"""What ends so is a result, not a scan."""


def find_cases(
    paths: Sequence[Path], *, modality: Modality, without: Path | None = None, reporter: Reporter
) -> tuple[BatchCase, ...]:
    """Find the cases in folders, with all their sub-folders, and among files.

    In a folder every NIfTI, NRRD and MetaImage file is a case, segmentations (``.seg.nrrd``) excepted, and so is every
    DICOM series; those of another modality are passed over and counted. Names that begin with a dot are passed over.
    The id of a case depends on its path inside the folder it was found in, or on the UID of its series.

    Args:
        paths: Folders and files.
        modality: What the model takes; a DICOM series that does not tell its modality is taken, too.
        without: A folder to leave out: that of the results.
        reporter: Told what was passed over; asked whether to stop.

    Raises:
        InputError: if a path does not exist, nothing was found, or two cases would have one id.
        Cancelled: if the reporter asked to stop.
    """
    found: list[BatchCase] = []
    for path in paths:
        place = path.expanduser().resolve()
        if not place.exists():
            raise InputError(f"There is no file or folder '{path}'.", advice="Check the path.")
        if place.is_dir():
            found += _cases_in(place, modality, None if without is None else without.resolve(), reporter)
        else:
            found.append(case_of_file(place))
    cases = tuple(dict.fromkeys(found))
    if not cases:
        named = ", ".join(f"'{path}'" for path in paths)
        raise InputError(f"There is no scan in {named}.", advice=READABLE_SENTENCE)
    refuse_one_id_twice(cases)
    return cases


def case_of_file(path: Path, *, folder: Path | None = None) -> BatchCase:
    """The case that one file is; named by its path, inside ``folder`` where that is given."""
    shown = path.relative_to(folder) if folder is not None else path
    name = shown.with_name(name_of(shown)) if folder is not None else Path(name_of(path))
    return BatchCase(case_id(name.as_posix(), identity=shown.as_posix()), path)


def refuse_one_id_twice(cases: Sequence[BatchCase]) -> None:
    """Raise :class:`InputError` where two cases have one id, or ids that a file system may take for one."""
    seen: dict[str, BatchCase] = {}
    for case in cases:
        other = seen.setdefault(case.id.casefold(), case)
        if other is not case:
            raise InputError(
                f"'{other.source}' and '{case.source}' would both be the case '{case.id}'.",
                advice="Name the folder that holds both, or give them ids in a list of cases (--list).",
            )


def _cases_in(folder: Path, modality: Modality, without: Path | None, reporter: Reporter) -> Iterator[BatchCase]:
    images: list[Path] = []
    others: dict[Path, list[Path]] = {}
    for path in _files_under(folder, without):
        raise_if_cancelled(reporter)
        ending = ending_of(path)
        if ending and ending != SEGMENTATION_ENDING:
            images.append(path)
        elif not ending:
            # All series of one patient lie under one folder; taken together, the headers of all would fill the memory.
            others.setdefault(folder / path.relative_to(folder).parts[0], []).append(path)
    yield from (case_of_file(path, folder=folder) for path in images)
    yield from _series_cases(others.values(), folder, modality, reporter)


def _series_cases(
    groups: Iterable[list[Path]], folder: Path, modality: Modality, reporter: Reporter
) -> Iterator[BatchCase]:
    seen: set[str] = set()
    passed_over = 0
    for files in groups:
        for series in find_series(files, reporter=reporter):
            if not series.uid:
                reporter.message(series.problem)
            elif series.modality not in (modality.value, Modality.UNKNOWN.value, ""):
                passed_over += 1
            elif series.uid in seen:
                reporter.message(f"'{series.description}' (UID {series.uid}) is there twice; the first one is taken.")
            else:
                seen.add(series.uid)
                yield _case_of_series(series, folder)
    if passed_over:
        what = "1 DICOM series" if passed_over == 1 else f"{passed_over} DICOM series"
        reporter.message(f"Passed over: {what} of another kind than {modality.value}.")


def _case_of_series(series: FoundSeries, folder: Path) -> BatchCase:
    source = Path(os.path.commonpath([path.parent for path in series.files]))
    shown = "/".join(filter(None, (*source.relative_to(folder).parts, series.description)))
    return BatchCase(case_id(shown, identity=series.uid), source, series.uid, tuple(sorted(series.files)))


def _files_under(folder: Path, without: Path | None) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and here / name != without)
        yield from (here / name for name in sorted(files) if not name.startswith("."))
