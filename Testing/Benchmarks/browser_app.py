"""What the browser app takes: from its start to the first picture, from the click to the segments, blocks, memory.

    python -m Testing.Benchmarks.browser_app [SCAN] [--runs 5] [-o figures.json]

The real app in Debian's Chromium without a screen. SCAN is the first hippocampus crop where none is given.

- Start: from starting the gateway (which has no case then) to the first picture of the scan in the browser's window.
- Click: from the click on Segment to the segments in the browser's table, with a warm worker; the cold one is told
  apart.
- Block: the longest time that the case's event loop stood still between the click and the end of a run, by a tick of
  5 ms in the case's own process. It includes drawing: the case draws the views itself, on software GL here.
- Memory: resident set of the gateway, of each of two open cases, and of the worker (shared pages are counted in each).
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from playwright.sync_api import sync_playwright

from Testing.Web.served_app import REPOSITORY_ROOT, served_app
from Testing.Web.test_case_app import CHROMIUM, WINDOW
from Testing.Web.test_whole_flow import HeadWindow

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECONDS = 300
MIB = 1 << 20


def first_crop() -> Path:
    """The first validation case of the Decathlon hippocampus crops."""
    folder = Path(os.environ.get("MEDSEGAI_DATA", "../shared/data")) / "msd_hippocampus"
    return folder / "imagesTr" / f"{json.loads((folder / 'split.json').read_text())['val'][0]}.nii.gz"


def open_window(browser: Browser, address: str) -> HeadWindow:
    """A window on a case, as soon as a slice is drawn in it."""
    page = browser.new_page(viewport=WINDOW, locale="en-US")
    page.set_default_timeout(1000 * SECONDS)
    window = HeadWindow(page, Path())
    window.open(address)
    window.wait_for(lambda: (window.picture().max(axis=2) > 60).mean() > 0.05, seconds=SECONDS)
    return window


def click_to_segments(window: HeadWindow, *, runs_before: int) -> tuple[float, float, float]:
    """Seconds from the click to the table's new result and to the end of the run, and the wall time of the click."""
    table, status = (window.named(name) for name in ("results-table", "run-status"))
    started, clicked = time.time(), time.perf_counter()
    window.click("run-segment")
    # Every result is one more segmentation to choose from; the page keeps only the newest one's rows on the screen.
    shown = f"""() => {{
        const rows = document.querySelectorAll('{table} tbody tr').length;
        const list = Object.values(window.trame.state.state).find((value) => Array.isArray(value)
            && value.length && value[0].title && value[0].title.includes('segmentation'));
        return rows > 0 && list && list.length > {runs_before};
    }}"""
    window.page.wait_for_function(shown, polling=10)
    segments = time.perf_counter() - clicked
    window.page.wait_for_function(f"() => document.querySelector('{status}').innerText.startsWith('Done')", polling=10)
    return segments, time.perf_counter() - clicked, started


@contextmanager
def watched_case(scan: Path) -> Iterator[tuple[str, Path]]:
    """A case by itself whose event loop is watched: its address, and the file that its blocks are written to."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "blocks"
        with log.open("wb") as stderr:
            case = subprocess.Popen(
                [sys.executable, "-m", "MedSegAI.Web.case", "--watch-loop", str(scan)],
                cwd=REPOSITORY_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        try:
            yield json.loads(case.stdout.readline())["ready"]["url"], log
        finally:
            case.stdin.close()
            case.wait(30)


def blocks_between(log: Path, started: float, ended: float) -> list[float]:
    """Milliseconds of each block of the event loop in that time."""
    lines = (json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"loop_block_ms"'))
    return [line["loop_block_ms"] for line in lines if started <= line["until"] <= ended + 0.5]


def start_to_picture(browser: Browser, scan: Path) -> float:
    started = time.perf_counter()
    with served_app(str(scan), threads=os.cpu_count()) as app:
        window = open_window(browser, app.address)
        seconds = time.perf_counter() - started
        window.page.close()
    return seconds


def click_figures(browser: Browser, scan: Path, runs: int) -> dict[str, object]:
    with watched_case(scan) as (address, log):
        window = open_window(browser, address)
        cold, *warm = [click_to_segments(window, runs_before=number) for number in range(runs + 1)]
        time.sleep(1)
        blocks = [blocks_between(log, started, started + ended) for _, ended, started in warm]
    longest = [max(each, default=0.0) for each in blocks]
    return {
        "cold_seconds_to_segments": cold[0],
        "warm_seconds_to_segments": statistics.median(run[0] for run in warm),
        "warm_seconds_to_end": statistics.median(run[1] for run in warm),
        "longest_loop_block_ms": {"median": statistics.median(longest), "max": max(longest)},
        "loop_blocks_over_50_ms": sum(block > 50 for each in blocks for block in each),
    }


def memory_figures(browser: Browser, scan: Path) -> dict[str, object]:
    with served_app(str(scan), threads=os.cpu_count()) as app:
        windows = [open_window(browser, app.address) for _ in range(2)]
        click_to_segments(windows[0], runs_before=0)
        figures = {
            "gateway": psutil.Process(app.process.pid).memory_info().rss / MIB,
            "cases": [case.memory_info().rss / MIB for case in app.cases],
            "workers": [worker.memory_info().rss / MIB for worker in app.workers],
        }
        for window in windows:
            window.page.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scan", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    scan = (options.scan or first_crop()).resolve()
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        figures = {
            "scan": scan.name,
            "start_to_first_picture_seconds": [start_to_picture(browser, scan) for _ in range(options.runs)],
            **click_figures(browser, scan, options.runs),
            "memory_mib": memory_figures(browser, scan),
        }
        browser.close()
    print(json.dumps(figures, indent=2))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
