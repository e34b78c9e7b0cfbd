"""Our heat map of a whole volume beside the segmentation that it explains: CPU seconds of one thread, and memory.

    python -m Testing.Benchmarks.heat_map_volume [--runs 5] [--memory] [-o figures.json]

Both run in torch over the same windows, in turns. The shipped model explains the anterior hippocampus in the left box
of the ICBM152 head, and in a larger part of that head of which the hippocampus fills only some windows; an untrained
network explains a label that fills every window, the worst case, at the last layer of its decoder and at half
resolution. With ``--memory`` (Linux) a scan of 512 x 512 x 600 is explained by a network that costs next to nothing,
to see what is held beside the scan, its labels and the heat map.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from MedSegAI.Logic.explain.explain import explain
from MedSegAI.Logic.explain.whole_volume import explain_array, windows_that_hold
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.islands import without_islands
from MedSegAI.Logic.inference.prepare_region import prepare_region
from MedSegAI.Logic.inference.regions import choose_regions
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import scans_for
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.inference.windows import window_starts
from MedSegAI.Logic.localise.atlas import icbm152_t1
from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality, Volume
from Testing.Benchmarks.interleaved_medians import interleaved_medians

QUIET = SilentReporter()
PARTS = {"left box of the head": "-44,-8,-46,4,-34,8", "96 mm cubed of the head": "-90,5,-70,25,-60,35"}
WORST_SHAPE, WORST_WINDOW = (64, 96, 96), (64, 64, 64)
MIB = 2**20


def of_the_head(region: str, runs: int) -> dict[str, float]:
    """The shipped model on a part of the ICBM152 head."""
    model = find_model("hippocampus-mr")
    card, engine = model.card, EagerEngine(load_network(model))
    settings = RunSettings(device="cpu", region=region)
    case = scans_for(icbm152_t1(), card)
    (place,) = choose_regions(case, card, settings=settings, reporter=QUIET).regions
    image = prepare_region(case, place, card)
    return _measured(
        image, engine, card.window, classes=card.class_count, layer=card.saliency_layer, mask=None, runs=runs
    )


def of_all_windows(layer: str, runs: int) -> dict[str, float]:
    """A label that fills every window."""
    torch.manual_seed(0)
    image = np.random.default_rng(0).normal(size=(1, *WORST_SHAPE)).astype(np.float32)
    engine = EagerEngine(SwinUNETR(1, 3, feature_size=12))
    return _measured(image, engine, WORST_WINDOW, classes=3, layer=layer, mask=np.ones(WORST_SHAPE, bool), runs=runs)


def _measured(
    image: np.ndarray,
    engine: EagerEngine,
    window: tuple[int, ...],
    *,
    classes: int,
    layer: str,
    mask: np.ndarray | None,
    runs: int,
) -> dict[str, float]:
    common = {"window": window, "overlap": 0.5, "reporter": QUIET}

    def segmented() -> np.ndarray:
        return segment_array(image, engine, classes=classes, **common).labels

    inside = without_islands(segmented()) == 1 if mask is None else mask
    work: dict[str, Callable[[], np.ndarray]] = {
        "segmentation": segmented,
        "heat map": lambda: explain_array(image, inside, engine.network, label=1, layer=layer, **common),
    }
    seconds = interleaved_medians(work, runs)
    return {
        "windows": len(window_starts(image.shape[1:], window, overlap=0.5)),
        "windows explained": len(windows_that_hold(inside, window, overlap=0.5)),
        **seconds,
        "ratio": seconds["heat map"] / seconds["segmentation"],
    }


class NextToNothing(torch.nn.Module):
    """Logits from one channel a class, with a layer that can be explained."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.decoder1 = torch.nn.Conv3d(1, 2, 1)
        self.out = torch.nn.Conv3d(2, classes, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return self.out(self.decoder1(windows))


def memory(shape: tuple[int, int, int] = (600, 512, 512)) -> dict[str, float]:
    """Bytes by which the resident memory rises while a scan of int16 is explained, its label filling half of it."""
    import psutil

    shipped = find_model("hippocampus-mr")
    card = dataclasses.replace(shipped.card, localiser=None, components="all", window=(96, 96, 96), overlap=0.0)
    model = Model(shipped.folder, card)
    torch.manual_seed(0)
    engine = EagerEngine(NextToNothing(card.class_count))
    ras = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
    settings = RunSettings(device="cpu", engine="torch")

    def run(of: tuple[int, int, int]) -> tuple[int, float]:
        array = np.random.default_rng(0).integers(0, 1000, of, dtype=np.int16)
        scan = Volume(array, Grid(of, direction=ras), Modality.MR)
        small = segment(scan, model, settings=settings, reporter=QUIET, engine=engine)
        labels = np.zeros(of, np.uint8)
        labels[of[0] // 4 : 3 * of[0] // 4] = 1
        made = SegmentationResult(scan.with_array(labels), card.labels, None, small.provenance, None)
        before = psutil.Process().memory_info().rss
        Path("/proc/self/clear_refs").write_text("5")
        heat = explain(scan, made, model, target=1, layer="decoder1", settings=settings, reporter=QUIET, engine=engine)
        peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
        return peak - before, heat.array.nbytes

    run((100, 100, 100))
    risen, heat = run(shape)
    return {"risen_mib": risen / MIB, "of which the heat map": heat / MIB, "float volumes": risen / heat}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="measure the memory instead of the time")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if options.memory:
        figures = {"memory": memory()}
    else:
        figures = {name: of_the_head(region, options.runs) for name, region in PARTS.items()}
        for layer in ("decoder1", "decoder2"):
            figures[f"every window, {layer}"] = of_all_windows(layer, options.runs)
    for name, values in figures.items():
        print(f"{name}: " + ", ".join(f"{what} {value:.4g}" for what, value in values.items()), flush=True)
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
