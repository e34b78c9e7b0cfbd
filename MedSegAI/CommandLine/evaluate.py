"""``medsegai evaluate``: a model on labelled cases, two such tables compared, LUNA16, and curves of any scores."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine import evaluate_luna16, evaluate_roc
from MedSegAI.CommandLine.case_options import add_compute_options, compute_settings
from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.written_tables import write_table

if TYPE_CHECKING:
    from MedSegAI.Logic.evaluation.voxel_curves import VoxelCurves

_EXAMPLES = """examples:
  medsegai evaluate --model hippocampus-mr --dataset DIR --split DIR/split.json -o ours.json
  medsegai evaluate --compare ours.json theirs.json
  medsegai evaluate luna16 DIR --model lung-nodule-ct --predictions nnU-Net=PREDICTIONS -o RESULTS
  medsegai evaluate roc scores.csv --truth malignant --score ours --score theirs
"""
_ALWAYS = ("model", "dataset", "split")


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``evaluate``, and ``evaluate luna16`` and ``evaluate roc``."""
    parser = commands.add_parser(
        "evaluate",
        parents=[common],
        help="measure a model on labelled cases, or compare two such tables",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", metavar="NAME_OR_PATH", help="the model to measure")
    parser.add_argument("--dataset", type=Path, metavar="DIR", help="folder with imagesTr and labelsTr (Decathlon)")
    parser.add_argument("--split", type=Path, metavar="FILE", help="JSON file with lists of case names")
    parser.add_argument("--subset", default="val", help="which of its lists (default: %(default)s)")
    parser.add_argument(
        "--subjects",
        default="",
        metavar="RULE",
        help="regular expression that finds the subject in a case's name; intervals are drawn over subjects",
    )
    parser.add_argument(
        "--tolerance", type=float, metavar="MM", help="distance that surface Dice takes for agreement (default: 1)"
    )
    parser.add_argument(
        "--lesion-iou", type=float, metavar="OVERLAP", help="overlap 0..1 from which lesions match (default: any voxel)"
    )
    parser.add_argument("--curves", type=Path, metavar="FOLDER", help="also ROC and PR curves of the voxels, as a page")
    parser.add_argument("--band", type=float, metavar="MM", help="curves of voxels this near to the reference's border")
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A.json", "B.json"), help="compare two tables")
    parser.add_argument("--metrics", metavar="NAME,...", help="scores to compare (default: dice,hd95_mm,surface_dice)")
    add_compute_options(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="TABLE.json", help="write every figure as JSON")
    parser.set_defaults(run=run)
    others = parser.add_subparsers(title="other kinds of data", metavar="KIND", required=False, dest="kind")
    evaluate_luna16.add_parser(others, common)
    evaluate_roc.add_parser(others, common)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Measure or compare, show the table, and write it where that was asked for."""
    if options.compare is not None:
        return _compare(options)
    missing = [f"--{name}" for name in _ALWAYS if getattr(options, name) is None]
    if missing:
        raise UsageError(
            f"The following arguments are required: {', '.join(missing)}.", advice="Try 'medsegai evaluate --help'."
        )
    if options.metrics is not None:
        raise UsageError("--metrics goes with --compare only.", advice="Leave it out: every score is measured.")
    return _evaluate(options, reporter)


def _evaluate(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.models.registry import find_model

    settings = compute_settings(options)
    if options.output is not None:
        refuse_unusable([Output("-o", options.output, (".json",))], inputs=[options.split])
    model = find_model(options.model)
    curves = _curves(options)

    from MedSegAI.Logic.evaluation.evaluate import evaluate
    from MedSegAI.Logic.evaluation.metrics import ScoreSettings

    chosen = {"tolerance_mm": options.tolerance, "lesion_iou": options.lesion_iou}
    evaluation = evaluate(
        model,
        options.dataset,
        split=options.split,
        subset=options.subset,
        settings=settings,
        reporter=reporter,
        scoring=ScoreSettings(**{name: value for name, value in chosen.items() if value is not None}),
        subject_rule=options.subjects,
        curves=curves,
    )
    lines = evaluation.to_text().rstrip("\n").splitlines()
    facts = evaluation.to_plain()
    if options.output is not None:
        lines.append(write_table(options.output, evaluation.to_json()))
    if curves is not None:
        from MedSegAI.Logic.report.curve_report import write_voxel_curves

        summary = curves.summary(subject_rule=options.subjects)
        path = write_voxel_curves(options.curves, summary, title=f"{evaluation.model} on {evaluation.dataset}")
        lines += ["", *summary.to_text().splitlines(), f"Written: {path}"]
        facts["curves"] = summary.to_plain()
    return Outcome(facts, tuple(lines))


def _curves(options: argparse.Namespace) -> VoxelCurves | None:
    if options.curves is None:
        if options.band is not None:
            raise UsageError("--band goes with --curves only.", advice="Say with --curves where the curves go.")
        return None
    from MedSegAI.Logic.evaluation.voxel_curves import VoxelCurves
    from MedSegAI.Logic.files.new_folder import refuse_used

    refuse_used(options.curves)
    return VoxelCurves(band_mm=options.band)


def _compare(options: argparse.Namespace) -> Outcome:
    given = [f"--{name}" for name in (*_ALWAYS, "curves") if getattr(options, name) is not None]
    if given:
        raise UsageError(f"{given[0]} does not go with --compare.", advice="Measure first, then compare the two files.")
    if options.output is not None:
        refuse_unusable([Output("-o", options.output, (".json",))], inputs=options.compare)

    import dataclasses
    import json

    from MedSegAI.Logic.evaluation.compare import COMPARED, compare_evaluations
    from MedSegAI.Logic.evaluation.stored import read_evaluation

    one, other = map(read_evaluation, options.compare)
    if options.subjects:
        one = dataclasses.replace(one, subject_rule=options.subjects)
    metrics = COMPARED if options.metrics is None else [name.strip() for name in options.metrics.split(",")]
    comparison = compare_evaluations(one, other, metrics=metrics)
    lines = comparison.to_text().rstrip("\n").splitlines()
    if options.output is not None:
        lines.append(write_table(options.output, json.dumps(comparison.to_plain(), indent=2) + "\n"))
    return Outcome(comparison.to_plain(), tuple(lines))
