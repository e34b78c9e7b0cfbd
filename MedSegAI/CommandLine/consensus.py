"""``medsegai consensus``: several raters' masks of one scan become one, and their agreement is measured."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.rater_masks import add_rater_options, ratings_asked_for, refuse_unclear_raters
from MedSegAI.CommandLine.written_files import WrittenFiles, told_what_was_written
from MedSegAI.Logic.errors import InputError

if TYPE_CHECKING:
    from MedSegAI.Logic.agreement.results import CaseAgreement, LabelAgreement
    from MedSegAI.Logic.consensus.consensus import Consensus
    from MedSegAI.Logic.consensus.fuse import FuseSettings
    from MedSegAI.Logic.consensus.priors import GivenPrior, PriorFromVotes
    from MedSegAI.Logic.labels import LabelTable
    from MedSegAI.Logic.volume import Volume

_METHODS = ("staple", "majority", "simple")
_KEEPS_RECORD = ".nrrd"


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``consensus``."""
    parser = commands.add_parser("consensus", parents=[common], help="fuse raters' masks and measure their agreement")
    add_rater_options(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.seg.nrrd", help="the fused mask")
    parser.add_argument("--report", type=Path, metavar="DIR", help="agreement as HTML, CSV and JSON, into this folder")
    parser.add_argument("--method", choices=_METHODS, default="staple", help="default: %(default)s")
    parser.add_argument(
        "--threshold",
        type=_number,
        metavar="P",
        help="keep what is more probable than this (default: the likeliest)",
    )
    parser.add_argument(
        "--margin",
        type=_millimetres_or_none,
        default=10.0,
        metavar="MM|none",
        help="voxels counted around all votes; none counts the whole grid. STAPLE's prior depends on it "
        "(default: %(default)g)",
    )
    parser.add_argument(
        "--prior",
        action="extend",
        nargs="+",
        metavar="[LABEL=]P",
        help="STAPLE's prior probability of each label (default: its share of the votes)",
    )
    parser.add_argument(
        "--smoothing", type=_number, default=0.0, metavar="B", help="STAPLE: weight of each neighbour, such as 0.5"
    )
    parser.add_argument("--probability", type=Path, metavar="OUT.nrrd", help="probability map of a label")
    parser.add_argument("--label", metavar="LABEL", help="which label --probability is of, where there are several")
    parser.add_argument("--disagreement", type=Path, metavar="OUT.nrrd", help="map of where the raters disagree")
    parser.add_argument(
        "--tolerance",
        type=_number,
        default=2.0,
        metavar="MM",
        help="distance at which outlines count as the same in the surface Dice (default: %(default)g)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Fuse, measure, and write every file that was asked for; each is whole or not there."""
    from MedSegAI.Logic.agreement.fused import agreement_with_fused
    from MedSegAI.Logic.agreement.results import AgreementSettings
    from MedSegAI.Logic.consensus.fuse import Method, fuse
    from MedSegAI.Logic.files.formats import name_of
    from MedSegAI.Logic.files.read import read_volume
    from MedSegAI.Logic.volume import Volume

    _refuse_unusable_options(options)
    files = _wanted_files(options)
    scan = None if options.scan is None else read_volume(options.scan)
    ratings = ratings_asked_for(options, scan, reporter)
    if scan is not None and scan.grid.overlap(ratings.grid) == 0:
        raise InputError(f"'{options.scan}' lies elsewhere than the masks.", advice="Choose the scan they are of.")
    settings = _fuse_settings(options, ratings.table)
    label = None if options.probability is None else _label_of_map(options.label, ratings.table)
    fused = fuse(ratings, method=Method(options.method), settings=settings, reporter=reporter)
    labels = fused.labels if options.threshold is None else fused.at(options.threshold)
    agreement = agreement_with_fused(
        ratings,
        fused,
        case=name_of(options.output if options.case is None else options.case.resolve()),
        threshold=options.threshold,
        settings=AgreementSettings(tolerance_mm=options.tolerance),
        reporter=reporter,
    )
    with told_what_was_written(files):
        if options.report is not None:
            # First, since it alone can still fail for another reason than the disk.
            from MedSegAI.Logic.report.agreement_report import write_agreement_report

            files.write(
                "report",
                lambda folder: write_agreement_report(folder, agreement, ratings=ratings, scan=scan, consensus=labels),
            )
        _write_volumes(files, fused, Volume(labels, fused.grid, name="consensus"), label, _record(fused, options))
    return _outcome(fused, agreement, files, options)


def _write_volumes(files: WrittenFiles, fused: Consensus, labels: Volume, label: str | None, record: dict) -> None:
    from MedSegAI.Logic.consensus.disagreement import disagreement_map
    from MedSegAI.Logic.files.slicer_segments import CONSENSUS_FIELD
    from MedSegAI.Logic.files.write import write_segmentation, write_volume

    fields = {CONSENSUS_FIELD: json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))}
    files.write("consensus", lambda path: write_segmentation(path, labels, fused.table, metadata=fields))
    if "probability" in files.wanted:
        probability = labels.with_array(fused.probability(label))
        files.write("probability", lambda path: write_volume(path, probability, metadata=fields))
    if "disagreement" in files.wanted:
        files.write("disagreement", lambda path: write_volume(path, disagreement_map(fused), metadata=fields))


def _record(fused: Consensus, options: argparse.Namespace) -> dict:
    return {**fused.record.to_plain(), "margin_mm": options.margin, "threshold": options.threshold}


