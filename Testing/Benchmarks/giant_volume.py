"""Seconds and peak memory of ``medsegai segment`` on CTs of 512 x 512 x 512, 1024 and 2000 voxels with 14 classes.

    python -m Testing.Benchmarks.giant_volume                     # a stand-in for the network: how time and memory grow
    python -m Testing.Benchmarks.giant_volume --real --slices 2000  # the network itself, from file to .seg.nrrd
    python -m Testing.Benchmarks.giant_volume --limit 4           # killed by the system where 4 GiB do not suffice
    python -m Testing.Benchmarks.giant_volume --show              # plot and table of what was measured before

The scan is synthetic (a body with bones and lungs in air, and noise), an NRRD file of int16 HU. The work is the command
line's own path in a process of its own: file, windows of 96 cubed at an overlap of a quarter, ring of planes, labels,
file. In the first form only the network is replaced, by one whose logits follow the voxels and which takes as much
memory as the plan allots to the network, once for all windows; so the seconds are those of everything else. With
``--real`` it is a Swin-UNETR of feature size 12 with random weights, whose labels are noise: the hardest to compress.

The peak is what the operating system counted for the process (``ru_maxrss`` of ``wait4``): Python, libraries, and the
pages of mapped files that were in memory, too. Beside it stands what the memory plan promised: what the process held
when it planned, and the plan's total. ``--limit`` sets ``RLIMIT_DATA``, which counts
all memory that the process may write to, used or not, and no files. For a control group, which counts what is used, let
the system start the benchmark:

    systemd-run --user --scope -p MemoryMax=4G python -m Testing.Benchmarks.giant_volume --slices 2000
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from MedSegAI.Logic.files.planes.write_planes import Compression
from Testing.Benchmarks.giant_volume_report import write_report
from Testing.Benchmarks.large_scan import SIDE, SPACING, write_nrrd

REPOSITORY = Path(__file__).resolve().parents[2]
CARD = REPOSITORY / "MedSegAI" / "Resources" / "Training" / "lung-nodule-ct.card.json"
RESULTS = REPOSITORY / "docs" / "giant-volume.json"
GIB = 1 << 30
CLASSES = 14
SLICES = (512, 1024, 2000)
STAND_IN, REAL = "stand-in", "Swin-UNETR 12"


def write_model(folder: Path) -> Path:
    """A model of 14 classes at the scan's own spacing, feature size 12, window 96 cubed, with random weights."""
    import torch

    from MedSegAI.Logic.labels import Label, LabelTable
    from MedSegAI.Logic.models.card import ModelCard
    from MedSegAI.Logic.models.weights import build_network, save_model
    from MedSegAI.Logic.standardise.normalisation import Normalisation

    template = ModelCard.from_json(CARD.read_text(encoding="utf-8"))
    hues = np.linspace(0.1, 0.9, CLASSES - 1)
    labels = (Label(n, f"organ_{n}", f"Organ {n}", (float(h), 0.5, 0.5)) for n, h in enumerate(hues, start=1))
    voxels = dataclasses.replace(
        template.inputs[0], normalisation=Normalisation("range", clip_values=(-1000.0, 1000.0))
    )
    card = dataclasses.replace(
        template,
        name="giant",
        network="SwinUNETR",
        network_arguments={"in_channels": 1, "out_channels": CLASSES, "feature_size": 12},
        inputs=(voxels,),
        spacing_mm=SPACING,
        window=(96, 96, 96),
        overlap=0.25,
        labels=LabelTable(tuple(labels)),
        localiser=None,
        components="all",
        point_box_mm=None,
        calibration=None,
    )
    torch.manual_seed(0)
    return save_model(folder, card, state=build_network(card.network, card.network_arguments).state_dict()).folder


class StandIn:
    """14 classes that follow the brightness of a voxel, and memory as the network would take it."""

    name = STAND_IN
    device_name = logits_device = "cpu"
    fallbacks: tuple[str, ...] = ()

    def __init__(self, activations: int) -> None:
        self._held = np.ones(activations, np.uint8)
        levels = np.linspace(0, 1, CLASSES, dtype=np.float32)[None, :, None, None, None]
        self._slopes, self._offsets = 2 * levels, levels**2

    def predict(self, windows: np.ndarray) -> np.ndarray:
        """Minus the squared distance to each class's level, but for what all classes share."""
        logits = windows * self._slopes
        logits -= self._offsets
        return logits

    def step_down(self) -> str:
        raise AssertionError("nothing to give up")


