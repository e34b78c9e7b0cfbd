"""STAPLE of five raters on 256 cubed: ours against SimpleITK's, CPU seconds of one thread.

    python -m Testing.Benchmarks.staple [--side 256] [--runs 3] [-o figures.json]

Both get the same five masks: a lobed structure whose border each rater draws elsewhere, and specks. SimpleITK gets
images that were made before the clock started, and returns a map of probabilities. Ours gets arrays, and returns the
label map; the next figure adds the map of probabilities, the last is a slider's move to another threshold. Runs are
interleaved and medians reported, so that a busy machine disturbs both alike; the load is reported, too. SimpleITK stops
at its own tolerance, ours at a finer one.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from MedSegAI.Logic.consensus.fuse import fuse
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable
from Testing.Benchmarks.interleaved_medians import interleaved_medians

RATERS = 5
MOST_ITERATIONS = 1000


def five_masks(side: int) -> list[np.ndarray]:
    """uint8 (k, j, i): each rater's border lies a few voxels further in or out, and one voxel in 500 is a speck."""
    rng = np.random.default_rng(0)
    k, j, i = np.ogrid[:side, :side, :side]
    lobes = np.sin(9 * k / side) + np.sin(11 * j / side) + np.sin(7 * i / side)
    middle = rng.normal(side / 2, side / 64, size=(RATERS, 3))
    masks = []
    for centre, radius in zip(middle, rng.normal(side / 4, side / 64, size=RATERS)):
        distance = np.sqrt((k - centre[0]) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2)
        mask = distance < radius + lobes * side / 64
        masks.append((mask ^ (rng.random(mask.shape, dtype=np.float32) < 0.002)).astype(np.uint8))
    return masks


def simple_itk(side: int, masks: list[np.ndarray]) -> tuple[Callable[[], sitk.Image], sitk.STAPLEImageFilter]:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    images = [sitk.GetImageFromArray(mask) for mask in masks]
    their = sitk.STAPLEImageFilter()
    their.SetNumberOfThreads(1)
    their.SetForegroundValue(1)
    their.SetMaximumIterations(MOST_ITERATIONS)
    return lambda: their.Execute(images), their


def measure(side: int, runs: int) -> dict[str, object]:
    masks = five_masks(side)
    table = LabelTable((Label(1, "structure", "Structure", (1.0, 0.0, 0.0)),))
    ratings = Ratings(Grid((side,) * 3), table, tuple(Rating(str(n), mask) for n, mask in enumerate(masks)))
    theirs, their = simple_itk(side, masks)
    found = fuse(ratings)
    work = {
        "SimpleITK": theirs,
        "ours": lambda: fuse(ratings),
        "ours with probabilities": lambda: fuse(ratings).probability(1),
        "another threshold": lambda: found.at(0.8),
    }
    load = os.getloadavg()[0]
    medians = interleaved_medians(work, runs)
    weights = sitk.GetArrayFromImage(theirs())
    sensitivities = np.array([one.sensitivity(1) for one in found.performances])
    return {
        "side": side,
        "runs": runs,
        "cpu_seconds": medians,
        "times_simpleitk": medians["SimpleITK"] / medians["ours"],
        "iterations": {"SimpleITK": their.GetElapsedIterations(), "ours": found.record.iterations},
        "voxels_that_differ": int(np.count_nonzero((weights > 0.5) != found.labels)),
        "largest_difference_of_sensitivity": float(np.abs(sensitivities - their.GetSensitivity()).max()),
        "load_before_and_after": [load, os.getloadavg()[0]],
        "cores": os.cpu_count(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    figures = measure(options.side, options.runs)
    for name, seconds in figures["cpu_seconds"].items():
        print(f"{name:26}{seconds:9.4f} s{figures['cpu_seconds']['SimpleITK'] / seconds:9.1f}x")
    for name in list(figures)[3:]:
        print(f"{name}: {figures[name]}")
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
