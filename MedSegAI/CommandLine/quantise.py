"""``medsegai models quantise``: the 8-bit form of a model, kept only where it is as accurate on labelled cases."""

from __future__ import annotations

import argparse
from pathlib import Path

from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter

_DECIMALS = 4


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``models quantise``."""
    parser = actions.add_parser(
        "quantise", parents=[common], help="make a faster 8-bit form of a model, if it stays accurate"
    )
    parser.add_argument("model", help="name of an installed model, or a model folder")
    parser.add_argument(
        "--dataset", type=Path, required=True, metavar="DIR", help="folder with imagesTr and labelsTr (Decathlon)"
    )
    parser.add_argument("--split", type=Path, required=True, metavar="FILE", help="JSON file with lists of case names")
    parser.add_argument("--subset", default="val", help="the list to measure both forms on (default: %(default)s)")
    parser.add_argument(
        "--calibrate-on",
        default="train",
        metavar="SUBSET",
        help="the list whose windows fix the 8-bit ranges; shares no case with the other (default: %(default)s)",
    )
    parser.add_argument("--cases", type=int, default=20, help="cases to calibrate with (default: %(default)s)")
    parser.add_argument("--windows", type=int, default=64, help="windows of theirs, at most (default: %(default)s)")
    parser.add_argument(
        "--largest-drop",
        type=float,
        default=0.005,
        metavar="DICE",
        help="how much lower the mean Dice may be (default: %(default)s)",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="where to put it (default: where runs look for it)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Quantise, measure, keep or refuse."""
    from MedSegAI.Logic.models.registry import find_model

    model = find_model(options.model)

    from MedSegAI.Logic.quantise.quantise import QuantiseChoices, quantise

    made = quantise(
        model,
        options.dataset,
        split=options.split,
        choices=QuantiseChoices(
            measured_on=options.subset,
            calibrated_on=options.calibrate_on,
            cases=options.cases,
            windows=options.windows,
            largest_drop=options.largest_drop,
        ),
        reporter=reporter,
        folder=options.output,
    )
    record = made.record
    rows = [("LABEL", "DICE", "IN 8 BITS")]
    rows += [(key, _figure(before), _figure(after)) for key, (before, after) in record.dice_by_label.items()]
    before, after = record.seconds_per_case
    lines = (
        *columns(rows),
        f"Kept: {record.sentence()}.",
        f"A case took {after:.2f} s instead of {before:.2f} s with torch.",
        f"Written: {made.folder}. Runs use it with the engine openvino-int8.",
    )
    return Outcome({"folder": str(made.folder), "drop": record.drop, "record": record.to_plain()}, lines)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.{_DECIMALS}f}"
