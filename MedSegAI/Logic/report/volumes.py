"""How large each segmented structure is."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from MedSegAI.Logic.label_counts import label_counts
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.volume import Volume

_HEADER = ("label", "key", "name", "voxels", "volume_ml")


@dataclass(frozen=True)
class SegmentVolume:
    """Size of one label: number of voxels, and their volume in mL."""

    value: int
    key: str
    name: str
    voxels: int
    volume_ml: float


def segment_volumes(labels: Volume, table: LabelTable) -> tuple[SegmentVolume, ...]:
    """The size of every label of ``table`` in a uint8 label map (k, j, i), zero where it does not occur."""
    counts = label_counts(labels.array)
    voxel_ml = labels.grid.voxel_volume_ml
    return tuple(
        SegmentVolume(
            label.value, label.key, label.name, int(counts[label.value]), float(counts[label.value]) * voxel_ml
        )
        for label in table
    )


def volumes_as_csv(volumes: tuple[SegmentVolume, ...]) -> str:
    """The sizes as comma-separated text with a header line; mL to three decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for entry in volumes:
        writer.writerow((entry.value, entry.key, entry.name, entry.voxels, f"{entry.volume_ml:.3f}"))
    return text.getvalue()
