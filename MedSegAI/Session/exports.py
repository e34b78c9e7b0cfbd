"""A case's results as files, for other programs.

What is to be written is read from the scene at once, on the thread that owns it; the function that comes back touches
the scene no more, so that a face may let it write in another thread.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, read_provenance
from MedSegAI.Bridge.volume_nodes import node_to_volume, world_grid
from MedSegAI.Logic.consensus.consensus import Consensus
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.slicer_segments import CONSENSUS_FIELD, PROVENANCE_FIELD
from MedSegAI.Logic.files.write import write_segmentation, write_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.report.measured_nodules import nodules_as_csv
from MedSegAI.Logic.report.volumes import segment_volumes, volumes_as_csv
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.volume import Volume
from MedSegAI.Session.nodules import NoduleTable
from MedSegAI.Session.session import Session

T = TypeVar("T")
Writer = Callable[[str | os.PathLike[str]], None]
_KEPT_IN_NAMES = re.compile(r"[^\w.-]+")


def segmentation_writer(session: Session) -> Writer:
    """Writes the current segmentation, corrections included, on the scan's grid; ``.seg.nrrd`` keeps all of it.

    The writer raises as :func:`MedSegAI.Logic.files.write.write_segmentation`.

    Raises:
        InputError: if there is no segmentation.
    """
    node = _wanted(session.segmentation, "segmentation", "Segment a scan first.")
    labels, table = node_to_segmentation(node, grid=_grid_of_scan(session))
    provenance = read_provenance(node)
    return lambda path: write_segmentation(path, labels, table, provenance)


def heat_map_writer(session: Session) -> Writer:
    """Writes the current heat map, float32 0..1 on the scan's grid; NRRD keeps how it was made.

    The writer raises as :func:`MedSegAI.Logic.files.write.write_volume`.

    Raises:
        InputError: if there is no heat map.
    """
    heat = node_to_volume(_wanted(session.heat_map, "heat map", "Explain a label first."))
    grid = _grid_of_scan(session) or heat.grid
    provenance = None if session.segmentation is None else read_provenance(session.segmentation)
    metadata = {} if provenance is None else {PROVENANCE_FIELD: provenance.to_json()}
    # That of a place that was pointed at is kept around that place alone.
    return lambda path: write_volume(path, resample(heat, grid, background=0.0), metadata=metadata)


def volumes_writer(session: Session) -> Writer:
    """Writes the size of every segment as comma-separated text.

    The writer raises StorageError if the file cannot be written.

    Raises:
        InputError: if there is no segmentation.
    """
    node = _wanted(session.segmentation, "segmentation", "Segment a scan first.")
    return _text_writer(volumes_as_csv(segment_volumes(*node_to_segmentation(node, grid=_grid_of_scan(session)))))


def nodules_writer(session: Session) -> Writer:
    """Writes the measures of every segment that was pointed at as comma-separated text.

    The writer raises StorageError if the file cannot be written.

    Raises:
        InputError: if nothing was pointed at.
    """
    rows = NoduleTable(session).rows()
    if not rows:
        raise InputError("There are no measures to write.", advice="Point at a structure first.")
    return _text_writer(nodules_as_csv(rows))


def consensus_writer(session: Session, consensus: Consensus) -> Writer:
    """Writes a consensus at the chosen threshold, whatever is shown; NRRD keeps how it was fused.

    The writer raises as :func:`MedSegAI.Logic.files.write.write_segmentation`.
    """
    threshold = session.choices.fuse_threshold
    labels = Volume(consensus.at(threshold), consensus.grid, name="consensus")
    record = {**consensus.record.to_plain(), "threshold": threshold}
    fields = {CONSENSUS_FIELD: json.dumps(record, ensure_ascii=False, separators=(",", ":"))}
    return lambda path: write_segmentation(path, labels, consensus.table, metadata=fields)


def name_for_files(session: Session) -> str:
    """What files of this case are called: its scan's name, as far as every system takes it."""
    name = "" if session.scan is None else session.scan.GetName()
    return _KEPT_IN_NAMES.sub("_", name).strip("_.") or "case"


def _text_writer(text: str) -> Writer:
    def write(path: str | os.PathLike[str]) -> None:
        with write_beside(Path(path)) as temporary:
            temporary.write_text(text, encoding="utf-8")

    return write


def _wanted(node: T | None, what: str, advice: str) -> T:
    if node is None:
        raise InputError(f"There is no {what} to write.", advice=advice)
    return node


def _grid_of_scan(session: Session) -> Grid | None:
    return None if session.scan is None else world_grid(session.scan)
