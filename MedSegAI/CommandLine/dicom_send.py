"""``medsegai dicom send``: DICOM files to an archive that speaks DICOMweb."""

from __future__ import annotations

import argparse
from pathlib import Path

from MedSegAI.CommandLine.dicom_archive import TOKEN_SENTENCE, add_user_option, archive_at
from MedSegAI.CommandLine.errors import BAD_INPUT_EXIT_CODE
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``send``."""
    parser = actions.add_parser(
        "send",
        parents=[common],
        help="send DICOM files to an archive by DICOMweb; refuses files that name a patient unless told otherwise",
    )
    parser.add_argument("source", type=Path, metavar="DIR", help="a folder with DICOM files, or one file")
    parser.add_argument("url", metavar="URL", help="DICOMweb service, such as https://pacs.example/dicom-web")
    parser.add_argument(
        "--identified",
        action="store_true",
        help="send files that name a patient, too; without it, all must say that they were de-identified",
    )
    add_user_option(parser)
    parser.epilog = TOKEN_SENTENCE
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.files.dicom.web_store import Privacy, send_files

    archive = archive_at(options.url, options, reporter)
    privacy = Privacy.IDENTIFIED_TOO if options.identified else Privacy.DEIDENTIFIED_ONLY
    sent = send_files(options.source, archive, privacy=privacy, reporter=reporter)
    facts = {
        "stored": [str(path) for path in sent.stored],
        "failed": [{"file": str(path), "reason": reason} for path, reason in sent.failed],
        "identified": sent.identified,
    }
    total = len(sent.stored) + len(sent.failed)
    lines = [f"Stored {len(sent.stored)} of {total} files in {archive.url}."]
    lines += [f"Not stored: '{path}': {reason}." for path, reason in sent.failed]
    return Outcome(facts, tuple(lines), BAD_INPUT_EXIT_CODE if sent.failed else 0)
