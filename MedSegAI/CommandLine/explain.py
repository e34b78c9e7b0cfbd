"""``medsegai explain``: what the network looked at for one label of a segmentation."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_options import DEFAULT_MODEL, add_case_options, named_paths, settings_of
from MedSegAI.CommandLine.case_run import made_by, open_runner, refuse_unknown_target
from MedSegAI.CommandLine.case_scans import paths_by_input, prepared, read_scans
from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.point_options import refuse_two_kinds_of_place, with_points
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.scene_file import SCENE_ENDINGS, build_scene, require_slicer_core, write_scene
from MedSegAI.CommandLine.written_files import WrittenFiles, told_what_was_written

if TYPE_CHECKING:
    from MedSegAI.Logic.files.read_segmentation import Segmentation
    from MedSegAI.Logic.models.registry import Model


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``explain``."""
    parser = commands.add_parser("explain", parents=[common], help="show what the network looked at for a label")
    parser.add_argument(
        "input",
        nargs="?",
        type=Path,
        metavar="INPUT",
        help="NIfTI, NRRD or MetaImage file, or a DICOM folder; left out where scans are given by --input",
    )
    parser.add_argument(
        "segmentation",
        nargs="?",
        type=Path,
        metavar="SEGMENTATION",
        help="a .seg.nrrd from 'segment', perhaps corrected since; without it the scan is segmented first",
    )
    add_case_options(parser, default_model=None)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.nrrd", help="the heat map, 0 to 1")
    parser.add_argument(
        "--target",
        metavar="LABEL",
        help="label to explain: its key, name or value; needed but for what lies at one --point",
    )
    parser.add_argument("--layer", help="layer to explain (default: the model card's)")
    parser.add_argument("--scene", type=Path, metavar="OUT.mrb", help="scan, segments and heat map for 3D Slicer")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Explain one label, and write the heat map and perhaps a scene."""
    from MedSegAI.Logic.explain.stored_result import result_of_file
    from MedSegAI.Logic.files.read_segmentation import read_segmentation
    from MedSegAI.Logic.files.write import write_volume
    from MedSegAI.Logic.inference.as_before import as_before
    from MedSegAI.Logic.report.heat_colours import HEAT_LEGEND

    settings = settings_of(options)
    refuse_two_kinds_of_place(options)
    _take_lone_file_for_segmentation(options)
    files = _wanted_files(options)
    stored = None if options.segmentation is None else read_segmentation(options.segmentation)
    model = _model(options, stored)
    paths = paths_by_input(model.card, [] if options.input is None else [options.input], options.named_inputs)
    if stored is not None and stored.provenance is not None and stored.provenance.reference_input in paths:
        options.reference = stored.provenance.reference_input
    target = _target(options, model)
    case = read_scans(options, model.card, paths, reporter)
    settings = with_points(settings, options, case.on.grid)
    result = None
    if stored is None:
        refuse_unknown_target(target, model.card, points=len(options.points))
    else:
        stored.table.find(target)
        result = result_of_file(stored, case.on)
    with open_runner(in_process=options.in_process) as runner, told_what_was_written(files):
        if result is None:
            case = prepared(case, options, card=model.card, runner=runner, reporter=reporter)
            result = runner.segment(case, model=model, settings=settings, reporter=reporter)
        else:
            case = as_before(case, result.provenance, reporter=reporter)
        label = result.table.find(target)
        wanted = {"target": target, "layer": options.layer, "settings": settings}
        heat = runner.explain(case, result, model=model, reporter=reporter, **wanted)
        files.write("heat map", lambda path: write_volume(path, heat, metadata=made_by(result)))
        if "scene" in files.wanted:
            files.write("scene", lambda path: write_scene(path, build_scene(case.on, result, heat=heat)))
    layer = options.layer or model.card.saliency_layer
    facts = {"files": files.as_facts(), "target": label.key, "layer": layer, "model": model.card.name}
    explained = f"Explained '{label.name}' by {model.card.name}, layer {layer}."
    return Outcome(facts, (explained, f"The heat map {HEAT_LEGEND}.", files.sentence()))


def _take_lone_file_for_segmentation(options: argparse.Namespace) -> None:
    """Where the scans have names, the one file without a name is the segmentation."""
    if options.named_inputs and options.segmentation is None:
        options.input, options.segmentation = None, options.input


def _wanted_files(options: argparse.Namespace) -> WrittenFiles:
    from MedSegAI.Logic.files.formats import SCAN_ENDINGS

    if options.segmentation is not None:
        _refuse_what_the_segmentation_knows(options)
    outputs = [Output("-o", options.output, SCAN_ENDINGS)]
    wanted = {"heat map": options.output}
    if options.scene is not None:
        require_slicer_core()
        outputs.append(Output("--scene", options.scene, SCENE_ENDINGS))
        wanted["scene"] = options.scene
    inputs = [options.input, options.segmentation, *named_paths(options.named_inputs).values()]
    refuse_unusable(outputs, inputs=[path for path in inputs if path is not None])
    return WrittenFiles(wanted)


def _refuse_what_the_segmentation_knows(options: argparse.Namespace) -> None:
    given = {
        "--roi": options.roi is not None,
        "--point": bool(options.points),
        "--prepare": bool(options.prepare),
        "--reference": options.reference is not None,
        "--align": options.align != "auto",
    }
    for option in (option for option, is_given in given.items() if is_given):
        raise UsageError(
            f"{option} and a segmentation exclude each other.",
            advice="The segmentation knows its regions, and how its scans were prepared and aligned: so it is again.",
        )


def _target(options: argparse.Namespace, model: Model) -> str:
    """The label to explain; of one place that was pointed at, what was found there."""
    if options.target is not None:
        return options.target
    if len(options.points) == 1 and model.card.needs_point:
        from MedSegAI.Logic.inference.pointed_regions import labels_of_point

        return labels_of_point(model.card, 1)[0].key
    raise UsageError("The following arguments are required: --target.", advice="Try 'medsegai explain --help'.")


def _model(options: argparse.Namespace, stored: Segmentation | None) -> Model:
    """The model that was asked for, else the one that made the segmentation, else the shipped one."""
    from MedSegAI.Logic.models.registry import find_model

    made_with = stored.provenance.model if stored is not None and stored.provenance is not None else None
    return find_model(options.model or made_with or DEFAULT_MODEL)
