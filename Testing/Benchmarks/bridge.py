"""Seconds and memory of the bridge on a large CT: python Testing/Benchmarks/bridge.py (512 x 512 x 300, 8 segments)."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Bridge.segment_surfaces import create_surfaces
from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, segmentation_to_node
from MedSegAI.Bridge.volume_nodes import node_to_volume, volume_to_node
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume

SHAPE = (300, 512, 512)


def timed(name, action):
    start = time.process_time()
    result = action()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<55} {time.process_time() - start:8.3f} s CPU   peak {peak:6.0f} MiB")
    return result


def main():
    rng = np.random.default_rng(0)
    grid = Grid(SHAPE, (0.8, 0.8, 1.5))
    scan = Volume(rng.integers(-1000, 1000, SHAPE, dtype=np.int16), grid, name="CT")
    array = np.zeros(SHAPE, np.uint8)
    for number in range(8):
        array[20:280, 60:450, 30 + 55 * number : 75 + 55 * number] = number + 1
    labels = Volume(array, grid, name="labels")
    table = LabelTable(tuple(Label(v, f"s{v}", f"Segment {v}", (v / 8, 0.5, 0.5)) for v in range(1, 9)))
    scene = new_scene().mrml
    node = timed("scan to node", lambda: volume_to_node(scan, scene))
    timed("node to scan", lambda: node_to_volume(node))
    segments = timed("labels to segmentation node", lambda: segmentation_to_node(labels, table, scene, reference=node))
    timed("segmentation node to labels", lambda: node_to_segmentation(segments))
    box = Box((100, 150, 150), (220, 370, 370))
    array[box.slices] = 3
    timed("changed box 120 x 220 x 220, all 8 segments", lambda: update_segments(segments, labels, box=box))
    array[5:295] = 4
    timed("everything changed", lambda: update_segments(segments, labels))
    with tempfile.TemporaryDirectory() as folder:
        storage = segments.CreateDefaultStorageNode()
        storage.SetFileName(str(Path(folder) / "labels.seg.nrrd"))
        timed("write .seg.nrrd", lambda: storage.WriteData(segments))
    timed("closed surfaces", lambda: create_surfaces(segments))


if __name__ == "__main__":
    main()
