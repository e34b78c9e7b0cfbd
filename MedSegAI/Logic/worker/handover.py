"""How volumes and results cross a process border: arrays as ``.npy`` files in a private folder, the rest as JSON.

Arrays are memory-mapped where they are only read, so nothing is copied through a pipe. A file is named to the other
side once it is complete, so it is neither flushed to the disk nor renamed. Of a label map only the box that is not
background is written.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import InputScans, Scans
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume
from MedSegAI.Logic.worker.array_files import never, write_array
from MedSegAI.Logic.worker.kept_arrays import KeptArrays

Plain = dict[str, Any]


def put_volume(
    volume: Volume,
    folder: Path,
    name: str,
    *,
    box: Box | None = None,
    stopped: Callable[[], bool] = never,
    kept: KeptArrays | None = None,
) -> Plain:
    """Write a volume's array as ``name.npy``, or only what lies in ``box``, and describe the volume as JSON values.

    Args:
        volume: The volume; its array must not change meanwhile.
        folder: An existing folder.
        name: Name of the file, without its ending.
        box: The part to write; None writes all.
        stopped: Asked every few planes whether to give up.
        kept: Arrays handed over before, for a scan that may come again; it is then not written twice.

    Raises:
        StorageError: if it cannot be written: disk full, no permission.
        Cancelled: if ``stopped`` said so; no file is left.
    """
    path = folder / f"{name}.npy"
    array = volume.array if box is None else volume.array[box.slices]
    if kept is None:
        write_array(path, array, stopped=stopped)
    else:
        kept.put(array, path, stopped=stopped)
    return {
        "array": str(path),
        "box": None if box is None else _box_to_plain(box),
        "grid": volume.grid.to_plain(),
        "modality": volume.modality.value,
        "unit": volume.unit.value,
        "name": volume.name,
        "frame_of_reference": volume.frame_of_reference,
        "steps": [record.to_plain() for record in volume.steps],
        "acquisition": dict(volume.acquisition),
    }


def take_volume(plain: Plain, *, keep_mapped: bool) -> Volume:
    """The volume that :func:`put_volume` described.

    Args:
        plain: Its description.
        keep_mapped: True maps the file read-only, which must then outlive the volume; False reads it, and outside
            the box of a volume written in part all is 0.
    """
    array = np.load(plain["array"], mmap_mode="r" if keep_mapped else None)
    grid = Grid.from_plain(plain["grid"])
    if plain["box"] is not None:
        whole = np.zeros(grid.shape, dtype=array.dtype)
        whole[_box_of_plain(plain["box"]).slices] = array
        array = whole
    return Volume(
        array,
        grid,
        Modality(plain["modality"]),
        Unit(plain["unit"]),
        plain["name"],
        plain["frame_of_reference"],
        tuple(StepRecord.from_plain(record) for record in plain["steps"]),
        plain["acquisition"],
    )


def put_scans(
    scans: Scans, folder: Path, *, stopped: Callable[[], bool] = never, kept: KeptArrays | None = None
) -> Plain:
    """Write the arrays of one scan, or of several by name, and describe them as JSON values; as :func:`put_volume`.

    Raises:
        StorageError: if an array cannot be written.
        Cancelled: if ``stopped`` said so.
    """
    if isinstance(scans, Volume):
        return {"volume": put_volume(scans, folder, "scan", stopped=stopped, kept=kept)}
    by_name = {
        name: put_volume(volume, folder, f"scan-{number}", stopped=stopped, kept=kept)
        for number, (name, volume) in enumerate(scans.by_name.items())
    }
    return {"by_name": by_name, "reference": scans.reference}


def take_scans(plain: Plain, *, keep_mapped: bool) -> Scans:
    """The scans that :func:`put_scans` described; ``keep_mapped`` as in :func:`take_volume`."""
    if "volume" in plain:
        return take_volume(plain["volume"], keep_mapped=keep_mapped)
    by_name = {name: take_volume(one, keep_mapped=keep_mapped) for name, one in plain["by_name"].items()}
    return InputScans(by_name, plain["reference"])


def put_segmentation(
    segmentation: SegmentationResult | Segmentation, folder: Path, *, stopped: Callable[[], bool] = never
) -> Plain:
    """Write a segmentation's arrays and describe it as JSON values; labels may have been corrected since the run.

    Raises:
        StorageError: if an array cannot be written.
        Cancelled: if ``stopped`` said so.
    """
    box = Box.around(segmentation.labels.array)
    confidence = getattr(segmentation, "confidence", None)
    provenance = segmentation.provenance
    return {
        "labels": put_volume(segmentation.labels, folder, "labels", box=box or Box.empty(), stopped=stopped),
        "table": segmentation.table.to_plain(),
        "confidence": None if confidence is None else put_volume(confidence, folder, "confidence", stopped=stopped),
        "provenance": None if provenance is None else provenance.to_json(),
        "changed": None if box is None else _box_to_plain(box),
        "label_confidence": getattr(segmentation, "label_confidence", None),
    }


def take_segmentation(plain: Plain, *, keep_mapped: bool) -> SegmentationResult:
    """The segmentation that :func:`put_segmentation` described; ``keep_mapped`` as in :func:`take_volume`."""
    confidence, provenance = plain["confidence"], plain["provenance"]
    return SegmentationResult(
        labels=take_volume(plain["labels"], keep_mapped=keep_mapped),
        table=LabelTable.from_plain(plain["table"]),
        confidence=None if confidence is None else take_volume(confidence, keep_mapped=keep_mapped),
        provenance=None if provenance is None else Provenance.from_json(provenance),
        changed=None if plain["changed"] is None else _box_of_plain(plain["changed"]),
        label_confidence=plain["label_confidence"],
    )


def _box_to_plain(box: Box) -> list[list[int]]:
    return [list(box.start), list(box.stop)]


def _box_of_plain(plain: list[list[int]]) -> Box:
    start, stop = plain
    return Box(tuple(start), tuple(stop))
