"""Linear resampling 150 x 512 x 512 -> 188 x 384 x 384: ours beside SimpleITK, MONAI, scipy and torch.

    python -m Testing.Benchmarks.resample [--runs 5] [-o figures.json]

CPU seconds of one thread, runs interleaved, medians reported; the compiled code is warm, and what compiling it and
loading it in a new process take is measured apart. Each library gets what it likes best before the clock starts: an
int16 array for ours and scipy, float32 images and tensors for the others. ``difference`` is the largest difference from
SimpleITK's answer at the very places where the library says its voxels lie, as a fraction of the data's range; where a
library cannot say it, at the places that all others are asked for. The second table is a grid that is so coarse that
ours and SimpleITK smooth first; the others do not, so they are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.standardise.aligned_resample import load_kernel, resample_aligned
from MedSegAI.Logic.standardise.aligned_weights import aligned_weights
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolate import smoothing_variance
from MedSegAI.Logic.standardise.target_grids import grid_with_spacing
from Testing.Benchmarks.interleaved_medians import interleaved_medians

SOURCE = Grid((150, 512, 512), (0.7, 0.7, 2.5))
TARGET = grid_with_spacing(SOURCE, (0.7 * 512 / 384, 0.7 * 512 / 384, 2.5 * 150 / 188))
COARSE = grid_with_spacing(SOURCE, (1.5, 1.5, 5.0))
LOAD_KERNEL = """
import time
import numpy, scipy.special, SimpleITK
start = time.perf_counter()
from MedSegAI.Logic.standardise.aligned_resample import load_kernel
kernel = load_kernel()
imported = time.perf_counter()
plane, first, weights = numpy.zeros((4, 4), "f4"), numpy.zeros(4, "i8"), numpy.ones((2, 4), "f4")
kernel.resample_plane(plane, first, weights, first, weights, numpy.zeros(4, "f4"), numpy.zeros((4, 4), "f4"))
kernel.blend_planes(numpy.zeros((2, 4, 4), "f4"), first[:2], numpy.ones(2, "f4"), plane)
print(imported - start, time.perf_counter() - imported)
"""


def a_scan() -> np.ndarray:
    """int16 (k, j, i): smooth shapes with sharp borders, and noise."""
    rng = np.random.default_rng(0)
    k, j, i = np.ogrid[:150, :512, :512]
    shapes = 400 * (np.sin(k / 9) + np.sin(j / 31) + np.sin(i / 23) > 0.4) - 1000 * (
        (j - 256) ** 2 + (i - 256) ** 2 > 2e5
    )
    return (shapes + rng.normal(0, 20, SOURCE.shape)).astype(np.int16)


def ours(array: np.ndarray, target: Grid, dtype: type, threads: int = 1) -> Callable[[], np.ndarray]:
    index_map = IndexMap.between(SOURCE, target)

    def work() -> np.ndarray:
        how = aligned_weights(index_map, SOURCE.shape, target.shape, smoothing_variance(index_map))
        return resample_aligned(
            array,
            how,
            target.shape,
            kernel=load_kernel(),
            background=-1000.0,
            dtype=np.dtype(dtype),
            threads=threads,
        )

    return work


def image_of(array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array.astype(np.float32))
    image.SetSpacing(SOURCE.spacing)
    return image


def by_simpleitk(image: sitk.Image, target: Grid, *, smooth: bool = False) -> Callable[[], np.ndarray]:
    variance = smoothing_variance(IndexMap.between(SOURCE, target)).tolist()

    def work() -> np.ndarray:
        given = sitk.DiscreteGaussian(image, variance, 99, 0.01, False) if smooth else image
        place = target.size, sitk.Transform(), sitk.sitkLinear, target.origin, target.spacing, target.direction
        return sitk.GetArrayFromImage(sitk.Resample(given, *place, -1000.0))

    return work


def by_torch(array: np.ndarray) -> Callable[[], np.ndarray]:
    import torch

    torch.set_num_threads(1)
    tensor = torch.from_numpy(array.astype(np.float32))[None, None]
    return lambda: torch.nn.functional.interpolate(tensor, TARGET.shape, mode="trilinear").numpy()[0, 0]


def by_scipy(array: np.ndarray) -> Callable[[], np.ndarray]:
    from scipy.ndimage import zoom

    factors = [new / old for new, old in zip(TARGET.shape, SOURCE.shape)]
    return lambda: zoom(array, factors, np.float32, order=1, mode="nearest", grid_mode=True)


def by_monai(array: np.ndarray) -> tuple[Callable[[], np.ndarray], Callable[[], Grid]]:
    """The work, and where its voxels lie: MONAI keeps the first voxel in its place."""
    import torch
    from monai.data import MetaTensor
    from monai.transforms import Spacing

    affine = np.diag([*SOURCE.spacing_kji, 1.0])
    tensor = MetaTensor(torch.from_numpy(array.astype(np.float32))[None], affine=torch.from_numpy(affine))
    spacing = Spacing(TARGET.spacing_kji, mode="bilinear", padding_mode="border")
    found = []

    def work() -> np.ndarray:
        found[:] = [spacing(tensor)]
        return found[0].numpy()[0]

    def grid() -> Grid:
        placed = found[0].affine.numpy()
        return Grid(found[0].shape[1:], tuple(np.diag(placed)[2::-1]), tuple(placed[2::-1, 3]))

    return work, grid


def wall_seconds(array: np.ndarray, threads: int, runs: int) -> float:
    work, seconds = ours(array, TARGET, np.float32, threads), []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def kernel_seconds() -> dict[str, float]:
    """What the compiled code costs a new process: compiled for the first time, and loaded from the cache after that."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        runs = [
            subprocess.run(
                [sys.executable, "-c", LOAD_KERNEL], env=environment, capture_output=True, text=True, check=True
            )
            for _ in range(4)
        ]
    imports, loads = zip(*(map(float, run.stdout.split()) for run in runs))
    return {
        "import_numba": statistics.median(imports[1:]),
        "compile_once": loads[0],
        "load_from_cache": statistics.median(loads[1:]),
    }


