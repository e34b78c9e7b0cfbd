"""The segments of a case that were pointed at, as a table: always measured as they are now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import slicer

from MedSegAI.Bridge.nodule_segments import (
    NoduleRecord,
    Stamp,
    nodule_records,
    segment_labels,
    voxel_stamps,
    write_record,
)
from MedSegAI.Bridge.point_lists import point_keys
from MedSegAI.Bridge.segment_rows import segment_rows
from MedSegAI.Bridge.segmentation_copies import unaltered_copy
from MedSegAI.Bridge.segmentation_nodes import read_provenance, table_of
from MedSegAI.Bridge.volume_nodes import node_to_volume, world_grid
from MedSegAI.Logic.inference.pointed_regions import is_cut
from MedSegAI.Logic.inference.pointed_result import point_of
from MedSegAI.Logic.labels import Label
from MedSegAI.Logic.measure.nodule import measure_nodule
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.report.measured_nodules import MeasuredNodule
from MedSegAI.Session.case_results import scan_of
from MedSegAI.Session.nodule_change import PointedSegment

if TYPE_CHECKING:
    from MedSegAI.Session.session import Session

POINTS = "pointed_at"
"""The role of the list of points that were pointed at."""


class NoduleTable:
    """What is measured of each segment that was pointed at in the current result.

    A segment that was corrected since is measured anew, once for each time its voxels changed.

    Args:
        session: The case.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, str], tuple[Stamp, NoduleRecord]] = {}

    def rows(self) -> tuple[MeasuredNodule, ...]:
        """One row a segment, in the segmentation's order; none where nothing was pointed at."""
        node = self._session.segmentation
        if node is None or not (records := nodule_records(node)):
            return ()
        stamps, made = voxel_stamps(node), read_provenance(node)
        labels = {label.key: label for label in table_of(node)}
        shown = {row.key: row for row in segment_rows(node)}
        rows = []
        for key, stored in records.items():
            record = self._record(node, labels[key], stored, stamps[key], shown[key].voxels, made)
            if record is not None:
                point = None if made is None else point_of(made, labels[key].value)
                row = MeasuredNodule(key, shown[key].name, point, record.measures, shown[key].confidence, record.cut)
                rows.append(row)
        return tuple(rows)

    def without_point(self) -> tuple[MeasuredNodule, ...]:
        """The rows whose points were deleted from the list of points: their segments may be meant to go, too."""
        points = self._session.state.referenced(POINTS)
        there = () if points is None else point_keys(points)
        return tuple(row for row in self.rows() if row.key not in there)

    def bring_up_to_date(self) -> None:
        """Keep the measures as they are now with the segments, before these are saved."""
        node = self._session.segmentation
        if node is not None:
            stored = nodule_records(node)
            for row in self.rows():
                record = NoduleRecord(row.measures, row.cut)
                if stored[row.key] != record:
                    write_record(node.GetSegmentation().GetSegment(row.key), record)

    def _record(
        self,
        node: slicer.vtkMRMLSegmentationNode,
        label: Label,
        stored: NoduleRecord,
        stamp: Stamp,
        voxels: int,
        made: Provenance | None,
    ) -> NoduleRecord | None:
        """The record of a segment as it is now; None for one without voxels."""
        place = (node.GetID(), label.key)
        known = self._known.get(place)
        if known is None and stored.measures.voxels == voxels:
            known = (stamp, stored)
        if known is None or known[0] != stamp:
            measured = self._measured(node, label, made)
            if measured is None:
                return None
            known = (stamp, measured)
        self._known[place] = known
        return known[1]

    def _measured(
        self, node: slicer.vtkMRMLSegmentationNode, label: Label, made: Provenance | None
    ) -> NoduleRecord | None:
        scan = scan_of(node)
        grid = None if scan is None else world_grid(scan)
        labels = None if grid is None else segment_labels(node, label, grid)
        measures = None if labels is None else measure_nodule(labels, label.value, node_to_volume(scan))
        if measures is None:
            return None
        regions = () if made is None else made.regions
        own = (region for region in regions if region.network_value(label.value) is not None)
        return NoduleRecord(measures, any(is_cut(labels, label.value, region) for region in own))


def is_pointed(node: slicer.vtkMRMLSegmentationNode, model: Model, scan: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Whether a segmentation was made of this scan by this model, point by point."""
    made = read_provenance(node)
    of_model = made is not None and made.model_sha256 == model.card.weights_sha256
    return of_model and "points" in made.settings and model.card.needs_point and scan_of(node) is scan


def pointed_in(
    node: slicer.vtkMRMLSegmentationNode, points: slicer.vtkMRMLMarkupsFiducialNode | None, key: str
) -> PointedSegment | None:
    """A segment that was pointed at with all that belongs to it; None where there is none of this ID."""
    if key not in nodule_records(node):
        return None
    segment, copy, made = node.GetSegmentation().GetSegment(key), unaltered_copy(node), read_provenance(node)
    as_made = None if copy is None else copy.GetSegmentation().GetSegment(key)
    has_point = points is not None and key in point_keys(points)
    point = point_of(made, label_in(node, key).value) if has_point and made is not None else None
    return PointedSegment(key, segment.GetName(), point, segment, as_made)


def label_in(node: slicer.vtkMRMLSegmentationNode, key: str) -> Label:
    """The label of a segment; raises LabelError where there is none."""
    return table_of(node).find(key)
