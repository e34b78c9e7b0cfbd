"""Wall time with and without a second thread that cuts, adds and decides while the network runs.

    python -m Testing.Benchmarks.beside_the_network

A region of 168 cubed with 14 classes through a Swin-UNETR of feature size 12, one thread of torch, windows
of 96 cubed at an overlap of a quarter; interleaved runs in one process, medians. It means something only where a second
core is free: the load is shown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

import numpy as np
import torch

from MedSegAI.Logic.inference import beside_the_network
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from MedSegAI.Logic.reporter import SilentReporter

CLASSES = 14
SHAPE = (168, 168, 168)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    engine = EagerEngine(SwinUNETR(1, CLASSES, feature_size=12).eval())
    image = np.random.default_rng(0).random((1, *SHAPE), dtype=np.float32)
    options = {"window": (96, 96, 96), "overlap": 0.25, "classes": CLASSES, "reporter": SilentReporter()}
    engine.predict(image[None, :, :96, :96, :96])
    seconds: dict[str, list[float]] = {"one thread": [], "two threads": []}
    labels = []
    for _ in range(rounds):
        for cores, kind in ((1, "one thread"), (2, "two threads")):
            beside_the_network._cores = lambda cores=cores: cores
            start = time.perf_counter()
            labels.append(segment_array(image, engine, **options).labels)
            seconds[kind].append(time.perf_counter() - start)
    assert all(np.array_equal(labels[0], other) for other in labels)
    for kind, some in seconds.items():
        print(f"{kind}: {statistics.median(some):.1f} s ({', '.join(f'{one:.1f}' for one in some)})")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; labels identical")


if __name__ == "__main__":
    main()
