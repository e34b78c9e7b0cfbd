"""``medsegai bench``: measure speed, memory and agreement with other programs on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.errors import BAD_INPUT_EXIT_CODE
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.bench.comparison import Comparison


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``bench``."""
    parser = commands.add_parser(
        "bench", parents=[common], help="measure speed and memory here, beside MONAI, SimpleITK and others"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", help="new folder for figures, table and picture")
    parser.add_argument(
        "--only", nargs="+", action="extend", default=[], metavar="NAME", help="measure these only (--list names all)"
    )
    parser.add_argument("--list", action="store_true", help="say what can be measured, and end")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: whether the answers are the same, no speed")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where networks run (default: cpu)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of each program (default: 1)")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds to take the median of (default: 5; quick: 1)")
    parser.add_argument("--compare", type=Path, metavar="BENCH.json", help="an earlier run to compare with")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Measure; exit code 2 where something of ours failed or gave another answer."""
    from MedSegAI.Logic.bench.catalogue import all_measures, measures_named

    if options.list:
        found = {measure.name: measure.compares for measure in all_measures()}
        return Outcome(found, tuple(f"{name}\n  {about}" for name, about in found.items()))
    from MedSegAI.CommandLine.errors import UsageError
    from MedSegAI.Logic.bench.comparison import compare
    from MedSegAI.Logic.bench.measure import Conditions
    from MedSegAI.Logic.bench.record import to_plain
    from MedSegAI.Logic.bench.record_file import read_record
    from MedSegAI.Logic.bench.run import run_bench
    from MedSegAI.Logic.settings import DeviceChoice

    if options.output is None:
        raise UsageError("There is no folder for the results.", advice="Name a new one with -o FOLDER.")
    measures = measures_named(options.only)
    conditions = Conditions(
        quick=options.quick,
        device=DeviceChoice(options.device),
        threads=options.threads,
        rounds=options.rounds if options.rounds is not None else 1 if options.quick else 5,
    )
    earlier = None if options.compare is None else read_record(options.compare)
    record = run_bench(measures, conditions, folder=options.output, reporter=reporter, earlier=earlier)
    compared = None if earlier is None else compare(record, earlier)
    facts = {"folder": str(options.output), "unsound": list(record.unsound), **to_plain(record)}
    lines = [f"Results: {options.output}", *record.unsound]
    if compared is not None:
        facts["slower"] = [change.where for change in compared.slower]
        lines += _compared(compared)
    return Outcome(facts, tuple(lines), BAD_INPUT_EXIT_CODE if record.unsound else 0)


def _compared(compared: Comparison) -> list[str]:
    if not compared.slower:
        return ["Nothing became slower than in the earlier run."]
    return ["Slower than in the earlier run:", *(f"- {change.where}" for change in compared.slower)]