def measure(runs: int) -> dict[str, object]:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    load, array = os.getloadavg()[0], a_scan()
    image, scale = image_of(array), float(np.ptp(array))
    monai, monai_grid = by_monai(array)
    work = {
        "SimpleITK": by_simpleitk(image, TARGET),
        "ours": ours(array, TARGET, np.float32),
        "ours, rounded to int16": ours(array, TARGET, np.int16),
        "torch F.interpolate": by_torch(array),
        "scipy zoom": by_scipy(array),
        "MONAI Spacing": monai,
    }
    shapes, differences = {}, {}
    for name, action in work.items():
        found = action()
        where = monai_grid() if name == "MONAI Spacing" else TARGET
        oracle = by_simpleitk(image, where)()
        shapes[name] = found.shape
        differences[name] = float(np.abs(found - oracle).max()) / scale
    coarse = {
        "SimpleITK, Gaussian first": by_simpleitk(image, COARSE, smooth=True),
        "ours, Gaussian first": ours(array, COARSE, np.float32),
    }
    smooth = [action() for action in coarse.values()]
    return {
        "runs": runs,
        "cpu_seconds": interleaved_medians(work, runs),
        "shapes": shapes,
        "differences": differences,
        "coarse_cpu_seconds": interleaved_medians(coarse, runs),
        "coarse_shape": COARSE.shape,
        "coarse_difference": float(np.abs(smooth[0] - smooth[1]).max()) / scale,
        "wall_seconds_by_threads": {threads: wall_seconds(array, threads, runs) for threads in (1, 2)},
        "kernel_seconds": kernel_seconds(),
        "load_before_and_after": [load, os.getloadavg()[0]],
        "cores": os.cpu_count(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    figures = measure(options.runs)
    print(f"{'':28}{'CPU s':>9}{'SimpleITK / it':>16}{'difference':>12}  result (k, j, i)")
    seconds = figures["cpu_seconds"]
    for name, value in seconds.items():
        shape = " x ".join(map(str, figures["shapes"][name]))
        ratio = seconds["SimpleITK"] / value
        print(f"{name:28}{value:9.4f}{ratio:15.1f}x{figures['differences'][name]:12.1e}  {shape}")
    theirs, mine = figures["coarse_cpu_seconds"].values()
    shape = " x ".join(map(str, figures["coarse_shape"]))
    print(f"{'SimpleITK, Gaussian first':28}{theirs:9.4f}{1:15.1f}x{0:12.1e}  {shape}")
    print(f"{'ours, Gaussian first':28}{mine:9.4f}{theirs / mine:15.1f}x{figures['coarse_difference']:12.1e}  {shape}")
    for name in list(figures)[7:]:
        print(f"{name}: {figures[name]}")
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
