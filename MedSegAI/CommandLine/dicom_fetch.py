"""``medsegai dicom fetch``: series from an archive that speaks DICOMweb, into a folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.dicom_archive import TOKEN_SENTENCE, add_user_option, archive_at
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.Logic.errors import InputError

if TYPE_CHECKING:
    from MedSegAI.Logic.files.dicom.web_archive import WebArchive
    from MedSegAI.Logic.files.dicom.web_fetch import RemoteSeries

_EXAMPLES = f"""examples:
  medsegai dicom fetch https://pacs.example/dicom-web --list --patient P-17
  medsegai dicom fetch https://pacs.example/dicom-web/studies/1.2.3/series/4.5.6 -o head

{TOKEN_SENTENCE}
"""


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``fetch``."""
    parser = actions.add_parser(
        "fetch",
        parents=[common],
        help="list what an archive has, or fetch a series or a study of it into a folder, by DICOMweb",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("url", metavar="URL", help="SERVICE, SERVICE/studies/UID or SERVICE/studies/UID/series/UID")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="a new folder; of a study, one folder a series inside it"
    )
    what.add_argument("--list", action="store_true", dest="listing", help="show the series instead of fetching them")
    parser.add_argument("--patient", metavar="ID", default="", help="with --list: only this patient ID")
    parser.add_argument("--modality", metavar="CODE", default="", help="only series of this modality, such as CT")
    add_user_option(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.files.dicom.web_fetch import find_remote_series, web_address

    place = web_address(options.url)
    if not options.listing and not place.study_uid:
        raise InputError(
            f"'{options.url}' names a whole archive.",
            advice="See what it has with --list, and give the address of a study or series.",
        )
    archive = archive_at(place.service, options, reporter)
    found = find_remote_series(
        archive,
        study_uid=place.study_uid,
        series_uid=place.series_uid,
        patient_id=options.patient,
        modality=options.modality,
    )
    if options.listing:
        return Outcome({"series": [_facts(one, archive) for one in found]}, _table(found, archive))
    if not found:
        raise InputError(
            f"The archive has no such series: {options.url}.", advice="See what it has with --list and its address."
        )
    return _fetch(archive, found, options, reporter, into_one=bool(place.series_uid))


def _fetch(
    archive: WebArchive,
    found: tuple[RemoteSeries, ...],
    options: argparse.Namespace,
    reporter: ConsoleReporter,
    *,
    into_one: bool,
) -> Outcome:
    from MedSegAI.Logic.files.dicom.web_fetch import fetch_series

    facts, lines = [], []
    for series in found:
        folder = options.output if into_one else options.output / series.uid
        files = fetch_series(archive, series, folder, reporter=reporter)
        facts.append({**_facts(series, archive), "folder": str(folder), "files": [str(path) for path in files]})
        lines.append(f"Fetched {len(files)} files of '{series.description or series.uid}' into {folder}.")
    return Outcome({"series": facts}, tuple(lines))


def _address(series: RemoteSeries, archive: WebArchive) -> str:
    return f"{archive.url}/studies/{series.study_uid}/series/{series.uid}"


def _facts(series: RemoteSeries, archive: WebArchive) -> dict[str, Any]:
    keys = ("study_uid", "uid", "description", "number", "modality", "patient", "study", "study_date", "instances")
    return {**{key: getattr(series, key) for key in keys}, "url": _address(series, archive)}


def _table(found: tuple[RemoteSeries, ...], archive: WebArchive) -> tuple[str, ...]:
    if not found:
        return ("The archive has no such series.",)
    rows = [("SERIES", "KIND", "DESCRIPTION", "PATIENT", "DATE", "FILES", "ADDRESS")]
    for one in found:
        number = "-" if one.number is None else str(one.number)
        described = (one.modality or "-", one.description or "-", one.patient or "-", one.study_date or "-")
        rows.append((number, *described, str(one.instances or "-"), _address(one, archive)))
    return columns(rows)
