"""How long a radiologist waits: from a click on a nodule to its segment and its measures, with a warm worker process.

    python -m Testing.Benchmarks.click_to_segment [--clicks 8] [--model lung-nodule-ct] [--small] [-o figures.json]

A chest of 512 x 512 x 400 voxels at 0.7 x 0.7 x 0.8 mm is made up, with round nodules in it, and each is clicked as a
face does it: a session over a real scene, a worker process, a poll every 10 ms, the table of measures read at the end.
Then each is explained. The first click starts the worker and is told apart. Longest poll: the longest time a face's
main thread or event loop stood still in a step of the session. ``--small`` makes 128 cubed of it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import psutil

from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Logic.worker.runner import SubprocessRunner
from MedSegAI.Session.nodules import NoduleTable
from MedSegAI.Session.pointing import Pointing
from MedSegAI.Session.run import Run
from MedSegAI.Session.session import Session
from Testing.pointed_model import a_chest

POLL_SECONDS = 0.01
MIB = 1 << 20
RADIUS_MM = 6.0


def places(count: int, extent_mm: float) -> list[tuple[float, float, float]]:
    """So many places (R, A, S) far enough from each other and from the wall of the made-up chest."""
    step = extent_mm / 5
    grid = [(r * step, a * step, 0.0) for r in (-1, 0, 1) for a in (-1, 0, 1)]
    return grid[:count]


def waited(session: Session, begin: object) -> tuple[float, float]:
    """Seconds until what was begun has ended, and the longest step meanwhile."""
    clicked = time.perf_counter()
    begin()
    longest = time.perf_counter() - clicked
    while True:
        started = time.perf_counter()
        ended = session.poll()
        longest = max(longest, time.perf_counter() - started)
        if ended:
            break
        time.sleep(POLL_SECONDS)
    refuse_failed(session.run)
    return time.perf_counter() - clicked, longest


def refuse_failed(run: Run) -> None:
    """End the benchmark where a run failed."""
    if run.error is not None:
        raise SystemExit(f"The run failed: {run.error}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=8)
    parser.add_argument("--model", default="lung-nodule-ct")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    shape, spacing = ((128,) * 3, (1.0,) * 3) if options.small else ((400, 512, 512), (0.7, 0.7, 0.8))
    points = places(options.clicks, shape[1] * spacing[1])
    chest = a_chest(*((point, RADIUS_MM) for point in points), shape=shape, spacing=spacing)
    with SubprocessRunner() as runner:
        session = Session(new_scene(), runner)
        session.choose(model=options.model)
        session.add_scan(chest)
        pointing, table = Pointing(session), NoduleTable(session)
        clicks = [waited(session, lambda point=point: pointing.segment_at(point)) for point in points]
        started = time.perf_counter()
        rows = table.rows()
        table_seconds = time.perf_counter() - started
        heat = [waited(session, lambda key=row.key: pointing.explain(key)) for row in rows]
        worker_mib = psutil.Process(runner.worker_pid).memory_info().rss / MIB
        session.close()
    warm, steps = zip(*clicks[1:])
    figures = {
        "scan": [chest.grid.shape, chest.grid.spacing],
        "model": options.model,
        "first_click_seconds": clicks[0][0],
        "warm_click_seconds": {"median": statistics.median(warm), "min": min(warm), "max": max(warm)},
        "heat_map_seconds": statistics.median(seconds for seconds, _ in heat),
        "table_seconds": table_seconds,
        "longest_poll_ms": {"first": 1000 * clicks[0][1], "warm": 1000 * max(steps)},
        "diameters_mm": [round(row.measures.diameter_mm, 1) for row in rows],
        "memory_mib": {"this process": psutil.Process().memory_info().rss / MIB, "worker": worker_mib},
        "load_average": psutil.getloadavg(),
    }
    print(json.dumps(figures, indent=2))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
