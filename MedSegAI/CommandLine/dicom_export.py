"""``medsegai dicom export``: a result as DICOM objects of the study it belongs to."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.volume import Volume

_OBJECTS = ("seg", "confidence", "pm", "sr", "rtstruct")
_KINDS = ("binary", "labelmap")
_MEANING = {
    "seg": "Segmentation",
    "confidence": "Confidence (fractional segmentation)",
    "pm": "Heat map (parametric map)",
    "sr": "Measurements (structured report)",
    "rtstruct": "Contours (RT structure set)",
}
_IDENTIFIED = (
    "They name the patient as the scan's own files do. Before they leave: medsegai dicom deidentify, together with the "
    "scan."
)
_DEIDENTIFIED = "They say that they were de-identified, as the scan's own files do."


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``export``."""
    parser = actions.add_parser(
        "export", parents=[common], help="write a segmentation, its measurements and a heat map as DICOM"
    )
    parser.add_argument("segmentation", type=Path, metavar="RESULT.seg.nrrd", help="what 'segment' wrote")
    parser.add_argument("--source", type=Path, required=True, metavar="DIR", help="the DICOM series of the scan")
    parser.add_argument("--series", metavar="UID|NAME", help="which series, where the folder holds several")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    parser.add_argument(
        "--objects",
        type=_objects,
        metavar="LIST",
        help=f"what to write, of {','.join(_OBJECTS)} (default: seg,sr and what --heatmap and --confidence give)",
    )
    parser.add_argument("--seg-type", choices=_KINDS, default="binary", help="default: %(default)s")
    parser.add_argument("--heatmap", type=Path, metavar="HEAT.nrrd", help="heat map of the same scan")
    parser.add_argument("--target", metavar="LABEL", default="", help="label that the heat map explains")
    parser.add_argument("--confidence", type=Path, metavar="CONF.nrrd", help="confidence of the same segmentation")
    parser.add_argument("--creator", metavar="NAME", default="", help="who made or corrected the result")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    from MedSegAI.Logic.files.dicom.export import DicomObject, SegmentationKind, export_case
    from MedSegAI.Logic.files.read_segmentation import read_segmentation

    segmentation = read_segmentation(options.segmentation)
    label = segmentation.table.find(options.target).key if options.target else ""
    written = export_case(
        options.output,
        segmentation,
        source=options.source,
        series=options.series,
        objects=None if options.objects is None else [DicomObject(what) for what in options.objects],
        kind=SegmentationKind(options.seg_type),
        heat_map=_volume(options.heatmap),
        heat_label=label,
        confidence=_volume(options.confidence),
        creator=options.creator,
        reporter=reporter,
    )
    facts = {
        "objects": [
            {
                "kind": one.kind.value,
                "file": str(one.path),
                "sop_class_uid": one.sop_class_uid,
                "series_uid": one.series_uid,
                "instance_uid": one.instance_uid,
                "deidentified": one.deidentified,
            }
            for one in written
        ]
    }
    lines = [f"{_MEANING[one.kind.value]}: {one.path}" for one in written]
    return Outcome(facts, (*lines, _DEIDENTIFIED if all(one.deidentified for one in written) else _IDENTIFIED))


def _volume(path: Path | None) -> Volume | None:
    from MedSegAI.Logic.files.read import read_volume

    return None if path is None else read_volume(path)


def _objects(text: str) -> list[str]:
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in _OBJECTS]
    if unknown or not wanted:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of {', '.join(_OBJECTS)}")
    return wanted
