"""From a result to the picture: 512 x 512 x 300 voxels written into the scene and drawn in three slice views.

    python -m Testing.Benchmarks.display [--runs 5] [-o figures.json]

"New result" brings a label map into the scene as a new segmentation, of which the box outside which all is background
is known. "Changed box" writes a corrected box of 120 x 220 x 220 voxels into it, "whole volume" writes all of it
again, as one would without the box. Each is followed by drawing an axial, a coronal and a sagittal view of 512 x 512
pixels with the scan and the outlines, on whatever OpenGL there is (software on our machines). Wall seconds, medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from MedSegAI.Bridge.graphics import gl_state
from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import segmentation_to_node
from MedSegAI.Bridge.views import SliceView
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume

SHAPE = (300, 512, 512)
RESULT = Box((40, 100, 90), (260, 400, 420))
CORRECTION = Box((100, 150, 150), (220, 370, 370))
ORIENTATIONS = ("Axial", "Coronal", "Sagittal")


def an_abdomen() -> tuple[Volume, Volume, LabelTable]:
    """A noisy scan and two labels that fill a box of the size of an abdomen's organs."""
    rng = np.random.default_rng(0)
    grid = Grid(SHAPE, (0.8, 0.8, 1.5))
    scan = Volume(rng.integers(-200, 300, SHAPE, dtype=np.int16), grid, name="CT")
    labels = np.zeros(SHAPE, np.uint8)
    k, j, i = np.ogrid[tuple(slice(-1, 1, n * 1j) for n in RESULT.shape)]
    labels[RESULT.slices] = np.where(k**2 + j**2 + i**2 < 1, np.where(i < 0, 1, 2), 0)
    table = LabelTable((Label(1, "one", "One", (0.9, 0.5, 0.2)), Label(2, "two", "Two", (0.2, 0.6, 0.9))))
    return scan, Volume(labels, grid, name="labels"), table


def seconds_of(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(runs: int) -> dict[str, list[float]]:
    scan, labels, table = an_abdomen()
    opened = new_scene()
    node = volume_to_node(scan, opened.mrml)
    taken: dict[str, list[float]] = {}

    def take(name: str, work: Callable[[], object]) -> None:
        taken.setdefault(f"{name}: write", []).append(seconds_of(work))
        taken.setdefault(f"{name}: draw 3 slices", []).append(seconds_of(lambda: [v.snapshot() for v in views]))

    with ExitStack() as stack:
        views = [stack.enter_context(SliceView(opened, name, size=(512, 512))) for name in ORIENTATIONS]
        for view in views:
            view.show(node)
            view.look_at(np.zeros(3), width_mm=450.0)
            view.snapshot()
        for run in range(runs):
            made = []
            take(
                "new result",
                lambda made=made: made.append(
                    segmentation_to_node(labels, table, opened.mrml, reference=node, box=RESULT)
                ),
            )
            corrected = labels.array.copy()
            corrected[CORRECTION.slices] = 1 + run % 2
            changed = labels.with_array(corrected)
            take("changed box", lambda made=made, changed=changed: update_segments(made[0], changed, box=CORRECTION))
            take("whole volume", lambda made=made: update_segments(made[0], labels))
            opened.mrml.RemoveNode(made[0])
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    medians = {name: statistics.median(values) for name, values in measure(options.runs).items()}
    print(gl_state().sentence)
    for name, seconds in medians.items():
        print(f"{name:32}{seconds:9.3f} s")
    if options.output:
        options.output.write_text(json.dumps(medians, indent=2))


if __name__ == "__main__":
    main()
