"""How long a user waits: from the click on Segment to the segments in the scene, with a warm worker process.

    python -m Testing.Benchmarks.session [--runs 10] [--head] [-o figures.json]

A real hippocampus crop (with ``--head``, the ICBM152 head) is segmented by the shipped model as the faces do it: a
session over a real scene, a worker process, a poll every 10 ms. The first run starts the worker and is told apart.
Longest poll: the longest time a face's main thread or event loop stood still in a step of the session.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import psutil

from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.localise.atlas import icbm152_t1
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.runner import SubprocessRunner
from MedSegAI.Session.run import Outcome
from MedSegAI.Session.session import Session

POLL_SECONDS = 0.01
MIB = 1 << 20


def first_crop() -> Volume:
    """The first validation case of the Decathlon hippocampus crops."""
    folder = Path(os.environ.get("MEDSEGAI_DATA", "../shared/data")) / "msd_hippocampus"
    name = json.loads((folder / "split.json").read_text())["val"][0]
    return read_volume(folder / "imagesTr" / f"{name}.nii.gz")


def click_to_segment(session: Session) -> tuple[float, float, float]:
    """Seconds from the click to the segments in the scene and to the end of the run, and the longest step between."""
    longest = 0.0
    before = session.segmentation
    clicked = time.perf_counter()
    session.start_segment()
    longest = time.perf_counter() - clicked
    shown = None
    while True:
        started = time.perf_counter()
        ended = session.poll()
        now = time.perf_counter()
        longest = max(longest, now - started)
        if shown is None and session.segmentation is not before:
            shown = now - clicked
        if ended:
            break
        time.sleep(POLL_SECONDS)
    if session.run.outcome is not Outcome.DONE:
        raise SystemExit(f"The run ended as {session.run.outcome.value}: {session.run.error}")
    return shown, time.perf_counter() - clicked, longest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--head", action="store_true")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    scan = icbm152_t1() if options.head else first_crop()
    with SubprocessRunner() as runner:
        session = Session(new_scene(), runner)
        session.add_scan(scan)
        cold = click_to_segment(session)
        warm = [click_to_segment(session) for _ in range(options.runs)]
        worker_mib = psutil.Process(runner.worker_pid).memory_info().rss / MIB
        session.close()
    shown, ended, longest = zip(*warm)
    figures = {
        "scan": [scan.name, scan.grid.shape],
        "cold_seconds_to_segments": cold[0],
        "warm_seconds_to_segments": {"median": statistics.median(shown), "min": min(shown), "max": max(shown)},
        "warm_seconds_to_end": statistics.median(ended),
        "longest_poll_ms": {"cold": 1000 * cold[2], "warm": 1000 * max(longest)},
        "memory_mib": {"this process": psutil.Process().memory_info().rss / MIB, "worker": worker_mib},
    }
    print(json.dumps(figures, indent=2))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
