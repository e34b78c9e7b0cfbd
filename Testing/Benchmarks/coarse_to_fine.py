"""Does it pay to look for a structure at low resolution first, and refine only where something was found?

    python -m Testing.Benchmarks.coarse_to_fine [--factors 2 3] [--heads icbm chris_t1] [-o figures.json]

The shipped hippocampus model, in torch on one thread, over whole heads in three ways: its localiser and the windows of
the left box; every window of the head; and the head at a spacing ``factor`` times coarser, then those windows of the
full resolution that hold what was found there or lie within 8 mm of it. Windows, overlap and positions are the same, so
the last can at best give what every window gives. The hippocampus is what the localiser leads to, the left one (the
network knows crops of the left side); what is found elsewhere counts against a way.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.prepare_region import prepare_region
from MedSegAI.Logic.inference.regions import choose_regions
from MedSegAI.Logic.inference.scans import InputScans, scans_for
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.inference.windows import cut_window, overlap_of_window
from MedSegAI.Logic.localise.atlas import icbm152_t1
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.resample import canonical_grid, resample_labels
from MedSegAI.Logic.volume import Modality, Volume

DATA = Path(os.environ.get("MEDSEGAI_DATA") or "../shared/data")
QUIET = SilentReporter()
MARGIN_MM = 8.0
NOTHING = -1e9


class OnlyNear:
    """Windows of an image; those that ``wanted`` (k, j, i) bool does not reach are marked to be skipped."""

    def __init__(self, image: np.ndarray, wanted: np.ndarray) -> None:
        self._image, self._wanted = image, wanted
        self.shape = image.shape

    def cut(self, start: Sequence[int], window: Sequence[int], *, fill: float = 0.0) -> np.ndarray:
        if not self._wanted[overlap_of_window(start, window, self.shape[1:])[0]].any():
            return np.full((self.shape[0], *window), NOTHING, np.float32)
        return cut_window(self._image, start, window, fill=fill)


class Head:
    """One head and what the ways of looking at it give, on the grid of the whole head in model space."""

    def __init__(self, case: InputScans, card: ModelCard, engine: EagerEngine) -> None:
        self.case, self.card, self.engine = case, card, engine
        self.grid = canonical_grid(case.grid, spacing_mm=card.spacing_mm)
        self.image = self._prepared(self.grid)

    def _prepared(self, grid: Grid) -> np.ndarray:
        pairs = tuple((label.value, label.value) for label in self.card.labels)
        return prepare_region(self.case, LocalisedRegion("head", grid, False, pairs), self.card)

    def _run(self, image: object) -> tuple[np.ndarray, int]:
        found = segment_array(
            image,
            self.engine,
            window=self.card.window,
            overlap=self.card.overlap,
            classes=self.card.class_count,
            reporter=QUIET,
            skip_below=NOTHING / 2,
        )
        return found.labels, found.windows_run

    def by_localiser(self) -> tuple[np.ndarray, int]:
        settings = RunSettings(device="cpu")
        regions = choose_regions(self.case, self.card, settings=settings, reporter=QUIET).regions
        left = next(region for region in regions if not region.mirrored)
        labels, windows = self._run(prepare_region(self.case, left, self.card))
        kept = _largest(labels > 0) * labels
        return resample_labels(Volume(kept, left.grid), self.grid).array, windows

    def by_every_window(self) -> tuple[np.ndarray, int]:
        return self._run(self.image)

    def coarse_to_fine(self, factor: float) -> tuple[np.ndarray, int, np.ndarray]:
        """Labels, windows of both passes, and where the second pass looked."""
        spacing = tuple(factor * length for length in self.card.spacing_mm)
        coarse = canonical_grid(self.case.grid, spacing_mm=spacing)
        found, first = self._run(self._prepared(coarse))
        here = resample_labels(Volume((found > 0).astype(np.uint8), coarse), self.grid).array > 0
        near = (
            ndimage.distance_transform_edt(~here, sampling=self.grid.spacing_kji) <= MARGIN_MM if here.any() else here
        )
        labels, second = self._run(OnlyNear(self.image, near))
        return labels, first + second, near


def _largest(mask: np.ndarray) -> np.ndarray:
    pieces, count = ndimage.label(mask)
    if not count:
        return mask
    return pieces == 1 + int(np.argmax(ndimage.sum_labels(mask, pieces, range(1, count + 1))))


def _timed(action: object, *arguments: object) -> tuple[float, tuple]:
    start = time.process_time()
    result = action(*arguments)
    return time.process_time() - start, result


def measure(head: Head, factors: list[float]) -> dict[str, dict[str, float]]:
    localised_seconds, (truth, windows) = _timed(head.by_localiser)
    whole_seconds, (whole, all_windows) = _timed(head.by_every_window)

    def row(seconds: float, labels: np.ndarray, run: int, **more: float) -> dict[str, float]:
        mask = labels > 0
        return {
            "windows": run,
            "cpu / every window": seconds / whole_seconds,
            "found mL": float(mask.sum() * np.prod(head.grid.spacing)) / 1000,
            "dice, every window": dice(mask, whole > 0),
            "dice, localiser": dice(mask, truth > 0),
            "largest piece: dice, localiser": dice(_largest(mask), truth > 0),
            **more,
        }

    rows = {
        "localiser, left box": row(localised_seconds, truth, windows),
        "every window": row(whole_seconds, whole, all_windows),
    }
    for factor in factors:
        seconds, (labels, run, near) = _timed(head.coarse_to_fine, factor)
        covered = float((near & (truth > 0)).sum() / max((truth > 0).sum(), 1))
        rows[f"coarse to fine, {factor:g} times"] = row(seconds, labels, run, **{"hippocampus looked at": covered})
    return rows


def _volume(name: str) -> Volume:
    if name == "icbm":
        return icbm152_t1()
    return read_volume(DATA / "mr_heads" / f"{name}.nii.gz", modality=Modality.MR)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--factors", type=float, nargs="+", default=[2.0, 3.0])
    parser.add_argument("--heads", nargs="+", default=["icbm", "chris_t1"])
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    model = find_model("hippocampus-mr")
    card, engine = dataclasses.replace(model.card, skip_below=None), EagerEngine(load_network(model))
    figures = {}
    for name in options.heads:
        head = Head(scans_for(_volume(name), card), card, engine)
        figures[name] = measure(head, options.factors)
        for way, values in figures[name].items():
            print(f"{name}: {way}: " + ", ".join(f"{what} {value:.3g}" for what, value in values.items()), flush=True)
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
