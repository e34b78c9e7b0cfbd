"""A model in 8-bit numbers: its Dice beside the model's, and the CPU seconds of a window beside torch's and MONAI's.

    python -m Testing.Benchmarks.quantised [--model hippocampus-mr] [--cases 10] [--window 64,64,64] [-o figures.json]

Calibrated on training cases, measured on validation cases. Needs the hippocampus crops (MEDSEGAI_DATA). Times are CPU
seconds of one thread, interleaved, medians. "MONAI" is its eager SwinUNETR with the same weights.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openvino
import torch
from monai.networks.nets.swin_unetr import SwinUNETR as MonaiSwinUNETR

from MedSegAI.Logic.bench.clock import interleaved_medians
from MedSegAI.Logic.inference.engines.openvino_engine import cpu_properties
from MedSegAI.Logic.inference.engines.openvino_graph import openvino_model
from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.quantise.int8_graph import int8_graph
from MedSegAI.Logic.quantise.quantise import QuantiseChoices, quantise
from MedSegAI.Logic.reporter import SilentReporter
from Testing.conftest import REPOSITORY_ROOT

DATA = Path(os.environ.get("MEDSEGAI_DATA") or REPOSITORY_ROOT / ".." / "shared" / "data") / "msd_hippocampus"


def measured_dice(model: Model, cases: int | None, windows: int) -> dict:
    """The record of an 8-bit form that is thrown away afterwards; any drop is allowed, so that it is shown."""
    lists = json.loads((DATA / "split.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        split = Path(folder) / "split.json"
        split.write_text(json.dumps({"train": lists["train"], "val": lists["val"][:cases]}))
        choices = QuantiseChoices(windows=windows, largest_drop=0.99)
        made = quantise(
            model, DATA, split=split, choices=choices, reporter=SilentReporter(), folder=Path(folder) / "int8"
        )
        return made.record.to_plain() | {"drop": made.record.drop}


def of_window(model: Model, window: tuple[int, int, int], runs: int) -> dict[str, float]:
    """CPU seconds of one window."""
    network, card = load_network(model), model.card
    monai = MonaiSwinUNETR(**card.network_arguments).eval()
    monai.load_state_dict(network.state_dict())
    generator = np.random.default_rng(0)
    voxels = generator.normal(size=(1, len(card.inputs), *window)).astype(np.float32)
    graph = openvino_model(network, window=window, channels=len(card.inputs), batch=1)
    core, properties = openvino.Core(), cpu_properties()
    compiled = {"OpenVINO": core.compile_model(graph, "CPU", properties)}
    calibration = [generator.normal(size=voxels.shape[1:]).astype(np.float32) for _ in range(2)]
    compiled["OpenVINO int8"] = core.compile_model(int8_graph(graph, calibration), "CPU", properties)

    def by_torch(contestant: torch.nn.Module) -> Callable[[], None]:
        def run() -> None:
            with torch.inference_mode():
                contestant(torch.from_numpy(voxels))

        return run

    def by_openvino(contestant: openvino.CompiledModel) -> Callable[[], None]:
        return lambda: contestant(voxels)

    work = {"MONAI": by_torch(monai), "torch": by_torch(network)}
    work |= {name: by_openvino(contestant) for name, contestant in compiled.items()}
    return interleaved_medians(work, runs=runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="hippocampus-mr")
    parser.add_argument("--cases", type=int, help="the first cases of the validation list only (default: all)")
    parser.add_argument("--windows", type=int, default=64, help="to calibrate with (default: %(default)s)")
    parser.add_argument("--window", default="64,64,64", help="k,j,i of the window that is timed (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, help="write every figure as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    model = find_model(options.model)
    record = measured_dice(model, options.cases, options.windows)
    print(
        f"Dice on {record['measured_on']['cases']} cases: {record['dice_float']:.4f} as it is, "
        f"{record['dice_int8']:.4f} in 8 bits, drop {record['drop']:+.4f}"
    )
    window = tuple(int(side) for side in options.window.split(","))
    seconds = of_window(model, window, options.runs)
    for name, found in seconds.items():
        print(f"{name:15} {found * 1000:8.1f} ms   {seconds['MONAI'] / found:5.2f} times as fast as MONAI")
    if options.output:
        options.output.write_text(json.dumps({"record": record, "seconds": seconds}, indent=2) + "\n")


if __name__ == "__main__":
    main()
