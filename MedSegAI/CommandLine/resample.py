"""``medsegai resample``: a scan or a label map on another grid, whatever its size."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.scan_options import add_scan_options, modality_of
from MedSegAI.CommandLine.written_files import WrittenFiles, told_what_was_written
from MedSegAI.Logic.errors import InputError

if TYPE_CHECKING:
    from MedSegAI.Logic.files.plane_source import PlaneSource
    from MedSegAI.Logic.geometry import Grid
    from MedSegAI.Logic.large.task import LargeTask
    from MedSegAI.Logic.standardise.register import LinearTransform
    from MedSegAI.Logic.standardise.step import Step
    from MedSegAI.Logic.step_record import StepRecord

_INTERPOLATIONS = ("linear", "bspline", "nearest")
_KEEPS_NAMES = ".seg.nrrd"
_EXAMPLES = """examples:
  medsegai resample head.nii.gz -o head-1mm.nii.gz --spacing 1,1,1
  medsegai resample t2.nrrd -o t2-on-t1.nrrd --like t1.nrrd --transform t1-to-t2.tfm
  medsegai resample tumour.seg.nrrd -o tumour-on-t1.seg.nrrd --labels --like t1.nrrd
  medsegai resample WHOLE_BODY_CT -o lung.nrrd --spacing 1,1,1 --step window:preset=lung --chunked
