"""What an engine costs: its start, the first and every other time, its memory, and one warm window, beside torch.

    python -m Testing.Benchmarks.engines [--engine openvino] [--large] [--threads 1]

Each line is one fresh process (Linux) with a cache folder of its own: an engine is built and checked, then opened
again in a second process, as every later run does. Seconds are CPU seconds; memory is what the process has at its
highest, with Python and torch themselves. The random networks of ``--large`` have feature size 12 and 48 and windows of
96 cubed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = ("hippocampus-mr", "lung-nodule-ct")
WINDOWS = 5


def large_model(folder: Path, feature_size: int) -> Path:
    """A random Swin-UNETR for whole volumes, with the card of a shipped model."""
    import torch

    from MedSegAI.Logic.models.registry import find_model
    from MedSegAI.Logic.models.weights import build_network, save_model

    torch.manual_seed(0)
    card = find_model("hippocampus-mr").card
    arguments = {"in_channels": 1, "out_channels": card.class_count, "feature_size": feature_size}
    network = build_network("SwinUNETR", arguments)
    name = f"random-{feature_size}-96"
    card = dataclasses.replace(card, name=name, network_arguments=arguments, window=(96, 96, 96), localiser=None)
    return save_model(folder / name, card, state=network.state_dict()).folder


def measure_here(model: str, engine: str, threads: int) -> dict[str, object]:
    """Open an engine in this process and evaluate some windows."""
    import torch

    from MedSegAI.Logic.inference.engines.open import open_engine
    from MedSegAI.Logic.inference.engines.parity import check_windows
    from MedSegAI.Logic.models.registry import find_model
    from MedSegAI.Logic.reporter import SilentReporter
    from MedSegAI.Logic.settings import RunSettings

    torch.set_num_threads(threads)
    found, reporter = find_model(model), SilentReporter()
    started = time.process_time()
    opened = open_engine(found, settings=RunSettings(device="cpu", engine=engine), reporter=reporter)
    start = time.process_time() - started
    window = check_windows(found.card, count=1)
    seconds = []
    for _ in range(WINDOWS + 1):
        started = time.process_time()
        opened.predict(window)
        seconds.append(time.process_time() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    warm = sorted(seconds[1:])[WINDOWS // 2]
    return {"name": opened.name, "start": start, "window": warm, "peak": peak, "told": reporter.messages}


def measure(model: str, engine: str, threads: int, cache: str) -> dict[str, object]:
    """:func:`measure_here` in a fresh process."""
    case = json.dumps([model, engine, threads])
    environment = os.environ | {"MEDSEGAI_CACHE": cache, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-m", "Testing.Benchmarks.engines", "--case", case]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="openvino")
    parser.add_argument("--large", action="store_true", help="random networks of feature size 12 and 48, 96 cubed, too")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(json.dumps(measure_here(*json.loads(options.case))))
        return
    with tempfile.TemporaryDirectory() as folder:
        models = list(SHIPPED)
        if options.large:
            models += [str(large_model(Path(folder), features)) for features in (12, 48)]
        for model in models:
            for engine, when in (("torch", ""), (options.engine, "first"), (options.engine, "again")):
                found = measure(model, engine, options.threads, folder)
                print(
                    f"{Path(model).name:16} {found['name']:28} {when:6} start {found['start']:6.2f} s, "
                    f"window {found['window']:6.3f} s, peak {found['peak']:5.0f} MiB",
                    flush=True,
                )
                if when == "first":
                    print(f"{'':16} {found['told'][-1]}", flush=True)


if __name__ == "__main__":
    main()
