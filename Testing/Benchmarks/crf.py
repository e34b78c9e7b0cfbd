"""The random field's messages against the usual way, which gathers every voxel's whole window: time and memory.

    python -m Testing.Benchmarks.crf [--side 96] [--classes 3] [--radius 2 3] [--runs 3] [-o figures.json]

One message pass over a cube, forward alone and with its gradient, on one thread. "Gathered" writes the kernel of all
pairs and multiplies it with all windows of the probabilities, as a convolution by unfolding does. Each way runs in a
process of its own (Linux); memory is the peak above what was resident before. Processes take turns, medians are shown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
WAYS = ("gathered", "ours")
PASSES = ("forward", "with gradient")


def gathered_messages(values, image, scales, log_weights, radius):
    """The same messages from windows laid side by side."""
    import torch
    import torch.nn.functional as F

    from MedSegAI.Logic.networks.pairwise_messages import half_window

    weights = torch.full([2 * reach + 1 for reach in radius], -torch.inf)
    for offset, weight in zip(half_window(radius), log_weights):
        for sign in (1, -1):
            weights[tuple(reach + sign * step for reach, step in zip(radius, offset))] = weight
    features = image * scales[:, None, None, None]

    def windows(volume):
        padded = F.pad(volume, [reach for reach in reversed(radius) for _ in range(2)])
        for axis, reach in enumerate(radius, start=2):
            padded = padded.unfold(axis, 2 * reach + 1, 1)
        return padded

    unlike = (features[..., None, None, None] - windows(features)).square().sum(1, keepdim=True)
    return (torch.exp(weights - unlike) * windows(values)).sum((-3, -2, -1))


def one_run(way: str, what: str, side: int, classes: int, radius: int) -> dict[str, float]:
    """CPU seconds, and bytes by which the pass raises the resident memory at its highest, in this process."""
    import torch

    from MedSegAI.Logic.bench.fresh_process import PeakMemory
    from MedSegAI.Logic.networks.pairwise_messages import half_window, pairwise_messages

    torch.set_num_threads(1)
    torch.manual_seed(0)
    messages = {"ours": pairwise_messages, "gathered": gathered_messages}[way]
    reaches = (radius,) * 3
    values = torch.rand(1, classes, side, side, side, requires_grad=what == "with gradient")
    image = torch.randn(1, 1, side, side, side)
    scales = torch.ones(1, requires_grad=values.requires_grad)
    log_weights = -torch.rand(len(half_window(reaches)))
    messages(values[..., :8, :8, :8], image[..., :8, :8, :8], scales, log_weights, reaches)
    memory = PeakMemory()
    start = time.process_time()
    total = messages(values, image, scales, log_weights, reaches)
    checksum = total.sum()
    if values.requires_grad:
        checksum.backward()
    seconds = time.process_time() - start
    return {"seconds": seconds, "bytes": memory.grown(), "checksum": checksum.item()}


def in_a_fresh_process(*case: object) -> dict[str, float]:
    command = [sys.executable, "-m", "Testing.Benchmarks.crf", "--case", json.dumps(case)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{case}: ended with {done.returncode} (out of memory?) {done.stderr[-300:]}")
    return json.loads(done.stdout)


def too_much_for_the_memory(what: str, side: int, classes: int, radius: int) -> bool:
    """Whether gathering would take more than half of the free memory, which others on the machine may need."""
    import psutil

    copies = 3 * classes + 4 if what == "with gradient" else classes + 4
    return 4 * side**3 * (2 * radius + 1) ** 3 * copies > psutil.virtual_memory().available / 2


def measure(side: int, classes: int, radius: int, runs: int) -> list[dict]:
    rows = []
    for what in PASSES:
        if too_much_for_the_memory(what, side, classes, radius):
            print(f"{side} cubed, radius {radius}, {what}: left out, gathering would take more than half of the memory")
            continue
        found: dict[str, list[dict]] = {way: [] for way in WAYS}
        for _ in range(runs):
            for way in WAYS:
                found[way].append(in_a_fresh_process(way, what, side, classes, radius))
        sums = [results[0]["checksum"] for results in found.values()]
        assert abs(sums[0] - sums[1]) < 1e-4 * abs(sums[0]), "the two ways do not agree"
        medians = {
            way: {key: statistics.median(result[key] for result in results) for key in ("seconds", "bytes")}
            for way, results in found.items()
        }
        row = {"side": side, "classes": classes, "radius": radius, "pass": what, **medians}
        row["times_faster"] = medians["gathered"]["seconds"] / medians["ours"]["seconds"]
        row["times_less_memory"] = medians["gathered"]["bytes"] / medians["ours"]["bytes"]
        print(
            f"{side} cubed, {classes} classes, radius {radius}, {what:13}"
            + "".join(f"  {way} {m['seconds']:6.2f} s {m['bytes'] / 2**20:6.0f} MiB" for way, m in medians.items())
            + f"  {row['times_faster']:.1f}x faster, {row['times_less_memory']:.1f}x less memory",
            flush=True,
        )
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=96)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--radius", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(one_run(*json.loads(options.case))))
        return
    rows = [row for radius in options.radius for row in measure(options.side, options.classes, radius, options.runs)]
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