"""


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``resample``."""
    parser = commands.add_parser(
        "resample",
        parents=[common],
        help="bring a scan or a label map to another grid",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("input", type=Path, metavar="INPUT", help="NIfTI, NRRD or MetaImage file, or a DICOM folder")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.nrrd", help="the scan on the new grid")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--spacing", type=_three_numbers, metavar="X,Y,Z", help="mm between voxels along the scan's own axes i, j, k"
    )
    where.add_argument("--like", type=Path, metavar="REF", help="take the grid of this scan")
    parser.add_argument("--interpolation", choices=_INTERPOLATIONS, default="linear", help="default: %(default)s")
    parser.add_argument("--labels", action="store_true", help="the input is a label map, whose values are never mixed")
    parser.add_argument(
        "--transform",
        type=Path,
        metavar="FILE.tfm",
        help="linear transform from the new grid's space to the scan's, as ITK and 3D Slicer store it (.tfm, .h5)",
    )
    parser.add_argument(
        "--background", type=_number, metavar="VALUE", help="value outside the scan (default: its smallest value)"
    )
    add_scan_options(parser)
    parser.add_argument(
        "--chunked", action="store_true", help="a few planes at a time; large scans are done so without being asked"
    )
    parser.add_argument("--uncompressed", action="store_true", help="write .nrrd faster and larger (with --chunked)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Resample, in memory or in slabs of planes; the file is whole or not there."""
    from MedSegAI.Logic.files.transform_file import read_linear_transform
    from MedSegAI.Logic.large.planned import is_large
    from MedSegAI.Logic.large.point_wise import can_be_done_in_parts

    files = _wanted_files(options)
    transform = None if options.transform is None else read_linear_transform(options.transform)
    source = _opened(options, reporter)
    if source is None:
        return _in_memory(options, files, transform, reporter)
    try:
        grid = _wanted_grid(options, source.grid)
        task = _task(options, grid, transform)
        in_planes = is_large(source, grid) and can_be_done_in_parts(task.steps) and _is_written_in_planes(options)
        if options.chunked or in_planes:
            return _in_planes(options, files, source, task, reporter)
        return _in_memory(options, files, transform, reporter)
    finally:
        source.close()


def _opened(options: argparse.Namespace, reporter: ConsoleReporter) -> PlaneSource | None:
    """The scan opened for reading in planes, or None where it has to be read whole."""
    from MedSegAI.Logic.files.planes.open_planes import open_planes

    if options.labels and options.input.name.casefold().endswith(_KEEPS_NAMES) and not options.chunked:
        return None
    try:
        return open_planes(options.input, modality=modality_of(options), series=options.series, reporter=reporter)
    except InputError:
        if options.chunked:
            raise
        # A tilted gantry is straightened as a whole; everything else is refused when it is read.
        return None


def _is_written_in_planes(options: argparse.Namespace) -> bool:
    from MedSegAI.Logic.files.formats import ending_of
    from MedSegAI.Logic.files.planes.write_planes import PLANE_ENDINGS

    return ending_of(options.output) in PLANE_ENDINGS


def _in_memory(
    options: argparse.Namespace, files: WrittenFiles, transform: LinearTransform | None, reporter: ConsoleReporter
) -> Outcome:
    from dataclasses import replace

    from MedSegAI.Logic.files.read import read_volume
    from MedSegAI.Logic.files.read_segmentation import read_segmentation
    from MedSegAI.Logic.files.write import write_segmentation, write_volume
    from MedSegAI.Logic.standardise.resample import Interpolation, resample, resample_labels
    from MedSegAI.Logic.standardise.resample_record import resample_record
    from MedSegAI.Logic.standardise.step import apply_steps

    way = Interpolation(options.interpolation)
    if options.labels:
        segmentation = read_segmentation(options.input)
        volume, table = segmentation.labels, segmentation.table
        before = _done_before(options, volume.steps)
    else:
        volume = read_volume(options.input, modality=modality_of(options), series=options.series)
        before = _done_before(options, volume.steps)
        volume = apply_steps(volume, _steps(options), reporter=reporter).volume
    grid = _wanted_grid(options, volume.grid)
    _refuse_apart(options, volume.grid, grid, transform)
    record = resample_record(volume.grid, grid, interpolation=way, transform=transform)
    with told_what_was_written(files):
        if options.labels:
            found = resample_labels(volume, grid, interpolation=way, transform=transform)
            files.write("labels", lambda path: write_segmentation(path, found, table, segmentation.provenance))
        else:
            dtype = volume.array.dtype if volume.array.dtype.kind in "iu" else None
            wanted = {"interpolation": way, "background": options.background, "transform": transform}
            found = resample(volume, grid, dtype=dtype, **wanted)
            found = replace(found, steps=(*found.steps, record))
            files.write("scan", lambda path: write_volume(path, found))
    return _outcome(files, grid, (*volume.steps, record)[before:], {"planes_at_a_time": False})


def _done_before(options: argparse.Namespace, steps: tuple[StepRecord, ...]) -> int:
    """How many of a scan's records a file brought along: none of a DICOM series, which tell how it was read now."""
    from MedSegAI.Logic.files.formats import ending_of

    return len(steps) if ending_of(options.input) else 0


def _in_planes(
    options: argparse.Namespace,
    files: WrittenFiles,
    source: PlaneSource,
    task: LargeTask,
    reporter: ConsoleReporter,
) -> Outcome:
    from MedSegAI.Logic.files.planes.write_planes import Compression
    from MedSegAI.Logic.large.resample_planes import resample_planes

    _refuse_apart(options, source.grid, task.grid, task.transform)
    compression = Compression.NONE if options.uncompressed else Compression.GZIP
    done = []
    with told_what_was_written(files):
        files.write(
            "labels" if options.labels else "scan",
            lambda path: done.append(resample_planes(source, task, path, reporter=reporter, compression=compression)),
        )
    facts = {"planes_at_a_time": True, "slabs": len(done[0].plan.slabs), "peak_bytes": done[0].plan.peak_bytes}
    steps = done[0].described.steps[_done_before(options, source.steps) :]
    return _outcome(files, task.grid, steps, facts)


def _outcome(files: WrittenFiles, grid: Grid, steps: tuple[StepRecord, ...], facts: dict[str, object]) -> Outcome:
    told = {"files": files.as_facts(), "grid": grid.to_plain(), "steps": [record.to_plain() for record in steps]}
    return Outcome({**told, **facts}, (*(record.sentence for record in steps), files.sentence()))


def _task(options: argparse.Namespace, grid: Grid, transform: LinearTransform | None) -> LargeTask:
    from MedSegAI.Logic.large.task import Content, LargeTask
    from MedSegAI.Logic.standardise.interpolation import Interpolation

    return LargeTask(
        grid,
        _steps(options),
        Interpolation(options.interpolation),
        Content.LABELS if options.labels else Content.VALUES,
        options.background,
        transform,
    )


def _steps(options: argparse.Namespace) -> tuple[Step, ...]:
    from MedSegAI.Logic.files.step_files import step_from_text_and_files

    return tuple(step_from_text_and_files(text) for text in options.steps)


def _wanted_grid(options: argparse.Namespace, grid: Grid) -> Grid:
    from MedSegAI.Logic.files.planes.open_planes import open_planes
    from MedSegAI.Logic.files.read import read_volume
    from MedSegAI.Logic.standardise.target_grids import grid_with_spacing

    if options.spacing is not None:
        return grid_with_spacing(grid, options.spacing)
    try:
        reference = open_planes(options.like)
    except InputError:
        # As in _opened.
        return read_volume(options.like).grid
    reference.close()
    return reference.grid


def _refuse_apart(options: argparse.Namespace, source: Grid, target: Grid, transform: LinearTransform | None) -> None:
    from MedSegAI.Logic.standardise.index_map import IndexMap

    if not IndexMap.between(source, target, transform).overlap(target.shape, source.shape):
        raise InputError(
            f"'{options.input}' lies elsewhere than '{options.like or 'the new grid'}': they do not touch.",
            advice="Check that both are of one patient and position, or give the transform between them (--transform).",
        )


def _wanted_files(options: argparse.Namespace) -> WrittenFiles:
    from MedSegAI.Logic.files.formats import SCAN_ENDINGS, WRITABLE_ENDINGS
    from MedSegAI.Logic.files.planes.write_planes import PLANE_ENDINGS

    if options.labels and options.interpolation == "bspline":
        raise UsageError("Labels cannot be interpolated by B-splines.", advice="Choose linear or nearest.")
    if options.labels and (options.steps or options.background is not None):
        raise UsageError("--step and --background are for scans, not for labels.", advice="Leave them out.")
    endings = PLANE_ENDINGS if options.chunked else WRITABLE_ENDINGS if options.labels else SCAN_ENDINGS
    refuse_unusable([Output("-o", options.output, endings)], inputs=[options.input])
    return WrittenFiles({"labels" if options.labels else "scan": options.output})


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number")
    return value


def _three_numbers(text: str) -> tuple[float, float, float]:
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not three numbers with commas between, such as 1,1,2.5"
        ) from None
    return x, y, z
