"""``medsegai batch``: a folder of scans, segmented by several processes or computers; resumes where it was stopped."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_options import DEFAULT_MODEL, add_compute_options, settings_of
from MedSegAI.CommandLine.case_run import refuse_unknown_target
from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.errors import BAD_INPUT_EXIT_CODE, UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.batch.case import BatchCase
    from MedSegAI.Logic.batch.run import BatchRun, OpenWorkers
    from MedSegAI.Logic.models.registry import Model

_MOST_ROWS = 30


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``batch``."""
    parser = commands.add_parser(
        "batch", parents=[common], help="segment many scans; resumes where it was stopped, one bad scan stops no other"
    )
    parser.add_argument("inputs", type=Path, nargs="*", metavar="FOLDER|FILE", help="scans, or folders that hold them")
    parser.add_argument("--list", type=Path, metavar="CASES.csv", help="a CSV with a column scan, and id and series")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder for all results")
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME_OR_PATH", help="default: %(default)s")
    parser.add_argument("--heatmap", metavar="LABEL", help="also make a heat map of this label: its key, name or value")
    parser.add_argument("--dicom-seg", action="store_true", help="DICOM scans also get a DICOM segmentation")
    parser.add_argument(
        "--prepare",
        action="extend",
        nargs="+",
        default=[],
        metavar="STEP",
        help="bring each scan into shape first: kind:setting=value,..., as in 'medsegai standardise'",
    )
    workers = parser.add_mutually_exclusive_group()
    workers.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="processes on this computer (default: one a core, at most 4); 0 computes in this process",
    )
    workers.add_argument(
        "--scheduler", metavar="ADDRESS", help="a running dask scheduler, such as tcp://HOST:8786; paths are shared"
    )
    parser.add_argument(
        "--roi", metavar="REGION", help="where to look, the same in every scan; as in 'medsegai segment --help'"
    )
    parser.add_argument("--retry-failed", action="store_true", help="try the cases again that failed before")
    add_compute_options(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Find the cases, do those that are not done, and show the table; exit code 2 where some are not done."""
    from MedSegAI.Logic.batch.batch_settings import BatchSettings, PrepareStep
    from MedSegAI.Logic.batch.plan import Failures
    from MedSegAI.Logic.batch.run import run_batch
    from MedSegAI.Logic.models.registry import find_model

    if bool(options.inputs) == (options.list is not None):
        raise UsageError("Either scans or --list must be given.", advice="Name a folder, files, or a list of cases.")
    model = find_model(options.model)
    if options.heatmap is not None:
        refuse_unknown_target(options.heatmap, model.card)
    settings = BatchSettings(
        model.folder.resolve(),
        run=settings_of(options),
        prepare=tuple(PrepareStep.from_text(text) for text in options.prepare),
        heat_map_of=options.heatmap,
        dicom_segmentation=options.dicom_seg,
    )
    cases = _cases(options, model, reporter)
    done = run_batch(
        cases,
        options.output.expanduser(),
        settings=settings,
        open_workers=_workers(options, settings.model, reporter),
        failures=Failures.RETRY if options.retry_failed else Failures.KEEP,
        reporter=reporter,
    )
    return _outcome(done)


def _cases(options: argparse.Namespace, model: Model, reporter: ConsoleReporter) -> tuple[BatchCase, ...]:
    from MedSegAI.Logic.batch.case_list import read_case_list
    from MedSegAI.Logic.batch.find_cases import find_cases

    if options.list is not None:
        return read_case_list(options.list)
    modality = model.card.inputs[0].modality
    return find_cases(options.inputs, modality=modality, without=options.output.expanduser(), reporter=reporter)


def _workers(options: argparse.Namespace, model: Path, reporter: ConsoleReporter) -> OpenWorkers:
    from MedSegAI.Logic.batch.open_workers import processes_here, this_process, workers_of

    if options.scheduler is not None:
        needed = (options.output.expanduser().resolve(), model)
        return functools.partial(workers_of, options.scheduler, needed=needed)
    if options.workers == 0:
        return functools.partial(this_process, reporter.cancelled)
    return functools.partial(processes_here, options.workers)


def _outcome(done: BatchRun) -> Outcome:
    from MedSegAI.Logic.batch.case_record import CaseStatus

    table = done.table
    good, failed = table.with_status(CaseStatus.DONE), table.with_status(CaseStatus.FAILED)
    facts = {**table.to_plain(), "done_now": done.done_now, "files": {k: str(v) for k, v in done.files.items()}}
    lines = list(_case_lines(done) if len(table.cases) <= _MOST_ROWS else ())
    lines += _label_lines(done)
    lines += [f"Failed: {record.case}: {record.sentence}" for record in failed]
    rest = len(table.cases) - len(good) - len(failed)
    lines.append(
        f"{len(good)} of {len(table.cases)} cases are done ({done.done_now} in this run), {len(failed)} failed"
        f"{f', {rest} were not done' if rest else ''}."
    )
    lines.append(f"Written: table '{done.files['table']}'; results in '{done.files['table'].parent / 'cases'}'.")
    return Outcome(facts, tuple(lines), 0 if len(good) == len(table.cases) else BAD_INPUT_EXIT_CODE)


def _case_lines(done: BatchRun) -> tuple[str, ...]:
    labels = done.table.labels
    rows = [("CASE", "STATUS", *(f"{name} (mL)".upper() for _, name in labels), "SECONDS")]
    for record in done.table.records_in_order():
        volumes = {entry.key: f"{entry.volume_ml:.2f}" if entry.voxels else "not found" for entry in record.volumes}
        cells = (volumes.get(key, "-") for key, _ in labels)
        rows.append((record.case, record.status.value, *cells, f"{record.seconds:.1f}"))
    return (*columns(rows), "")


def _label_lines(done: BatchRun) -> tuple[str, ...]:
    summaries = done.table.summaries()
    if not summaries:
        return ()
    rows = [("STRUCTURE", "FOUND IN", "MEAN ML", "SMALLEST", "LARGEST")]
    for entry in summaries:
        millilitres = (f"{value:.2f}" for value in (entry.mean_ml, entry.smallest_ml, entry.largest_ml))
        rows.append((entry.name, f"{entry.found} of {entry.looked_for}", *millilitres))
    return (*columns(rows), "")


def _count(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = -1
    if count < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of workers")
    return count
