"""HD95 of two masks: ours, MONAI's and a recipe of SimpleITK's filters, CPU seconds of one thread.

    python -m Testing.Benchmarks.hd95 [--runs 5] [--large] [-o figures.json]

All three take the larger of the two directed 95th percentiles between voxel centres of the surfaces. "Off" is how far
each value lies from the same percentile worked out in double precision from the distance of every surface voxel; MONAI
and SimpleITK compute distances or percentiles in single precision. Runs are interleaved and medians reported.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch
from monai.metrics import compute_hausdorff_distance
from scipy.ndimage import binary_erosion, gaussian_filter, zoom
from scipy.spatial import cKDTree

from MedSegAI.Logic.evaluation.metrics import hd95
from Testing.Benchmarks.interleaved_medians import interleaved_medians

CUBE = (256, 256, 256)
CHEST = (400, 512, 512)
Masks = tuple[np.ndarray, np.ndarray]
Spacing = tuple[float, float, float]


def ball(shape: tuple[int, ...], middle: tuple[float, ...], radius: float) -> np.ndarray:
    """Of voxels within ``radius`` voxels of ``middle`` (k, j, i)."""
    axes = np.ogrid[tuple(slice(n) for n in shape)]
    return sum((axis - m) ** 2 for axis, m in zip(axes, middle)) <= radius**2


def bent_tube(shape: tuple[int, ...], shift: int = 0) -> np.ndarray:
    """About as large and as thin as a hippocampus at 1 mm: 40 voxels long, 8 to 12 wide."""
    mask = np.zeros(shape, bool)
    for step in range(40):
        middle = (110 + shift + 6 * np.sin(step / 12), 100 + step, 90 + 5 * np.cos(step / 15))
        place = tuple(slice(int(m) - 10, int(m) + 11) for m in middle)
        mask[place] |= ball((21,) * 3, tuple(m - int(m) + 10 for m in middle), 4 + 2 * np.cos(step / 13))
    return mask


def blobs(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Rough structures over the whole volume, a fifth of it."""
    small = gaussian_filter(np.random.default_rng(seed).normal(size=tuple(n // 4 for n in shape)), 3)
    noise = zoom(small.astype(np.float32), 4, order=1)
    return noise > np.quantile(noise[::8, ::8, ::8], 0.8)


def cases(*, large: bool) -> dict[str, tuple[Masks, Spacing]]:
    """What is measured, by name."""
    middle = (128, 128, 128)
    found: dict[str, tuple[Masks, Spacing]] = {
        "hippocampus": ((bent_tube(CUBE), bent_tube(CUBE, shift=1)), (1.0, 1.0, 1.0)),
        "nodule": ((ball(CUBE, (128, 100, 90), 9), ball(CUBE, (129, 101, 89), 8)), (1.25, 0.7, 0.7)),
        "large organ": ((ball(CUBE, middle, 90), ball(CUBE, (131, 126, 128), 94)), (1.0, 1.0, 1.0)),
        "rough, everywhere": ((blobs(CUBE, 0), blobs(CUBE, 1)), (1.0, 1.0, 1.0)),
        "rough, thick planes": ((blobs(CUBE, 2), blobs(CUBE, 3)), (2.5, 0.8, 0.8)),
        "one far inside the other": ((ball(CUBE, middle, 30), ball(CUBE, middle, 110)), (1.0, 1.0, 1.0)),
        "a speck far away": (
            (ball(CUBE, middle, 40), ball(CUBE, middle, 40) | ball(CUBE, (9, 9, 9), 5)),
            (1.0, 1.0, 1.0),
        ),
    }
    if large:
        nodule = ball(CHEST, (200, 150, 300), 9), ball(CHEST, (201, 151, 299), 8)
        organ = ball(CHEST, (200, 250, 250), 150), ball(CHEST, (203, 249, 252), 154)
        found["nodule in 512x512x400"] = (nodule, (1.25, 0.7, 0.7))
        found["organ in 512x512x400"] = (organ, (1.25, 0.7, 0.7))
    return found


def by_monai(masks: Masks, spacing: Spacing) -> float:
    batches = [torch.from_numpy(mask)[None, None] for mask in masks]
    return float(compute_hausdorff_distance(*batches, include_background=True, percentile=95, spacing=spacing))


def by_simpleitk(masks: Masks, spacing: Spacing) -> float:
    """Contours by one filter, a map of distances from each by another, and the percentiles by numpy."""
    maps, contours = [], []
    for mask in masks:
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.SetSpacing(spacing[::-1])
        contour = sitk.LabelContour(image)
        contours.append(sitk.GetArrayViewFromImage(contour) != 0)
        away = sitk.SignedMaurerDistanceMap(
            contour, insideIsPositive=False, squaredDistance=False, useImageSpacing=True
        )
        maps.append(sitk.GetArrayFromImage(away))
    return float(max(np.percentile(np.maximum(maps[1 - n][contours[n]], 0), 95) for n in (0, 1)))


def by_definition(masks: Masks, spacing: Spacing) -> float:
    """Every distance in double precision."""
    points = [np.argwhere(mask & ~binary_erosion(mask)) * np.array(spacing) for mask in masks]
    trees = [cKDTree(of, balanced_tree=False, compact_nodes=False) for of in points]
    return max(float(np.percentile(trees[1 - n].query(points[n])[0], 95)) for n in (0, 1))


CONTESTANTS: dict[str, Callable[[Masks, Spacing], float]] = {
    "MONAI": by_monai,
    "SimpleITK": by_simpleitk,
    "ours": lambda masks, spacing: hd95(*masks, spacing_kji=spacing),
}


def measure(runs: int, *, large: bool) -> list[dict]:
    rows = []
    print(f"{'case':26}{'program':12}{'seconds':>9}{'times MONAI':>13}{'HD95 mm':>12}{'off mm':>11}")
    for case, (masks, spacing) in cases(large=large).items():
        expected = by_definition(masks, spacing)
        chosen = {n: act for n, act in CONTESTANTS.items() if not (n == "SimpleITK" and masks[0].shape == CHEST)}
        values = {name: act(masks, spacing) for name, act in chosen.items()}
        work = {name: (lambda act=act, m=masks, s=spacing: act(m, s)) for name, act in chosen.items()}
        medians = interleaved_medians(work, runs)
        for name, seconds in medians.items():
            row = {
                "case": case,
                "program": name,
                "cpu_seconds": seconds,
                "times_monai": medians["MONAI"] / seconds,
                "hd95_mm": values[name],
                "off_mm": abs(values[name] - expected),
            }
            rows.append(row)
            print(
                f"{case:26}{name:12}{seconds:9.4f}{row['times_monai']:12.1f}x{values[name]:12.5f}{row['off_mm']:11.1e}",
                flush=True,
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="also 512x512x400 voxels, which takes minutes")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    warnings.simplefilter("ignore")
    rows = measure(options.runs, large=options.large)
    if options.output:
        options.output.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
