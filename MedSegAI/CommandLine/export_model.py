"""``medsegai models export``: a model as an ONNX file for other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.progress import ConsoleReporter

_PRECISIONS = ("float32", "float16")


def add_parser(actions: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``models export``."""
    parser = actions.add_parser("export", parents=[common], help="write a model as an ONNX file, checked against torch")
    parser.add_argument("model", help="name of an installed model, or a model folder")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.onnx", help="where to put it")
    parser.add_argument("--batch", type=int, metavar="N", help="windows at once (default: any number)")
    parser.add_argument(
        "--precision",
        choices=_PRECISIONS,
        default="float32",
        help="of the products inside; input and output are float32 (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace, reporter: ConsoleReporter) -> Outcome:
    """Export, check, and say what is in the file."""
    from MedSegAI.Logic.models.registry import find_model

    refuse_unusable([Output("-o", options.output, (".onnx",))])
    model = find_model(options.model)

    from MedSegAI.Logic.export.onnx_export import OPSET, Precision, export_onnx

    export = export_onnx(
        model, options.output, reporter=reporter, batch=options.batch, precision=Precision(options.precision)
    )
    parity, card = export.parity, model.card
    window = " x ".join(map(str, card.window))
    batch = "any number of" if options.batch is None else str(options.batch)
    other = ", ".join(export.unsupported)
    lines = (
        f"Written: {export.path} (ONNX, opset {OPSET}).",
        f"Takes {batch} windows of {len(card.inputs)} x {window} voxels, prepared as the card says; gives logits.",
        f"Checked against torch: logits differ by at most {parity.largest_difference:.2g}, "
        f"{parity.equal_labels:.2%} of the labels are equal.",
        f"TensorRT is not known to take: {other}."
        if other
        else f"All {len(export.operators)} operators are ones that TensorRT lists; no engine was built from it yet.",
    )
    facts = {
        "file": str(export.path),
        "opset": OPSET,
        "precision": options.precision,
        "operators": export.operators,
        "unsupported_by_tensorrt": list(export.unsupported),
        "largest_difference": parity.largest_difference,
        "equal_labels": parity.equal_labels,
        "windows_compared": parity.windows,
    }
    return Outcome(facts, lines)
