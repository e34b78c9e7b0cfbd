"""How much memory one window costs inside Swin-UNETR: the measurement that ``Logic/inference/plan.py`` is fitted to.

    python Testing/Benchmarks/activation_memory.py [--quick]

Each case runs in a fresh process (Linux): peak resident memory during the forward pass, less what was resident before
it. Prints one line a case and the least-squares fit of bytes = voxels * (a * feature_size + b) + c.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
CASES = [
    ((64, 64, 64), 12, 4),
    ((64, 64, 64), 24, 4),
    ((64, 64, 64), 48, 4),
    ((96, 96, 96), 12, 2),
    ((96, 96, 96), 12, 8),
    ((96, 96, 96), 12, 14),
    ((96, 96, 96), 24, 4),
    ((96, 96, 96), 36, 8),
    ((96, 96, 96), 48, 4),
    ((96, 96, 96), 48, 14),
    ((128, 128, 128), 12, 4),
]
QUICK = [CASES[0], CASES[1], CASES[3], CASES[5]]


def peak_in_this_process(window: tuple[int, int, int], feature_size: int, classes: int) -> int:
    """Bytes by which the forward pass raises the resident memory at its highest."""
    import torch

    from MedSegAI.Logic.bench.fresh_process import PeakMemory
    from MedSegAI.Logic.inference.engines.eager import EagerEngine
    from MedSegAI.Logic.networks.swin_unetr import SwinUNETR

    torch.set_num_threads(1)
    engine = EagerEngine(SwinUNETR(1, classes, feature_size=feature_size))
    cut = np.random.default_rng(0).normal(size=(1, 1, *window)).astype(np.float32)
    memory = PeakMemory()
    engine.predict(cut)
    return memory.grown()


def measure(window: tuple[int, int, int], feature_size: int, classes: int) -> int:
    """:func:`peak_in_this_process` in a fresh process."""
    case = json.dumps([window, feature_size, classes])
    done = subprocess.run(
        [sys.executable, __file__, "--case", case], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    return int(done.stdout)


def main() -> None:
    """Measure, print and fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="four small cases")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        print(peak_in_this_process(*json.loads(given.case)))
        return
    rows, peaks = [], []
    for window, feature_size, classes in QUICK if given.quick else CASES:
        peak, voxels = measure(window, feature_size, classes), int(np.prod(window))
        rows.append([voxels * feature_size, voxels, 1.0])
        peaks.append(peak)
        print(f"{window} feature size {feature_size}, {classes} classes: {peak / 2**20:.0f} MiB", flush=True)
    fit, ratios = fit_line(np.array(rows), np.array(peaks, dtype=float))
    print(f"bytes = voxels * ({fit[0]:.1f} * feature size + {fit[1]:.1f}) + {fit[2] / 2**20:.0f} MiB;", end=" ")
    print(f"measured / fitted from {ratios.min():.2f} to {ratios.max():.2f}")


def fit_line(rows: np.ndarray, peaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Non-negative least squares of the relative error; the fit and measured / fitted of each case."""
    from scipy.optimize import nnls

    fit, _ = nnls(rows / peaks[:, None], np.ones(len(peaks)))
    return fit, peaks / (rows @ fit)


if __name__ == "__main__":
    sys.path.insert(0, str(REPOSITORY))
    main()
