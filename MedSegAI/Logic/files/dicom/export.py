"""A result as DICOM objects that belong to the study of the scan it was made from, all of them or none."""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.deidentify.method import is_deidentified
from MedSegAI.Logic.files.dicom.result_object import highdicom_package
from MedSegAI.Logic.files.dicom.segment_statistics import in_known_unit, segment_statistics
from MedSegAI.Logic.files.dicom.source_series import Source, SourceSeries, read_source_series
from MedSegAI.Logic.files.dicom.write_dicom_segmentation import (
    SegmentationKind,
    confidence_object,
    present_labels,
    segmentation_object,
)
from MedSegAI.Logic.files.dicom.write_measurement_report import report_object
from MedSegAI.Logic.files.dicom.write_parametric_map import heat_map_object
from MedSegAI.Logic.files.dicom.write_structure_set import structure_set_object
from MedSegAI.Logic.files.new_folder import new_folder, refuse_used
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.label_counts import label_counts
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled
from MedSegAI.Logic.standardise.resample import resample_labels
from MedSegAI.Logic.volume import Volume

_STAGE = "writing DICOM"


class DicomObject(str, Enum):
    """What a result can be written as; the values are those of the command line."""

    SEGMENTATION = "seg"
    CONFIDENCE = "confidence"
    HEAT_MAP = "pm"
    REPORT = "sr"
    CONTOURS = "rtstruct"


_NAMES = {
    DicomObject.SEGMENTATION: "segmentation.dcm",
    DicomObject.CONFIDENCE: "confidence.dcm",
    DicomObject.HEAT_MAP: "heat-map.dcm",
    DicomObject.REPORT: "report.dcm",
    DicomObject.CONTOURS: "contours.dcm",
}


@dataclass(frozen=True)
class ExportedObject:
    """One DICOM file that was written.

    Args:
        kind: What it is.
        path: Where it lies.
        sop_class_uid: DICOM's number of its kind.
        series_uid: UID of its series.
        instance_uid: Its own UID.
        deidentified: Whether it says, as the scan's images do, that the patient's identity was removed.
    """

    kind: DicomObject
    path: Path
    sop_class_uid: str
    series_uid: str
    instance_uid: str
    deidentified: bool = False


def export_case(
    folder: str | os.PathLike[str],
    segmentation: Segmentation,
    *,
    source: Source,
    series: str | None = None,
    objects: Collection[DicomObject] | None = None,
    kind: SegmentationKind = SegmentationKind.BINARY,
    heat_map: Volume | None = None,
    heat_label: str = "",
    confidence: Volume | None = None,
    creator: str = "",
    reporter: Reporter | None = None,
) -> tuple[ExportedObject, ...]:
    """Write a result as DICOM: segmentation, confidence, heat map, measurements, contours.

    All objects are in the study and the frame of reference of the series, each in a series of its own, and refer to its
    images; the report refers to the segmentation. The folder appears once all of them are written.

    Args:
        folder: New or empty; its parent must exist.
        segmentation: Labels uint8 (k, j, i) on the grid of the series, or on a part of it.
        source: The folder of the DICOM series that was segmented, or its files.
        series: Its UID or description, where the folder holds several.
        objects: What to write; None writes the segmentation, the report, and whatever else there is, contours excepted.
        kind: How the segmentation stores its voxels.
        heat_map: float (k, j, i), 0..1, on the grid of the series; ``DicomObject.HEAT_MAP`` needs it.
        heat_label: Key of the label that the heat map explains; may be empty.
        confidence: float (k, j, i), 0..1: probability of the label that won; ``DicomObject.CONFIDENCE`` needs it.
        creator: Who made the result, as content creator and observer; may be empty.
        reporter: Told of progress; asked between objects whether to stop.

    Returns:
        What was written, in this order.

    Raises:
        DependencyError: if the package highdicom is not installed.
        InputError: if something does not lie on the series' grid, the series lacks what an object takes from it, there
            is no voxel, or an object is asked for whose data are not given.
        LabelError: if the map holds a value without a name.
        StorageError: if the folder holds something, or cannot be written.
        Cancelled: if the reporter said so; nothing is left behind.
    """
    highdicom_package()
    reporter = reporter or SilentReporter()
    refuse_used(folder)
    wanted = _wanted(objects, {DicomObject.CONFIDENCE: confidence, DicomObject.HEAT_MAP: heat_map})
    present_labels(segmentation)
    read = read_source_series(source, series=series)
    placed = replace(segmentation, labels=_on_grid_of(read, segmentation.labels))
    makers = _Makers(placed, read, kind, heat_map, heat_label, confidence, creator)
    written = []
    with new_folder(folder) as room:
        for done, what in enumerate(wanted):
            raise_if_cancelled(reporter)
            reporter.progress(done, len(wanted), _STAGE)
            dataset = makers.make(what)
            dataset.save_as(room / _NAMES[what], enforce_file_format=True)
            written.append(_exported(what, Path(folder).expanduser() / _NAMES[what], dataset))
        reporter.progress(len(wanted), len(wanted), _STAGE)
    return tuple(written)


