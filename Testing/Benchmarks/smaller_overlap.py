"""How little windows may overlap without losing accuracy: Dice, windows and CPU seconds of one thread.

    python -m Testing.Benchmarks.smaller_overlap [--cases 15] [--overlaps 0 0.125 0.25 0.5] [--runs 3] [-o figures.json]

The shipped hippocampus model, in torch, on crops that it was trained on, so that nothing is chosen on cases that judge
it. Dice is the mean over cases and the two labels, with the mean and the largest loss against the card's overlap. Most
crops are too small for fewer windows, so both boxes of the ICBM152 head follow, with the margin that the localiser
leaves; they have no expert's labels, and Dice says how far the result is that of the card's overlap.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch

from MedSegAI.Logic.bench.clock import interleaved_medians
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.files.decathlon import read_case, read_subset
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.inference.windows import window_starts
from MedSegAI.Logic.localise.atlas import icbm152_t1
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality

HIPPOCAMPUS = Path(os.environ.get("MEDSEGAI_DATA") or "../shared/data") / "msd_hippocampus"


def measure(cases: int, overlaps: list[float], runs: int) -> dict[str, dict[str, float]]:
    model = find_model("hippocampus-mr")
    card, engine = model.card, EagerEngine(load_network(model))
    names = sorted(read_subset(HIPPOCAMPUS / "split.json", "train"))[:cases]
    pairs = [read_case(HIPPOCAMPUS, name, modality=Modality.MR) for name in names]
    scans, truths = [scan for scan, _ in pairs], [labels.array for _, labels in pairs]

    def segmented(overlap: float) -> list[np.ndarray]:
        settings = RunSettings(device="cpu", engine="torch", overlap=overlap)
        options = {"settings": settings, "reporter": SilentReporter(), "engine": engine}
        return [segment(scan, model, **options).labels.array for scan in scans]

    def scores(overlap: float) -> np.ndarray:
        found = segmented(overlap)
        return np.array([np.mean([dice(f == n, t == n) for n in (1, 2)]) for f, t in zip(found, truths)])

    seconds = interleaved_medians({str(o): lambda o=o: segmented(o) for o in overlaps}, runs)
    usual = scores(card.overlap)
    figures = {}
    for overlap in overlaps:
        windows = [len(window_starts(scan.grid.shape, card.window, overlap=overlap)) for scan in scans]
        dices = scores(overlap)
        figures[str(overlap)] = {
            "windows a case": float(np.mean(windows)),
            "cpu seconds": seconds[str(overlap)],
            "dice": float(dices.mean()),
            "mean loss": float((usual - dices).mean()),
            "largest loss": float((usual - dices).max()),
        }
    return figures


def in_the_head(overlaps: list[float], runs: int) -> dict[str, dict[str, float]]:
    """The boxes of both sides; what each overlap gives beside the card's."""
    model = find_model("hippocampus-mr")
    card, engine, head = model.card, EagerEngine(load_network(model)), icbm152_t1()
    margin = np.array([-1, 1, -1, 1, -1, 1]) * card.localiser.margin_mm
    boxes = [",".join(f"{edge:g}" for edge in np.array(side.box_ras_mm) + margin) for side in card.localiser.sides]

    def segmented(overlap: float) -> list[SegmentationResult]:
        options = {"reporter": SilentReporter(), "engine": engine}
        settings = [RunSettings(device="cpu", engine="torch", overlap=overlap, region=box) for box in boxes]
        return [segment(head, model, settings=chosen, **options) for chosen in settings]

    seconds = interleaved_medians({str(o): lambda o=o: segmented(o) for o in overlaps}, runs)
    usual = segmented(card.overlap)
    figures = {}
    for overlap in overlaps:
        pairs = [(f.labels.array, u.labels.array) for f, u in zip(segmented(overlap), usual)]
        shapes = [region.grid.shape for found in usual for region in found.provenance.regions]
        figures[f"{overlap}, head"] = {
            "windows a side": float(np.mean([len(window_starts(s, card.window, overlap=overlap)) for s in shapes])),
            "cpu seconds": seconds[str(overlap)],
            "dice with the card's": float(np.mean([dice(f == v, u == v) for f, u in pairs for v in np.unique(u) if v])),
        }
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=15)
    parser.add_argument("--overlaps", type=float, nargs="+", default=[0.0, 0.125, 0.25, 0.5])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    figures = in_the_head(options.overlaps, options.runs)
    figures |= measure(options.cases, options.overlaps, options.runs)
    for overlap, values in figures.items():
        print(f"overlap {overlap}: " + ", ".join(f"{what} {value:.4g}" for what, value in values.items()), flush=True)
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
