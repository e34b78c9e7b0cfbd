"""``medsegai corrections``: what experts corrected, listed, checked, taken in, given out, made a training set of."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.errors import BAD_INPUT_EXIT_CODE
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.corrections.entry import Entry
    from MedSegAI.Logic.corrections.journal import Journal

_MASK_ENDINGS = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".mha", ".dcm")
_CASE = "the case's folder, which holds journal.jsonl"


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``corrections`` and its six actions."""
    parser = commands.add_parser("corrections", help="list, import, export, replay, withdraw and verify corrections")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")

    listing = actions.add_parser("list", parents=[common], help="every entry of a case's journal")
    listing.add_argument("case", type=Path, metavar="CASE", help=_CASE)
    listing.set_defaults(run=_list)

    importing = actions.add_parser("import", parents=[common], help="put a rater's mask into a case's journal")
    importing.add_argument("mask", type=Path, metavar="MASK", help=".seg.nrrd, NIfTI, NRRD or DICOM segmentation")
    importing.add_argument("--case", type=Path, required=True, metavar="FOLDER", help="made where it is missing")
    importing.add_argument("--rater", required=True, metavar="NAME", help="who made the mask")
    importing.add_argument("--role", default="", help="what the rater is, such as radiologist")
    importing.add_argument("--status", default="final", choices=("draft", "final"), help="default: %(default)s")
    importing.add_argument("--comment", default="", metavar="TEXT")
    importing.add_argument("--base", type=Path, metavar="RESULT", help="what the rater started from, for a new case")
    importing.add_argument("--scan", type=Path, metavar="SCAN", help="the scan, to be recorded by path and SHA-256")
    importing.set_defaults(run=_import)

    exporting = actions.add_parser("export", parents=[common], help="make a training set of final corrections")
    exporting.add_argument("cases", type=Path, nargs="+", metavar="CASE", help=_CASE)
    exporting.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="the data folder to make")
    exporting.add_argument("--rater", metavar="NAME", help="this rater's corrections only")
    exporting.add_argument("--scan", type=Path, metavar="SCAN", help="the scan of the one case (default: as recorded)")
    exporting.set_defaults(run=_export)

    replaying = actions.add_parser("replay", parents=[common], help="write the labels as a rater or an entry left them")
    replaying.add_argument("case", type=Path, metavar="CASE", help=_CASE)
    replaying.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=", ".join(_MASK_ENDINGS))
    replaying.add_argument("--rater", metavar="NAME", help="this rater's latest labels")
    replaying.add_argument("--upto", type=int, metavar="NUMBER", help="as they were after this entry (default: last)")
    replaying.add_argument("--dicom", type=Path, metavar="FOLDER", help="the scan's DICOM series, for a .dcm file")
    replaying.set_defaults(run=_replay)

    withdrawing = actions.add_parser("withdraw", parents=[common], help="say that an entry no longer counts")
    withdrawing.add_argument("case", type=Path, metavar="CASE", help=_CASE)
    withdrawing.add_argument("number", type=int, metavar="NUMBER", help="the entry; it stays in the journal")
    withdrawing.add_argument("--rater", required=True, metavar="NAME", help="who made it")
    withdrawing.add_argument("--comment", default="", metavar="TEXT")
    withdrawing.set_defaults(run=_withdraw)

    verifying = actions.add_parser("verify", parents=[common], help="check the hash chain and replay every entry")
    verifying.add_argument("case", type=Path, metavar="CASE", help=_CASE)
    verifying.set_defaults(run=_verify)


def _list(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.corrections.journal import read_journal

    journal = read_journal(options.case)
    if journal.note:
        reporter.message(journal.note)
    rows = [_row(journal, entry) for entry in journal.entries]
    head = ("ENTRY", "ON", "STATUS", "RATER", "ROLE", "TIME", "VOXELS", "COMMENT")
    facts = [
        {**entry.to_plain(), "hash": entry.hash, "status_now": journal.status_of(entry).value}
        for entry in journal.entries
    ]
    return Outcome({"case": str(options.case), "entries": facts, "note": journal.note or None}, columns([head, *rows]))


def _row(journal: Journal, entry: Entry) -> tuple[str, ...]:
    shape = "-" if entry.box is None else " x ".join(map(str, entry.box.shape))
    is_base = entry.parent is None
    return (
        str(entry.number),
        "-" if is_base else str(entry.parent),
        "base" if is_base else journal.status_of(entry).value,
        entry.rater or entry.origin.model or "-",
        entry.role or "-",
        entry.time[:19].replace("T", " "),
        shape,
        " ".join(entry.comment.split()),
    )


def _import(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.corrections.entry import Status
    from MedSegAI.Logic.corrections.masks import import_mask, read_mask
    from MedSegAI.Logic.corrections.record import Rater
    from MedSegAI.Logic.corrections.scan_reference import scan_reference

    entry = import_mask(
        options.case,
        read_mask(options.mask),
        rater=Rater(options.rater, options.role),
        base=None if options.base is None else read_mask(options.base),
        status=Status(options.status),
        comment=options.comment,
        scan=None if options.scan is None else scan_reference(options.scan),
    )
    if entry is None:
        return Outcome(
            {"entry": None}, (f"Nothing to record: '{options.mask}' says what {options.rater} said before.",)
        )
    shape = "no voxel" if entry.box is None else f"a box of {' x '.join(map(str, entry.box.shape))} voxels"
    return Outcome(_facts(entry), (f"Entry {entry.number} of {options.case}: {entry.rater} changed {shape}.",))


def _export(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.corrections.training_set import export_training_set, final_corrections

    found = final_corrections(options.cases, scan=options.scan, rater=options.rater)
    content = export_training_set(found, options.output, reporter=reporter)
    rows = [(one["name"], one["rater"], f"entry {one['entry']}") for one in content["provenance"]]
    lines = (*columns([("NAME", "RATER", "FROM"), *rows]), f"Written: {options.output} ({len(rows)} labelled images)")
    return Outcome({"folder": str(options.output), "dataset": content}, lines)


def _replay(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.corrections.journal import read_journal
    from MedSegAI.Logic.corrections.masks import write_mask
    from MedSegAI.Logic.corrections.replay import replay

    refuse_unusable([Output("-o", options.output, _MASK_ENDINGS)])
    journal = read_journal(options.case)
    state = replay(journal, upto=options.upto, rater=options.rater)
    write_mask(options.output, state, source=options.dicom, rater=options.rater or "")
    return Outcome({"file": str(options.output)}, (f"Written: {options.output}",))


def _withdraw(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.corrections.record import Rater, withdraw

    entry = withdraw(options.case, options.number, rater=Rater(options.rater), comment=options.comment)
    return Outcome(_facts(entry), (f"Entry {options.number} no longer counts; entry {entry.number} says so.",))


def _verify(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.corrections.check import problems_of
    from MedSegAI.Logic.corrections.journal import read_journal

    journal = read_journal(options.case)
    problems = problems_of(options.case, reporter=reporter)
    last = journal.entries[-1].hash if journal.entries else ""
    whole = f"{options.case}: {len(journal.entries)} entries, all whole; the last hash is {last}"
    facts: dict[str, Any] = {
        "case": str(options.case),
        "entries": len(journal.entries),
        "last_hash": last or None,
        "problems": list(problems),
        "note": journal.note or None,
    }
    lines = (*(problems or (whole,)), *((journal.note,) if journal.note else ()))
    return Outcome(facts, lines, BAD_INPUT_EXIT_CODE if problems else 0)


def _facts(entry: Entry) -> dict[str, Any]:
    return {"entry": {**entry.to_plain(), "hash": entry.hash}}
