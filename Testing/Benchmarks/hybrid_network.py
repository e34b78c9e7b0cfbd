"""What each part of HybridSwinUNETR and FusionSwinUNETR costs beside the plain Swin-UNETR, CPU seconds of one thread.

    python -m Testing.Benchmarks.hybrid_network [--feature-size 12] [--window-size 4] [--runs 7] [-o figures.json]

Networks take turns and medians are shown. Parts are at their start, where they compute all that they do later.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import torch

from MedSegAI.Logic.bench.clock import interleaved_medians
from MedSegAI.Logic.networks.fusion_swin_unetr import FusionSwinUNETR
from MedSegAI.Logic.networks.hybrid_swin_unetr import HybridSwinUNETR
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR

LABELS = 3
SIZES = [((32, 64, 32), 2), ((64, 64, 64), 1)]
SELECTION = {"feature_selection": "channels-and-places"}
PYRAMID = {"feature_pyramid": "sum"}
REFINEMENT = {"refinement": "conditional-random-field"}


def networks(feature_size: int, window_size: int) -> dict[str, tuple[torch.nn.Module, str]]:
    """Each network, and the one that it is held against."""
    swin = {"feature_size": feature_size, "window_size": window_size}
    hybrids = {
        "attention": SELECTION,
        "pyramid": PYRAMID,
        "attention + pyramid": SELECTION | PYRAMID,
        "random field": REFINEMENT,
        "random field, 1 iteration": {**REFINEMENT, "refinement_iterations": 1},
        "random field, radius 1": {**REFINEMENT, "refinement_radius": 1},
        "all three": SELECTION | PYRAMID | REFINEMENT,
    }
    found = {"plain": (SwinUNETR(1, LABELS, **swin), "plain")}
    for name, parts in hybrids.items():
        found[name] = (HybridSwinUNETR(1, LABELS, **swin, **parts), "plain")
    found["plain, 4 scans"] = (SwinUNETR(4, LABELS, **swin), "plain, 4 scans")
    found["fusion of 4 scans"] = (FusionSwinUNETR(4, LABELS, **swin), "plain, 4 scans")
    return found


def forward_pass(network: torch.nn.Module, volume: torch.Tensor) -> Callable[[], None]:
    def run() -> None:
        with torch.no_grad():
            network.eval()(volume)

    return run


def training_step(network: torch.nn.Module, volume: torch.Tensor) -> Callable[[], None]:
    target = torch.randint(0, LABELS, (volume.shape[0], *volume.shape[2:]))
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-6)

    def run() -> None:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network.train()(volume), target).backward()
        optimiser.step()

    return run


def measure(feature_size: int, window_size: int, runs: int) -> list[dict]:
    contestants = networks(feature_size, window_size)
    rows = []
    for shape, batch in SIZES:
        for what, prepare in (("forward", forward_pass), ("training step", training_step)):
            work = {}
            for name, (network, _) in contestants.items():
                channels = 4 if name.endswith("4 scans") else 1
                work[name] = prepare(network, torch.randn(batch, channels, *shape))
                work[name]()
            medians = interleaved_medians(work, runs)
            for name, seconds in medians.items():
                more = seconds / medians[contestants[name][1]] - 1
                row = {"what": what, "shape": shape, "batch": batch, "network": name, "cpu_seconds": seconds}
                rows.append({**row, "more": more})
                size = "x".join(map(str, shape))
                print(f"{what:14}{size:>9} x{batch}  {name:27}{seconds:7.3f} s {more:+6.0%}", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feature-size", type=int, default=12)
    parser.add_argument("--window-size", type=int, default=4)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    rows = measure(options.feature_size, options.window_size, options.runs)
    if options.output:
        options.output.write_text(json.dumps({"torch": torch.__version__, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
