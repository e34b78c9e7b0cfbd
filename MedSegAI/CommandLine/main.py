"""The ``medsegai`` command: reads the command line, runs one command, shows its outcome or its one sentence."""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from MedSegAI.CommandLine import (
    align,
    batch,
    bench,
    consensus,
    corrections,
    demo,
    dicom,
    doctor,
    evaluate,
    explain,
    models,
    pretrain,
    recalibrate,
    resample,
    segment,
    standardise,
    train,
)
from MedSegAI.CommandLine.case_options import with_regions_joined
from MedSegAI.CommandLine.errors import UsageError, as_shown, show_error
from MedSegAI.CommandLine.interruption import stop_on_signals
from MedSegAI.CommandLine.missing_streams import open_missing_streams
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter, JsonReporter
from MedSegAI.Logic.worker.busy_computer import share_from_now_on

_EXAMPLES = """examples:
  medsegai segment head.nii.gz -o head.seg.nrrd
  medsegai segment head.nii.gz -o head.seg.nrrd --heatmap heat.nrrd --target left_anterior_hippocampus --scene head.mrb
  medsegai explain head.nii.gz head.seg.nrrd -o heat.nrrd --target right_anterior_hippocampus
  medsegai segment t1.nii.gz t1c.nii.gz t2.nii.gz flair.nii.gz -o tumour.seg.nrrd --model MODEL --reference T1c
  medsegai segment chest.nii.gz -o nodules.seg.nrrd --model lung-nodule-ct --point 62.5,-31,-140
  medsegai align flair.nii.gz --to t1.nii.gz -o flair-on-t1.nrrd --picture both.png
  medsegai doctor
"""
_COMMANDS = (
    segment,
    explain,
    standardise,
    resample,
    align,
    evaluate,
    batch,
    models,
    corrections,
    consensus,
    dicom,
    pretrain,
    train,
    recalibrate,
    bench,
    doctor,
    demo,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    0 all went well; 1 a fault of the program; 2 an input, option or file that cannot be used; 130 stopped by Ctrl-C.
    """
    open_missing_streams()
    share_from_now_on()
    arguments = with_regions_joined(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        options = command_line_parser().parse_args(arguments)
        outcome = _run(options)
        _show(outcome, as_json=options.json)
        return outcome.exit_code
    except BrokenPipeError:
        _close_broken_output()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        return _show_failure(error, as_json=as_json)


def command_line_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="write one JSON object for machines instead of text")
    parser = _Parser(
        prog="medsegai",
        description="Segment medical volumes and see what the network looked at.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_version_line())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="command")
    for command in _COMMANDS:
        command.add_parser(commands, common)
    return parser


class _Parser(argparse.ArgumentParser):
    """Raises instead of leaving the process, so that a usage error looks like every other error.

    Options must be written out: an abbreviation that works today would become ambiguous with the next option.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message[:1].upper()}{message[1:]}.", advice=f"Try '{self.prog} --help'.")


def _run(options: argparse.Namespace) -> Outcome:
    reporter = JsonReporter() if options.json else ConsoleReporter()
    with reporter, stop_on_signals(reporter), _quiet_libraries(reporter):
        return options.run(options, reporter)


def _show(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        text = json.dumps(_without_odd_numbers(outcome.facts), ensure_ascii=False, allow_nan=False)
    else:
        text = "\n".join(outcome.lines)
    if text:
        sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _without_odd_numbers(value: Any) -> Any:
    """JSON knows neither NaN nor infinity; null stands for both."""
    if isinstance(value, dict):
        return {key: _without_odd_numbers(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_odd_numbers(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _show_failure(error: BaseException, *, as_json: bool) -> int:
    try:
        return show_error(as_shown(error), as_json=as_json)
    except BrokenPipeError:
        _close_broken_output()
        return as_shown(error).exit_code


def _close_broken_output() -> None:
    """Nobody reads any more (``medsegai ... | head``): keep Python from complaining when it flushes at exit."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)


@contextmanager
def _quiet_libraries(reporter: ConsoleReporter) -> Iterator[None]:
    """Warnings of our own log become messages; those of other libraries are not for the person at the terminal."""
    log = logging.getLogger("MedSegAI")
    handler = _MessageHandler(reporter)
    log.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.removeHandler(handler)


class _MessageHandler(logging.Handler):
    def __init__(self, reporter: ConsoleReporter) -> None:
        super().__init__(logging.WARNING)
        self._reporter = reporter

    def emit(self, record: logging.LogRecord) -> None:
        self._reporter.message(record.getMessage())


def _version_line() -> str:
    from importlib import metadata

    try:
        return f"medsegai {metadata.version('medsegai')}"
    except metadata.PackageNotFoundError:
        return "medsegai (not installed, run from a source folder)"
