"""Our Swin-UNETR against MONAI's, CPU seconds of one thread.

    python -m Testing.Benchmarks.network [--feature-size 48] [--runs 5] [-o figures.json]

Runs are interleaved and medians reported, so that a busy machine disturbs all alike. "MONAI" is its network as it
comes; "MONAI flash" has ``use_flash_attention=True``, which MONAI honours only without gradients. All run with denormal
numbers flushed to zero, which favours MONAI: its masks leave many.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from monai.networks.nets.swin_unetr import SwinUNETR as MonaiSwinUNETR

from MedSegAI.Logic.networks.swin_unetr import SwinUNETR

LABELS = 3
STEPS = [((96, 96, 96), 1), ((32, 64, 32), 2)]


def networks(feature_size: int, window_size: int) -> dict[str, torch.nn.Module]:
    """The three contestants with equal weights."""
    arguments = {"in_channels": 1, "out_channels": LABELS, "feature_size": feature_size, "window_size": window_size}
    torch.manual_seed(0)
    found = {
        "MONAI": MonaiSwinUNETR(**arguments),
        "MONAI flash": MonaiSwinUNETR(**arguments, use_flash_attention=True),
        "ours": SwinUNETR(**arguments),
    }
    for network in found.values():
        network.load_state_dict(found["MONAI"].state_dict())
    return found


def forward_pass(network: torch.nn.Module, shape: tuple[int, ...], batch: int) -> Callable[[], None]:
    volume = torch.randn(batch, 1, *shape)

    def run() -> None:
        with torch.no_grad():
            network.eval()(volume)

    return run


def training_step(network: torch.nn.Module, shape: tuple[int, ...], batch: int) -> Callable[[], None]:
    volume, labels = torch.randn(batch, 1, *shape), torch.randint(0, LABELS, (batch, *shape))
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)

    def run() -> None:
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network.train()(volume), labels).backward()
        optimiser.step()

    return run


def interleaved_medians(work: dict[str, Callable[[], None]], runs: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for round_number in range(runs + 1):
        for name, action in work.items():
            start = time.process_time()
            action()
            if round_number:  # The first round warms up.
                seconds[name].append(time.process_time() - start)
    return {name: statistics.median(found) for name, found in seconds.items()}


def measure(feature_size: int, window_size: int, runs: int) -> list[dict]:
    contestants = networks(feature_size, window_size)
    rows = []
    work = [("forward", (96, 96, 96), 1, forward_pass)]
    work += [("training step", shape, batch, training_step) for shape, batch in STEPS]
    for what, shape, batch, prepare in work:
        chosen = {name: net for name, net in contestants.items() if what == "forward" or name != "MONAI flash"}
        medians = interleaved_medians({n: prepare(net, shape, batch) for n, net in chosen.items()}, runs)
        for name, seconds in medians.items():
            rows.append(
                {
                    "what": what,
                    "shape": shape,
                    "batch": batch,
                    "feature_size": feature_size,
                    "window_size": window_size,
                    "network": name,
                    "cpu_seconds": seconds,
                    "times_monai": medians["MONAI"] / seconds,
                }
            )
            size = "x".join(map(str, shape))
            print(
                f"{what:14}{size:>10} x{batch}  {name:12}{seconds:9.3f} s{medians['MONAI'] / seconds:8.2f}x", flush=True
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feature-size", type=int, default=12)
    parser.add_argument("--window-size", type=int, default=7)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    rows = measure(options.feature_size, options.window_size, options.runs)
    if options.output:
        options.output.write_text(json.dumps({"torch": torch.__version__, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
