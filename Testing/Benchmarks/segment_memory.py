"""Peak memory of a whole segmentation run against its plan: what ``Logic/inference/plan.py`` allots to preparation.

    python Testing/Benchmarks/segment_memory.py

Runs ``segment`` on int16 scans of 300 cubed at several spacings in fresh processes (Linux). The engine costs nothing
(three arithmetic operations), so what is measured is everything else: resampling, normalising, planes, labels.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
CARD = REPOSITORY / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
SIDE = 300
CASES = [(0.8, "none"), (1.0, "none"), (1.0, "per-voxel"), (1.5, "none"), (1.5, "per-voxel")]
MIB = 2**20


class ArithmeticEngine:
    """Logits without a network."""

    name = "arithmetic"
    device_name = logits_device = "cpu"
    fallbacks: tuple[str, ...] = ()

    def predict(self, windows: np.ndarray) -> np.ndarray:
        return np.stack([np.zeros_like(windows[:, 0]), windows[:, 0], windows[:, 0] - 1], axis=1)


def run_here(spacing: float, confidence: str) -> dict[str, float]:
    """Bytes planned, less the network's share, and bytes by which the resident memory rose at its highest."""
    from MedSegAI.Logic.bench.fresh_process import PeakMemory
    from MedSegAI.Logic.geometry import Box, Grid
    from MedSegAI.Logic.inference.plan import plan_memory
    from MedSegAI.Logic.inference.regions import choose_regions
    from MedSegAI.Logic.inference.scans import scans_for
    from MedSegAI.Logic.inference.segment import segment
    from MedSegAI.Logic.models.card import ModelCard
    from MedSegAI.Logic.models.registry import Model
    from MedSegAI.Logic.reporter import SilentReporter
    from MedSegAI.Logic.settings import RunSettings
    from MedSegAI.Logic.volume import Modality, Volume

    card = ModelCard.from_json(CARD.read_text(encoding="utf-8"))
    card = dataclasses.replace(card, localiser=None, window=(64, 64, 64), overlap=0.0)
    settings = RunSettings(device="cpu", confidence=confidence)
    array = (np.random.default_rng(0).normal(size=(SIDE,) * 3) * 100).astype(np.int16)
    scan = Volume(array, Grid((SIDE,) * 3, (spacing,) * 3), Modality.MR)
    options = {"settings": settings, "reporter": SilentReporter()}
    regions = choose_regions(scans_for(scan, card), card, **options).regions
    plan = plan_memory(regions, card, settings=settings, engine=ArithmeticEngine(), scans=(scan.grid,))
    # A small run first, so that imports do not count.
    segment(scan.crop(Box((0, 0, 0), (70, 70, 70))), Model(CARD.parent, card), engine=ArithmeticEngine(), **options)
    memory = PeakMemory()
    segment(scan, Model(CARD.parent, card), engine=ArithmeticEngine(), **options)
    peak = memory.grown()
    voxels = sum(region.grid.voxel_count for region in regions)
    return {"planned": dataclasses.replace(plan, network=0).total, "peak": peak, "voxels": voxels}


def main() -> None:
    if sys.argv[1:2] == ["--case"]:
        print(json.dumps(run_here(*json.loads(sys.argv[2]))))
        return
    for spacing, confidence in CASES:
        command = [sys.executable, __file__, "--case", json.dumps([spacing, confidence])]
        done = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
        figures = json.loads(done.stdout)
        print(
            f"{SIDE} cubed at {spacing} mm, confidence {confidence}: peak {figures['peak'] / MIB:.0f} MiB, "
            f"planned {figures['planned'] / MIB:.0f} MiB; {figures['peak'] / figures['voxels']:.1f} bytes a voxel",
            flush=True,
        )


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    main()