def run_here(scan: str, model: str, output: str, network: str, plan_file: str, options: list[str]) -> int:
    """The command line in this process, with what the plan promised written to a file."""
    import psutil

    from MedSegAI.CommandLine.main import main as medsegai
    from MedSegAI.Logic.inference import plan as plan_module
    from MedSegAI.Logic.inference import segment as segment_module

    plan_memory = segment_module.plan_memory

    def planned(regions: object, card: object, **given: object) -> object:
        plan = plan_memory(regions, card, **given)
        held = psutil.Process().memory_info().rss - (plan.network if network == STAND_IN else 0)
        Path(plan_file).write_text(json.dumps({"held": held, "planned": plan.total, "windows": plan.windows}))
        return plan

    def stand_in(model: object, **_given: object) -> StandIn:
        card = model.card
        return StandIn(plan_module.activation_bytes(card.network_arguments, card.window, classes=CLASSES))

    segment_module.plan_memory = planned
    if network == STAND_IN:
        segment_module.open_engine = stand_in
    return medsegai(["segment", scan, "-o", output, "--model", model, "--json", *options])


def measured(command: list[str], limit: int | None) -> dict[str, float]:
    """Seconds, CPU seconds and peak bytes of a command."""

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    start = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=REPOSITORY, preexec_fn=limited, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed ({status}): {said[-3000:]}")
    return {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss * 1024,
        "limit_bytes": limit or 0,
        "limit_by": "none" if limit is None else "RLIMIT_DATA",
    }


def measure(slices: int, network: str, options: argparse.Namespace) -> dict[str, object]:
    """One run."""
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        scan, output, plan_file = folder / "giant.nrrd", folder / "out.seg.nrrd", folder / "plan.json"
        write_nrrd(scan, slices, Compression.NONE)
        model = write_model(folder / "model")
        more = ["--device", "cpu", "--engine", options.engine]
        arguments = [str(scan), str(model), str(output), network, str(plan_file), more]
        limit = None if options.limit is None else int(options.limit * GIB)
        figures = measured([sys.executable, "-m", __spec__.name, "--here", json.dumps(arguments)], limit)
        plan = json.loads(plan_file.read_text())
        return {
            "network": network,
            "slices": slices,
            "side": SIDE,
            "classes": CLASSES,
            "scan_bytes": scan.stat().st_size,
            "output_bytes": output.stat().st_size,
            "engine": STAND_IN if network == STAND_IN else options.engine,
            **figures,
            "planned": plan["held"] + plan["planned"],
            "held_when_planned": plan["held"],
            "windows": plan["windows"],
            "threads": int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count(),
            "cores": os.cpu_count(),
            "load": round(os.getloadavg()[0], 1),
        }


def stored() -> list[dict[str, object]]:
    """What was measured before."""
    return json.loads(RESULTS.read_text()) if RESULTS.is_file() else []


def keep(figures: dict[str, object]) -> None:
    """Put a run in the place of the last one of its kind."""
    kind = ("network", "slices", "limit_by")
    others = [one for one in stored() if any(one[key] != figures[key] for key in kind)]
    order = sorted([*others, figures], key=lambda one: tuple(one[key] for key in kind))
    RESULTS.write_text(json.dumps(order, indent=1) + "\n")


def main() -> None:
    """Measure, or show what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, nargs="+", default=list(SLICES))
    parser.add_argument("--real", action="store_true", help="the network itself instead of a stand-in")
    parser.add_argument("--engine", default="torch", help="what evaluates it (default: %(default)s)")
    parser.add_argument("--limit", type=float, metavar="GIB", help="memory that the process may have")
    parser.add_argument("--folder", type=Path, help="where the temporary files go (up to 2 GB)")
    parser.add_argument("--show", action="store_true", help="measure nothing")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        *paths, more = json.loads(options.here)
        raise SystemExit(run_here(*paths, more))
    for slices in [] if options.show else options.slices:
        figures = measure(slices, REAL if options.real else STAND_IN, options)
        keep(figures)
        print(
            f"{figures['network']}, {slices} slices: {figures['seconds']:.0f} s ({figures['cpu_seconds']:.0f} s CPU), "
            f"peak {figures['peak'] / GIB:.2f} GiB, planned {figures['planned'] / GIB:.2f} GiB, "
            f"limit: {figures['limit_by']}, load {figures['load']}",
            flush=True,
        )
    write_report(stored())


if __name__ == "__main__":
    main()
