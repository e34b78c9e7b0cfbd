"""Seconds and peak memory of 512 x 512 x 256 voxels and 8 classes through the real Swin-UNETR, by the streaming window.

    python -m Testing.Benchmarks.sliding_window [--threads 1]

It has a fresh process, so the peak is its own. Feature size 12, random weights, windows of 96 cubed that overlap by a
quarter. MONAI's scheme beside ours is ``medsegai bench --only memory``, and a whole giant scan is ``giant_volume``.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from MedSegAI.Logic.bench.contestants import smooth_image, untrained_model
from MedSegAI.Logic.bench.fresh_process import FreshRun, run_apart

SHAPE, WINDOW, CLASSES = (256, 512, 512), (96, 96, 96), 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        untrained_model(feature_size=12, classes=CLASSES, window=WINDOW) as model,
    ):
        image, labels = (str(Path(folder) / name) for name in ("image.npy", "labels.npy"))
        np.save(image, np.round(smooth_image(SHAPE) * 100).astype(np.int16))
        reading = run_apart(FreshRun("ours", str(model.folder), image, labels, options.threads)).reading
    seconds = f"{reading.wall_seconds:.1f} s, {reading.cpu_seconds:.1f} CPU seconds"
    print(f"{seconds}; at the height {reading.mebibytes:.0f} MiB beyond torch and the network")


if __name__ == "__main__":
    main()
