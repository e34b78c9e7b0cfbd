"""How long the desktop module's main thread stands still, in the Qt host: Slicer's own is not measured.

    python -m Testing.Benchmarks.desktop [--runs 5] [-o figures.json]

The real module file and panel over a real scene with the ICBM152 head. The real Segment and Explain buttons are
pressed, the worker runs under QProcess, and a timer of 5 ms watches the main thread from the click to the end. There
are no views in the host, so drawing is not part of it (see Testing.Benchmarks.display for that).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import psutil

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from Testing.Widgets.qt_host.host import QtHost
from Testing.Widgets.qt_host.open_module import OpenModule
from Testing.Widgets.qt_host.waiting import Heartbeat, pump, pump_until

MODULE_FILE = Path(__file__).resolve().parents[2] / "MedSegAI" / "MedSegAI.py"
LIMIT_MS = 50
MIB = 1 << 20


def press(opened: OpenModule, name: str) -> tuple[float, Heartbeat]:
    """Press a button, wait for the end of its work; seconds from the click, and the main thread's heartbeat."""
    session, button = opened.logic.session(), getattr(opened.ui, name)
    pump_until(lambda: button.enabled, timeout=120)
    with Heartbeat() as heart:
        clicked = time.perf_counter()
        button.click()
        pump_until(lambda: not session.is_busy, timeout=600)
        seconds = time.perf_counter() - clicked
        pump(0.1)
    if session.run.error is not None:
        raise SystemExit(f"{name}: {session.run.error}")
    return seconds, heart


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    figures: dict[str, object] = {}
    with QtHost() as host:
        opened = host.open_module(MODULE_FILE)
        opened.logic.session().set_input(0, opened.file.load_sample_head()[0])
        for name in ("segmentButton", "explainButton"):
            beats = [press(opened, name) for _ in range(options.runs)]
            longest = [heart.longest_ms for _, heart in beats]
            figures[name] = {
                "seconds_first_and_median_of_the_rest": [
                    beats[0][0],
                    statistics.median(seconds for seconds, _ in beats[1:] or beats),
                ],
                "longest_block_ms": {"median": statistics.median(longest), "max": max(longest)},
                f"blocks_over_{LIMIT_MS}_ms": sum(len(heart.blocks_over(LIMIT_MS)) for _, heart in beats),
            }
        children = psutil.Process().children(recursive=True)
        figures["memory_mib"] = {
            "this process": psutil.Process().memory_info().rss / MIB,
            "worker": max((child.memory_info().rss for child in children), default=0) / MIB,
        }
        host.close()
    print(json.dumps(figures, indent=2))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