@dataclass(frozen=True)
class _Makers:
    """Everything that the objects of one case are made from."""

    segmentation: Segmentation
    source: SourceSeries
    kind: SegmentationKind
    heat_map: Volume | None
    heat_label: str
    confidence: Volume | None
    creator: str

    @functools.cached_property
    def segments(self) -> Any:
        """The segmentation object; the report refers to it, so it is made once."""
        return segmentation_object(self.segmentation, self.source, kind=self.kind, creator=self.creator)

    def make(self, what: DicomObject) -> Any:
        """One object as a data set."""
        creator, provenance = self.creator, self.segmentation.provenance
        if what is DicomObject.SEGMENTATION:
            return self.segments
        if what is DicomObject.CONFIDENCE:
            return confidence_object(self.segmentation, self.confidence, self.source, creator=creator)
        if what is DicomObject.HEAT_MAP:
            label = next((label for label in self.segmentation.table if label.key == self.heat_label), None)
            return heat_map_object(self.heat_map, self.source, label=label, provenance=provenance, creator=creator)
        if what is DicomObject.CONTOURS:
            return structure_set_object(self.segmentation, self.source, creator=creator)
        present = present_labels(self.segmentation)
        # What was pointed at is measured across, as a nodule is in a radiologist's report.
        pointed = () if provenance is None or not provenance.settings.get("points") else provenance.regions
        measured = segment_statistics(
            self.segmentation.labels,
            present,
            in_known_unit(self.source.scan),
            diameters_of={value for region in pointed for _, value in region.labels},
        )
        return report_object(measured, self.segments, self.source, provenance=provenance, creator=creator)


def _wanted(objects: Collection[DicomObject] | None, data: Mapping[DicomObject, Volume | None]) -> list[DicomObject]:
    if objects is None:
        chosen = {DicomObject.SEGMENTATION, DicomObject.REPORT, *(what for what in data if data[what] is not None)}
    else:
        chosen = {DicomObject(what) for what in objects}
    if not chosen:
        raise InputError("No object was asked for.", advice=f"Choose from: {_listed(DicomObject)}.")
    missing = [what for what in chosen if what in data and data[what] is None]
    if missing:
        raise InputError(
            f"'{_listed(missing)}' was asked for, but there is nothing to write it from.",
            advice="Give the file of the heat map or of the confidence, or leave that object out.",
        )
    if DicomObject.REPORT in chosen and DicomObject.SEGMENTATION not in chosen:
        raise InputError(
            "A report refers to the segmentation, which was not asked for.", advice="Ask for both, 'seg' and 'sr'."
        )
    return [what for what in DicomObject if what in chosen]


def _listed(objects: Iterable[DicomObject]) -> str:
    return ", ".join(what.value for what in objects)


def _on_grid_of(source: SourceSeries, labels: Volume) -> Volume:
    """Labels stored on a part of the series' grid, as Slicer does, on all of it; nothing may change on the way."""
    grid = source.scan.grid
    if source.has_grid_of(labels):
        return replace(labels, grid=grid)
    whole = resample_labels(labels, grid)
    same_voxels = np.allclose(sorted(grid.spacing), sorted(labels.grid.spacing), rtol=1e-4)
    if not same_voxels or not np.array_equal(label_counts(whole.array)[1:], label_counts(labels.array)[1:]):
        source.refuse_other_grid(labels)
    return whole


def _exported(what: DicomObject, path: Path, dataset: Any) -> ExportedObject:
    return ExportedObject(
        what,
        path,
        dataset.SOPClassUID,
        dataset.SeriesInstanceUID,
        dataset.SOPInstanceUID,
        is_deidentified(dataset),
    )
