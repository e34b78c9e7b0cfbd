"""``medsegai demo``: a real average brain segmented and explained, with pictures, on nothing but what is installed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_options import DEFAULT_MODEL
from MedSegAI.CommandLine.case_run import (
    made_by,
    open_runner,
    refuse_unknown_target,
    run_line,
    volume_facts,
    volume_lines,
    volumes_looked_for,
)
from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.scene_file import build_scene, write_scene, write_surface_picture
from MedSegAI.CommandLine.written_files import WrittenFiles, told_what_was_written
from MedSegAI.Logic.errors import DependencyError

if TYPE_CHECKING:
    from MedSegAI.CommandLine.scene_file import CaseScene
    from MedSegAI.Logic.evaluation.symmetry import Symmetry
    from MedSegAI.Logic.inference.result import SegmentationResult
    from MedSegAI.Logic.report.volumes import SegmentVolume
    from MedSegAI.Logic.volume import Volume

TARGET = "left_anterior_hippocampus"
_FILES = {
    "segmentation": "segmentation.seg.nrrd",
    "volumes": "volumes.csv",
    "heat map": "heatmap.nrrd",
    "slices": "slices.png",
    "scene": "scene.mrb",
    "3D view": "view3d.png",
}
_SLICE_WIDTH_MM = 160.0


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``demo``."""
    parser = commands.add_parser("demo", parents=[common], help="segment and explain the ICBM152 brain, with pictures")
    parser.add_argument("-o", "--output", type=Path, default=Path("demo"), metavar="FOLDER", help="default: demo")
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME_OR_PATH", help="default: %(default)s")
    parser.add_argument("--target", default=TARGET, metavar="LABEL", help="label to explain (default: %(default)s)")
    parser.add_argument("--in-process", action="store_true", help="compute in this process instead of a worker process")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Segment both hippocampi of the ICBM152 T1, explain one label, and write data and pictures into one folder."""
    from MedSegAI.Logic.evaluation.symmetry import left_right_symmetry
    from MedSegAI.Logic.files.atomic import make_folder
    from MedSegAI.Logic.files.write import write_segmentation, write_volume
    from MedSegAI.Logic.localise.atlas import icbm152_t1
    from MedSegAI.Logic.models.registry import find_model
    from MedSegAI.Logic.settings import RunSettings

    model, settings = find_model(options.model), RunSettings()
    refuse_unknown_target(options.target, model.card)
    scan = replace(icbm152_t1(), name="ICBM152 T1")
    folder = make_folder(options.output)
    files = WrittenFiles({what: folder / name for what, name in _FILES.items()})
    with told_what_was_written(files), open_runner(in_process=options.in_process) as runner:
        result = runner.segment(scan, model=model, settings=settings, reporter=reporter)
        volumes = volumes_looked_for(result)
        files.write(
            "segmentation", lambda path: write_segmentation(path, result.labels, result.table, result.provenance)
        )
        files.write("volumes", lambda path: _write_table(path, volumes))
        heat = runner.explain(scan, result, model=model, target=options.target, settings=settings, reporter=reporter)
        files.write("heat map", lambda path: write_volume(path, heat, metadata=made_by(result)))
        left_out = _write_pictures(files, scan, result, heat, reporter)
    symmetry = left_right_symmetry(result.labels, result.table)
    facts = {
        "files": files.as_facts(),
        "left_out": left_out,
        "volumes": volume_facts(volumes),
        "symmetry": [asdict(entry) for entry in symmetry],
        "seconds": result.provenance.seconds,
    }
    lines = (run_line(result), *volume_lines(volumes), *_symmetry_lines(symmetry), *_place_lines(files))
    return Outcome(facts, lines)


def _write_table(path: Path, volumes: tuple[SegmentVolume, ...]) -> None:
    from MedSegAI.Logic.files.atomic import write_beside
    from MedSegAI.Logic.report.volumes import volumes_as_csv

    with write_beside(path) as temporary:
        temporary.write_text(volumes_as_csv(volumes), encoding="utf-8")


def _write_pictures(
    files: WrittenFiles, scan: Volume, result: SegmentationResult, heat: Volume, reporter: ConsoleReporter
) -> dict[str, str]:
    """The figure, the scene and the 3D view; what this machine cannot make is left out and said."""
    from MedSegAI.Logic.report.plane_drawing import write_figure
    from MedSegAI.Logic.report.slice_figure import slice_figure

    left_out: dict[str, str] = {}

    def write(what: str, writer: Callable[[Path], object]) -> None:
        try:
            files.write(what, writer)
        except DependencyError as error:
            left_out[files.wanted[what].name] = str(error)
            reporter.message(f"Left out: {files.wanted[what].name}. {error}")

    options = {"labels": result.labels, "table": result.table, "heat": heat, "width_mm": _SLICE_WIDTH_MM}
    title = f"{scan.name}, segmented by {result.provenance.model}. Heat: {heat.name}"
    write("slices", lambda path: write_figure(path, slice_figure(scan, title=title, **options)))
    scenes: list[CaseScene] = []

    def write_new_scene(path: Path) -> None:
        scenes.append(build_scene(scan, result, heat=heat))
        write_scene(path, scenes[0])

    write("scene", write_new_scene)
    if scenes:
        write("3D view", lambda path: write_surface_picture(path, scenes[0]))
    else:
        left_out[files.wanted["3D view"].name] = left_out[files.wanted["scene"].name]
    return left_out


def _symmetry_lines(symmetry: tuple[Symmetry, ...]) -> tuple[str, ...]:
    rows = [
        (entry.structure.replace("_", " ").capitalize(), "-" if entry.dice is None else f"{entry.dice:.3f}")
        for entry in symmetry
    ]
    return ("Dice of the left and the mirrored right side (plausibility, not accuracy):", *columns(rows))


def _place_lines(files: WrittenFiles) -> tuple[str, ...]:
    return ("Written:", *columns([(f"  {what}", str(files.wanted[what])) for what in files.done]))
