"""``medsegai segment``: scans in; a segmentation out, and on request confidence, heat map and scene."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_options import add_case_options, settings_of
from MedSegAI.CommandLine.case_run import (
    made_by,
    nodule_facts,
    nodule_lines,
    open_runner,
    refuse_unknown_target,
    run_line,
    volume_facts,
    volume_lines,
    volumes_looked_for,
)
from MedSegAI.CommandLine.case_scans import paths_by_input, prepared, read_scans
from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.giant_scan import giant_case
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.point_options import refuse_two_kinds_of_place, with_points
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.scene_file import SCENE_ENDINGS, build_scene, require_slicer_core, write_scene
from MedSegAI.CommandLine.written_files import WrittenFiles, told_what_was_written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from MedSegAI.Logic.inference.result import SegmentationResult
    from MedSegAI.Logic.inference.scans import InputScans
    from MedSegAI.Logic.models.card import ModelCard
    from MedSegAI.Logic.models.registry import Model
    from MedSegAI.Logic.report.measured_nodules import MeasuredNodule
    from MedSegAI.Logic.settings import RunSettings


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``segment``."""
    parser = commands.add_parser("segment", parents=[common], help="segment a scan, or several of one patient")
    parser.add_argument(
        "inputs",
        type=Path,
        nargs="*",
        metavar="INPUT",
        help="NIfTI, NRRD or MetaImage file, or a DICOM folder; several in the order of the model's inputs",
    )
    add_case_options(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.seg.nrrd", help="the segmentation")
    parser.add_argument("--confidence", type=Path, metavar="OUT.nrrd", help="probability of the label that won")
    parser.add_argument("--heatmap", type=Path, metavar="OUT.nrrd", help="what the network looked at, for --target")
    parser.add_argument("--target", metavar="LABEL", help="label to explain: its key, name or value")
    parser.add_argument("--layer", help="layer to explain (default: the model card's)")
    parser.add_argument("--measures", type=Path, metavar="OUT.csv", help="size and diameters of what was pointed at")
    parser.add_argument("--scene", type=Path, metavar="OUT.mrb", help="scan, segments and heat map for 3D Slicer")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Segment, and write every file that was asked for; each is whole or not there."""
    from MedSegAI.Logic.files.write import write_segmentation, write_volume
    from MedSegAI.Logic.models.registry import find_model
    from MedSegAI.Logic.report.measured_nodules import measured_nodules, nodules_as_csv

    _refuse_lonely_options(options)
    settings = settings_of(options, keep_confidence=options.confidence is not None)
    model = find_model(options.model)
    _refuse_measures_of_others(options, model.card)
    paths = paths_by_input(model.card, options.inputs, options.named_inputs)
    files = _wanted_files(options, inputs=list(paths.values()))
    if options.target is not None:
        refuse_unknown_target(options.target, model.card, points=len(options.points))
    with giant_case(options, model.card, paths, reporter) as giant:
        if giant is not None:
            return _in_planes(options, giant, model, settings, files, reporter)
    case = read_scans(options, model.card, paths, reporter)
    settings = with_points(settings, options, case.on.grid)
    heat = None
    with open_runner(in_process=options.in_process) as runner, told_what_was_written(files):
        case = prepared(case, options, card=model.card, runner=runner, reporter=reporter)
        result = runner.segment(case, model=model, settings=settings, reporter=reporter)
        files.write(
            "segmentation", lambda path: write_segmentation(path, result.labels, result.table, result.provenance)
        )
        if "confidence" in files.wanted:
            files.write("confidence", lambda path: write_volume(path, result.confidence, metadata=made_by(result)))
        if "heat map" in files.wanted:
            wanted = {"target": options.target, "layer": options.layer, "settings": settings}
            heat = runner.explain(case, result, model=model, reporter=reporter, **wanted)
            files.write("heat map", lambda path: write_volume(path, heat, metadata=made_by(result)))
        nodules = measured_nodules(result, case.on) if model.card.needs_point else ()
        if "measures" in files.wanted:
            files.write("measures", lambda path: _write_text(path, nodules_as_csv(nodules)))
        if "scene" in files.wanted:
            files.write("scene", lambda path: write_scene(path, build_scene(case.on, result, heat=heat)))
    return _outcome(result, files, nodules)


def _in_planes(
    options: argparse.Namespace,
    case: InputScans,
    model: Model,
    settings: RunSettings,
    files: WrittenFiles,
    reporter: ConsoleReporter,
) -> Outcome:
    """Segment a scan that stays in its file, in this process; its labels lie beside the output until they are done."""
    from MedSegAI.Logic.files.write import write_segmentation
    from MedSegAI.Logic.inference.segment import segment

    reporter.message(f"'{case.on.name}' is large: it is read a few planes at a time.")
    room = options.output.expanduser().resolve().parent
    with told_what_was_written(files):
        result = segment(case, model, settings=settings, reporter=reporter, room=room)
        files.write(
            "segmentation", lambda path: write_segmentation(path, result.labels, result.table, result.provenance)
        )
    return _outcome(result, files, ())


def _outcome(result: SegmentationResult, files: WrittenFiles, nodules: Sequence[MeasuredNodule]) -> Outcome:
    volumes = volumes_looked_for(result)
    facts = {
        "files": files.as_facts(),
        "volumes": volume_facts(volumes),
        **({"nodules": nodule_facts(nodules)} if nodules else {}),
        "provenance": json.loads(result.provenance.to_json()),
    }
    lines = nodule_lines(nodules, volumes) if nodules else volume_lines(volumes)
    return Outcome(facts, (run_line(result), *lines, files.sentence()))


def _write_text(path: Path, text: str) -> None:
    from MedSegAI.Logic.files.atomic import write_beside

    with write_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _refuse_lonely_options(options: argparse.Namespace) -> None:
    refuse_two_kinds_of_place(options)
    if options.measures is not None and not options.points:
        raise UsageError("--measures needs --point.", advice="Point at what is to be measured, or leave it out.")
    if (options.heatmap is None) != (options.target is None):
        raise UsageError(
            "--heatmap and --target belong together.",
            advice="Name the label and the file of its heat map.",
        )
    if options.layer is not None and options.heatmap is None:
        raise UsageError("--layer needs --heatmap and --target.", advice="Leave it out, or ask for a heat map.")


def _refuse_measures_of_others(options: argparse.Namespace, card: ModelCard) -> None:
    if options.measures is not None and not card.needs_point:
        raise UsageError(
            f"--measures is for a model that segments what is pointed at, which '{card.name}' is not.",
            advice="Leave it out; the volumes are shown anyway.",
        )


def _wanted_files(options: argparse.Namespace, *, inputs: list[Path]) -> WrittenFiles:
    """What will be written, in this order, once every path was found usable."""
    from MedSegAI.Logic.files.formats import SCAN_ENDINGS, WRITABLE_ENDINGS

    asked = (
        ("segmentation", "-o", options.output, WRITABLE_ENDINGS),
        ("confidence", "--confidence", options.confidence, SCAN_ENDINGS),
        ("heat map", "--heatmap", options.heatmap, SCAN_ENDINGS),
        ("measures", "--measures", options.measures, (".csv",)),
        ("scene", "--scene", options.scene, SCENE_ENDINGS),
    )
    asked = [entry for entry in asked if entry[2] is not None]
    refuse_unusable([Output(option, path, endings) for _, option, path, endings in asked], inputs=inputs)
    if options.scene is not None:
        require_slicer_core()
    return WrittenFiles({what: path for what, _, path, _ in asked})