def _outcome(fused: Consensus, agreement: CaseAgreement, files: WrittenFiles, options: argparse.Namespace) -> Outcome:
    facts = {"files": files.as_facts(), "record": _record(fused, options), "agreement": agreement.to_plain()}
    lines = [_fused_line(fused)]
    for found in agreement.labels:
        lines += ["", f"{found.label.name}:", *_label_table(found, fused, options.threshold)]
    lines += ["", *agreement.sentences, *fused.record.notes]
    if not options.output.name.casefold().endswith(_KEEPS_RECORD):
        lines.append("The file has no place for the record of how it was fused; a .seg.nrrd has.")
    return Outcome(facts, (*lines, files.sentence()))


def _fused_line(fused: Consensus) -> str:
    record = fused.record
    text = f"Fused {', '.join(record.raters)} by {record.method}"
    if record.iterations:
        text += f" in {record.iterations} iterations"
    if record.prior is not None:
        text += ", prior " + ", ".join(
            f"{key} {value:.3g}" for key, value in record.prior.items() if key != "background"
        )
    return text + "."


def _label_table(found: LabelAgreement, fused: Consensus, threshold: float | None) -> tuple[str, ...]:
    from MedSegAI.Logic.agreement.sentences import figure

    rows = [("RATER", "ML", "DICE", "HD95 MM", "SURFACE DICE", "SENSITIVITY", "SPECIFICITY")]
    for rater, pair in zip(found.raters, found.with_consensus):
        measured = (pair.dice.value, pair.hd95_mm, pair.surface_dice, rater.sensitivity.value, rater.specificity.value)
        rows.append((rater.rater, figure(rater.volume_ml), *(figure(value, decimals=3) for value in measured)))
    first = found.with_consensus[0] if found.with_consensus else None
    if first is not None and first.difference_ml is not None:
        rows.append(("consensus", figure(found.raters[0].volume_ml - first.difference_ml)))
        rows[-1] += ("",) * (len(rows[0]) - len(rows[-1]))
    return columns(rows)


def _fuse_settings(options: argparse.Namespace, table: LabelTable) -> FuseSettings:
    from MedSegAI.Logic.consensus.fuse import FuseSettings
    from MedSegAI.Logic.consensus.staple import StapleSettings

    staple = StapleSettings(prior=_prior(options.prior, table), smoothing=options.smoothing)
    return FuseSettings(margin_mm=options.margin, staple=staple)


def _prior(given: list[str] | None, table: LabelTable) -> GivenPrior | PriorFromVotes:
    """The prior as asked for: one number for the only label, or LABEL=P for each of several."""
    from MedSegAI.Logic.consensus.priors import GivenPrior, PriorFromVotes

    if given is None:
        return PriorFromVotes()
    fractions = {}
    for text in given:
        name, _, number = text.rpartition("=")
        if not name and len(table) != 1:
            raise UsageError(
                f"--prior {text} does not say of which label.",
                advice="Write LABEL=P for each of: " + ", ".join(label.key for label in table) + ".",
            )
        fractions[table.find(name).key if name else table.labels[0].key] = _as_number("--prior", number)
    return GivenPrior(fractions)


def _label_of_map(wanted: str | None, table: LabelTable) -> str:
    """The key of the label whose probability is written."""
    if wanted is not None:
        return table.find(wanted).key
    if len(table) != 1:
        raise UsageError(
            f"--probability is of one label, and there are {len(table)}.",
            advice="Choose it with --label" + (f": {', '.join(label.key for label in table)}." if len(table) else "."),
        )
    return table.labels[0].key


def _refuse_unusable_options(options: argparse.Namespace) -> None:
    refuse_unclear_raters(options)
    if options.method != "staple" and (options.prior is not None or options.smoothing):
        raise UsageError("--prior and --smoothing are for --method staple.", advice="Leave them out.")
    if options.label is not None and options.probability is None:
        raise UsageError("--label is for --probability.", advice="Leave it out, or name the file of the map.")
    if options.scan is not None and options.report is None and not options.resample:
        raise UsageError("--scan is for --report and --resample.", advice="Leave it out, or ask for one of them.")
    if options.tolerance < 0:
        raise UsageError(f"A tolerance of {options.tolerance} mm is not possible.", advice="Choose 0 or more.")
    if options.threshold is not None and not 0 <= options.threshold < 1:
        raise UsageError(f"The threshold {options.threshold} is no probability.", advice="Choose it from 0 to below 1.")


def _wanted_files(options: argparse.Namespace) -> WrittenFiles:
    """What will be written, in this order, once every path was found usable."""
    from MedSegAI.Logic.files.formats import WRITABLE_ENDINGS

    asked = (
        ("consensus", "-o", options.output),
        ("probability", "--probability", options.probability),
        ("disagreement", "--disagreement", options.disagreement),
    )
    asked = [entry for entry in asked if entry[2] is not None]
    inputs = [path for path in (*options.masks, options.scan) if path is not None]
    refuse_unusable([Output(option, path, WRITABLE_ENDINGS) for _, option, path in asked], inputs=inputs)
    report = {} if options.report is None else {"report": options.report}
    return WrittenFiles(report | {what: path for what, _, path in asked})


def _millimetres_or_none(text: str) -> float | None:
    return None if text == "none" else _number(text)


def _number(text: str) -> float:
    """A finite number; argparse says in a sentence of its own where it is none."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _as_number(option: str, text: str) -> float:
    try:
        return _number(text)
    except ValueError as error:
        raise UsageError(f"{option} '{text}' is no number.", advice="Write a number such as 0.1.") from error
