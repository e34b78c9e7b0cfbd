"""``medsegai align``: a scan brought to lie on another; the scan, the transform and a picture on request."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.case_run import open_runner
from MedSegAI.CommandLine.columns import columns
from MedSegAI.CommandLine.errors import UsageError
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.CommandLine.written_files import WrittenFiles, told_what_was_written

if TYPE_CHECKING:
    from MedSegAI.Logic.align.alignment import Alignment

_EXAMPLES = """examples:
  medsegai align flair.nii.gz --to t1.nii.gz -o flair-on-t1.nrrd --picture both.png
  medsegai align flair.nii.gz --to t1.nii.gz --transform t1-to-flair.tfm
  medsegai align flair.nii.gz --to t1.nii.gz -o flair-moved.nrrd --keep-voxels
"""


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``align``."""
    parser = commands.add_parser(
        "align",
        parents=[common],
        help="bring a scan to lie on another of the same patient",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    scan = "NIfTI, NRRD or MetaImage file, or a DICOM folder"
    parser.add_argument("moving", type=Path, metavar="MOVING", help=f"the scan to align: {scan}")
    parser.add_argument("--to", type=Path, required=True, metavar="REFERENCE", help="the scan that stays")
    parser.add_argument("-o", "--output", type=Path, metavar="OUT.nrrd", help="the scan on the reference's grid")
    parser.add_argument(
        "--keep-voxels",
        action="store_true",
        help="with -o: the scan's own voxels at their new place, instead of interpolated on the reference's grid",
    )
    parser.add_argument(
        "--transform", type=Path, metavar="OUT.tfm", help="the rigid transform, as ITK and 3D Slicer store it"
    )
    parser.add_argument("--picture", type=Path, metavar="OUT.png", help="both in a chess board, before and after")
    parser.add_argument(
        "--series", metavar="UID", help="series UID or description of MOVING, where a folder has several"
    )
    parser.add_argument("--to-series", metavar="UID", help="the same of REFERENCE")
    parser.add_argument("--in-process", action="store_true", help="compute in this process instead of a worker process")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Align, and write what was asked for; where the alignment fails, nothing is written."""
    from MedSegAI.Logic.align.check import refuse_other_patient
    from MedSegAI.Logic.align.move import moved
    from MedSegAI.Logic.align.to_grid import on_grid_of
    from MedSegAI.Logic.files.read import read_volume
    from MedSegAI.Logic.files.transform_file import write_linear_transform
    from MedSegAI.Logic.files.write import write_volume
    from MedSegAI.Logic.inference.bring_together import refuse_failed

    files = _wanted_files(options)
    moving = read_volume(options.moving, series=options.series)
    reference = read_volume(options.to, series=options.to_series)
    refuse_other_patient(moving, reference)
    with open_runner(in_process=options.in_process) as runner:
        alignment = runner.start_align(moving, reference=reference, reporter=reporter).wait()
    refuse_failed(alignment)
    there = moved(moving, alignment, reference=reference)
    with told_what_was_written(files):
        if "scan" in files.wanted:
            scan = there if options.keep_voxels else on_grid_of(there, reference)
            files.write("scan", lambda path: write_volume(path, scan))
        if "transform" in files.wanted:
            files.write("transform", lambda path: write_linear_transform(path, alignment.transform))
        if "picture" in files.wanted:
            from MedSegAI.Logic.report.alignment_picture import alignment_figure
            from MedSegAI.Logic.report.plane_drawing import write_figure

            figure = alignment_figure(reference, moving, there, sentence=alignment.sentence())
            files.write("picture", lambda path: write_figure(path, figure))
    return _outcome(alignment, files)


def _outcome(alignment: Alignment, files: WrittenFiles) -> Outcome:
    quality = alignment.quality
    facts = {
        "files": files.as_facts(),
        "quality": asdict(quality),
        "transform": list(alignment.transform.matrix),
    }
    rows = [
        ("", "before", "after"),
        (
            "normalised mutual information",
            f"{quality.mutual_information_before:.4f}",
            f"{quality.mutual_information_after:.4f}",
        ),
        ("overlap", f"{quality.overlap_before:.0%}", f"{quality.overlap_after:.0%}"),
    ]
    verdict = (
        f"'{alignment.moving}' lies on '{alignment.reference}': {quality.verdict.value}, moved by "
        f"{quality.moved_mm:.1f} mm, sure to {quality.spread_mm:.1f} mm."
    )
    doubt = ("Look at the picture (--picture) before you trust it.",) if quality.verdict.value == "doubtful" else ()
    return Outcome(facts, (verdict, *doubt, *columns(rows), files.sentence()))


def _wanted_files(options: argparse.Namespace) -> WrittenFiles:
    from MedSegAI.Logic.files.formats import SCAN_ENDINGS
    from MedSegAI.Logic.files.transform_file import WRITABLE_TRANSFORM_ENDINGS

    asked = [
        entry
        for entry in (
            ("scan", "-o", options.output, SCAN_ENDINGS),
            ("transform", "--transform", options.transform, WRITABLE_TRANSFORM_ENDINGS),
            ("picture", "--picture", options.picture, (".png",)),
        )
        if entry[2] is not None
    ]
    if not asked:
        raise UsageError("There is nothing to write.", advice="Name at least one of -o, --transform and --picture.")
    if options.keep_voxels and options.output is None:
        raise UsageError("--keep-voxels needs -o.", advice="Name the file of the scan, or leave it out.")
    outputs = [Output(option, path, endings) for _, option, path, endings in asked]
    refuse_unusable(outputs, inputs=[options.moving, options.to])
    return WrittenFiles({what: path for what, _, path, _ in asked})
