"""Memory that the heat map of a whole volume takes beside the scan, its labels and the map itself (Linux only).

    python -m Testing.Benchmarks.heat_map_memory [-o figures.json]

A scan of 512 x 512 x 600 is explained by a network that costs next to nothing. What the heat map costs in time,
``medsegai bench --only heat-map-volume`` says.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import torch

from MedSegAI.Logic.bench.fresh_process import PeakMemory
from MedSegAI.Logic.explain.explain import explain
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality, Volume

QUIET = SilentReporter()
MIB = 2**20


class NextToNothing(torch.nn.Module):
    """Logits from one channel a class, with a layer that can be explained."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.decoder1 = torch.nn.Conv3d(1, 2, 1)
        self.out = torch.nn.Conv3d(2, classes, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        return self.out(self.decoder1(windows))


def measure(shape: tuple[int, int, int] = (600, 512, 512)) -> dict[str, float]:
    """Bytes by which the resident memory rises while a scan of int16 is explained, its label filling half of it."""
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
        memory = PeakMemory()
        heat = explain(scan, made, model, target=1, layer="decoder1", settings=settings, reporter=QUIET, engine=engine)
        return memory.grown(), heat.array.nbytes

    run((100, 100, 100))
    risen, heat = run(shape)
    return {"risen_mib": risen / MIB, "of which the heat map": heat / MIB, "float volumes": risen / heat}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures = measure()
    print(", ".join(f"{what} {value:.4g}" for what, value in figures.items()))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
