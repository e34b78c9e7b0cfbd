"""Whole volumes: our engines against MONAI's ``sliding_window_inference`` and SwinUNETR, same weights, same windows.

    python -m Testing.Benchmarks.whole_volume                      # shipped model on a head, feature sizes 12 and 48
    python -m Testing.Benchmarks.whole_volume --only head --engines torch openvino --runs 3 -o figures.json

Cases: ``head`` is the shipped hippocampus model around both hippocampi of the ICBM152 head; ``12`` and ``48`` are
untrained networks of that feature size, whose classes lie closer together than those of any trained one. CPU seconds of
one thread, medians of interleaved runs; an engine's preparation, kept for good in real use, is told apart. Dice is
that of our labels with MONAI's, the mean over the classes that either gives.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from monai.networks.nets.swin_unetr import SwinUNETR as MonaiSwinUNETR

from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.engines.openvino_graph import openvino_model
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.localise.atlas import icbm152_t1
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from Testing.Benchmarks.interleaved_medians import interleaved_medians

ENGINES = ("torch", "openvino")
OVERLAP = 0.5


@dataclass(frozen=True)
class Case:
    """A network twice, ours and MONAI's with equal weights, and an image (1, k, j, i) float32 that windows divide."""

    ours: torch.nn.Module
    monai: torch.nn.Module
    image: np.ndarray
    window: tuple[int, int, int]
    classes: int


class Silent:
    """Reporter of nothing."""

    def progress(self, done: int, total: int, stage: str) -> None:
        """Ignore it."""

    def message(self, text: str) -> None:
        """Ignore it."""

    def cancelled(self) -> bool:
        """Never."""
        return False


class OpenVino:
    """The least of an engine around a compiled graph of one window."""

    name, fallbacks, device_name, logits_device = "OpenVINO", (), "cpu", "cpu"

    def __init__(self, case: Case) -> None:
        import openvino

        graph = openvino_model(case.ours, window=case.window, channels=1, batch=1)
        options = {"INFERENCE_NUM_THREADS": torch.get_num_threads(), "INFERENCE_PRECISION_HINT": "f32"}
        self._request = openvino.Core().compile_model(graph, "CPU", options).create_infer_request()

    def predict(self, windows: np.ndarray) -> np.ndarray:
        """As an engine does."""
        return np.concatenate([self._request.infer([window[None]])[0] for window in windows])

    def step_down(self) -> str:
        """There is no lower rung."""
        raise NotImplementedError


def head_case() -> Case:
    """The shipped model around the hippocampi; the windows share half of their voxels, as in the card."""
    model = find_model("hippocampus-mr")
    ours = load_network(model)
    monai = MonaiSwinUNETR(**model.card.network_arguments)
    monai.load_state_dict(ours.state_dict())
    head = icbm152_t1().array.astype(np.float32)
    head = (head - head.mean()) / head.std()
    middle = [side // 2 for side in head.shape]
    shape = (64, 96, 96)
    low = [centre - side // 2 for centre, side in zip((middle[0] - 8, middle[1], middle[2]), shape)]
    image = head[tuple(slice(start, start + side) for start, side in zip(low, shape))]
    return Case(ours.eval(), monai.eval(), np.ascontiguousarray(image[None]), model.card.window, 3)


def untrained_case(feature_size: int, side: int, windows: tuple[int, int, int]) -> Case:
    """An untrained network with window attention of 7 over so many windows an axis, on smoothed noise."""
    torch.manual_seed(0)
    arguments = {"in_channels": 1, "out_channels": 3, "feature_size": feature_size}
    monai = MonaiSwinUNETR(**arguments).eval()
    ours = SwinUNETR(**arguments).eval()
    ours.load_state_dict(monai.state_dict())
    noise = torch.randn(1, 1, *(side + (count - 1) * side // 2 for count in windows))
    image = torch.nn.functional.avg_pool3d(noise, 3, 1, 1)[0] * 5
    return Case(ours, monai, image.numpy(), (side,) * 3, 3)


CASES: dict[str, Callable[[argparse.Namespace], Case]] = {
    "head": lambda options: head_case(),
    "12": lambda options: untrained_case(12, options.side, (2, 1, 1)),
    "48": lambda options: untrained_case(48, options.side_48, (2, 1, 1)),
}


def engine_of(name: str, case: Case) -> Engine:
    return EagerEngine(case.ours) if name == "torch" else OpenVino(case)


def our_labels(case: Case, engine: Engine) -> np.ndarray:
    return segment_array(
        case.image, engine, window=case.window, overlap=OVERLAP, classes=case.classes, reporter=Silent()
    ).labels


def monai_labels(case: Case) -> np.ndarray:
    with torch.inference_mode():
        logits = sliding_window_inference(
            torch.from_numpy(case.image)[None], case.window, 1, case.monai, OVERLAP, mode="gaussian"
        )
        return logits.argmax(1)[0].to(torch.uint8).numpy()


def mean_dice(one: np.ndarray, other: np.ndarray) -> float:
    """Over the labels, background left out, that either has."""
    found = [label for label in np.union1d(one, other) if label]
    return float(
        np.mean([2 * np.sum((one == c) & (other == c)) / (np.sum(one == c) + np.sum(other == c)) for c in found])
    )


def measure(name: str, case: Case, engines: list[str], runs: int) -> list[dict]:
    """One row a contestant; what it takes to prepare an engine counts apart."""
    opened, prepared = {}, {"MONAI": 0.0}
    for engine in engines:
        start = time.process_time()
        opened[engine] = engine_of(engine, case)
        prepared[engine] = time.process_time() - start
    labels = {engine: our_labels(case, one) for engine, one in opened.items()} | {"MONAI": monai_labels(case)}
    work = {"MONAI": lambda: monai_labels(case)}
    work |= {engine: lambda one=one: our_labels(case, one) for engine, one in opened.items()}
    seconds = interleaved_medians(work, runs)
    rows = []
    for contestant, median in seconds.items():
        row = {
            "case": name,
            "shape": case.image.shape[1:],
            "window": case.window,
            "contestant": contestant,
            "cpu_seconds": median,
            "times_monai": seconds["MONAI"] / median,
            "dice_with_monai": mean_dice(labels[contestant], labels["MONAI"]),
            "preparation_cpu_seconds": prepared[contestant],
        }
        rows.append(row)
        print(
            f"{name:6}{'x'.join(map(str, row['shape'])):>14}  {contestant:10}{median:9.2f} s"
            f"{row['times_monai']:8.2f}x   Dice {row['dice_with_monai']:.4f}",
            flush=True,
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--side", type=int, default=96, help="side of the windows of feature size 12")
    parser.add_argument("--side-48", type=int, default=64, help="side of the windows of feature size 48")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rows = []
    for name in options.only:
        rows += measure(name, CASES[name](options), options.engines, options.runs)
    if options.output:
        options.output.write_text(json.dumps({"torch": torch.__version__, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
