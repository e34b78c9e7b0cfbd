"""Outlines as a DICOM RT Structure Set (PS3.3 A.19), for programs of radiotherapy.

Written with pydicom: highdicom has no such object, and rt-utils has not been kept up.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.planar_contours import planar_contours
from MedSegAI.Logic.files.dicom.result_object import MAKER, NewObject, software_version
from MedSegAI.Logic.files.dicom.shared_provenance import put_provenance
from MedSegAI.Logic.files.dicom.source_series import SourceSeries
from MedSegAI.Logic.files.dicom.write_dicom_segmentation import present_labels
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.labels import Label

_STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
_STUDY_MANAGEMENT = "1.2.840.10008.3.1.2.3.1"
_SERIES = 904
_TAKEN = (
    "SpecificCharacterSet", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge",
    "PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence",
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "StudyDescription", "AccessionNumber",
    "ReferringPhysicianName", "FrameOfReferenceUID", "PositionReferenceIndicator",
)  # fmt: skip


def structure_set_object(segmentation: Segmentation, source: SourceSeries, *, creator: str = "") -> Any:
    """The outlines of every label, in the planes of the series, as a data set; see :func:`planar_contours`.

    Args:
        segmentation: Labels uint8 (k, j, i) on the very grid of the series.
        source: The series.
        creator: Who made it, as operator; may be empty.

    Raises:
        DependencyError: if the package contourpy or highdicom is missing.
        InputError: if the labels do not lie on the series' grid, there is no voxel, or there is no frame of reference.
        LabelError: if the map holds a value without a name.
    """
    present = present_labels(segmentation)
    source.refuse_other_grid(segmentation.labels)
    if not source.images[0].get("FrameOfReferenceUID"):
        raise InputError(
            f"The series '{source.scan.name}' lacks the frame of reference that contours refer to.",
            advice="Write a .seg.nrrd.",
        )
    new = NewObject(_SERIES, "MedSegAI contours", creator)
    dataset = _empty_structure_set(new, source)
    dataset.ReferencedFrameOfReferenceSequence = [_frame_of_reference(source)]
    origin = "MANUAL" if segmentation.provenance is None else "SEMIAUTOMATIC"
    dataset.StructureSetROISequence = [_roi(n, label, source, origin) for n, label in _numbered(present)]
    dataset.ROIContourSequence = [_contours(n, label, segmentation, source) for n, label in _numbered(present)]
    dataset.RTROIObservationsSequence = [_observation(n) for n, _ in _numbered(present)]
    put_provenance(dataset, segmentation.provenance)
    return dataset


def _numbered(labels: Sequence[Label]) -> list[tuple[int, Label]]:
    return list(enumerate(labels, start=1))


def _empty_structure_set(new: NewObject, source: SourceSeries) -> Any:
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, ImplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = _STRUCTURE_SET
    meta.MediaStorageSOPInstanceUID = new.instance_uid
    # An outline may need more text than the 64 KiB that an explicit value representation has room for.
    meta.TransferSyntaxUID = ImplicitVRLittleEndian
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword in _TAKEN:
        if keyword in source.images[0]:
            dataset.add(source.images[0][keyword])
    now = datetime.datetime.now()
    dataset.SOPClassUID, dataset.SOPInstanceUID = _STRUCTURE_SET, new.instance_uid
    dataset.Modality, dataset.SeriesInstanceUID = "RTSTRUCT", new.series_uid
    dataset.SeriesNumber, dataset.InstanceNumber = new.series_number, 1
    dataset.SeriesDescription, dataset.StructureSetLabel = new.description, "MEDSEGAI"
    dataset.Manufacturer = dataset.ManufacturerModelName = MAKER
    dataset.SoftwareVersions, dataset.DeviceSerialNumber = software_version(), "0"
    dataset.OperatorsName = new.creator_name or ""
    dataset.StructureSetDate = dataset.InstanceCreationDate = f"{now:%Y%m%d}"
    dataset.StructureSetTime = dataset.InstanceCreationTime = f"{now:%H%M%S}"
    dataset.ApprovalStatus = "UNAPPROVED"
    return dataset


def _frame_of_reference(source: SourceSeries) -> Any:
    from pydicom.dataset import Dataset

    header = source.images[0]
    series = Dataset()
    series.SeriesInstanceUID = header.SeriesInstanceUID
    series.ContourImageSequence = [_reference(image) for image in source.images]
    study = Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = _STUDY_MANAGEMENT, header.StudyInstanceUID
    study.RTReferencedSeriesSequence = [series]
    frame = Dataset()
    frame.FrameOfReferenceUID = header.FrameOfReferenceUID
    frame.RTReferencedStudySequence = [study]
    return frame


def _reference(image: Any, *, frame: int | None = None) -> Any:
    from pydicom.dataset import Dataset

    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    if frame is not None:
        reference.ReferencedFrameNumber = frame
    return reference


def _roi(number: int, label: Label, source: SourceSeries, origin: str) -> Any:
    from pydicom.dataset import Dataset

    roi = Dataset()
    roi.ROINumber, roi.ROIName = number, label.name[:64]
    roi.ReferencedFrameOfReferenceUID = source.images[0].FrameOfReferenceUID
    roi.ROIGenerationAlgorithm = origin
    return roi


def _contours(number: int, label: Label, segmentation: Segmentation, source: SourceSeries) -> Any:
    from pydicom.dataset import Dataset

    roi = Dataset()
    roi.ReferencedROINumber = number
    roi.ROIDisplayColor = [round(part * 255) for part in label.colour]
    roi.ContourSequence = []
    for k, points in planar_contours(segmentation.labels.array == label.value, segmentation.labels.grid):
        contour = Dataset()
        contour.ContourImageSequence = [_image_of_plane(k, source)]
        contour.ContourGeometricType = "CLOSED_PLANAR"
        contour.NumberOfContourPoints = len(points)
        contour.ContourData = [f"{value:.4f}" for value in np.round(points, 4).ravel() + 0.0]
        roi.ContourSequence.append(contour)
    return roi


def _image_of_plane(k: int, source: SourceSeries) -> Any:
    if source.is_multi_frame:
        return _reference(source.images[0], frame=source.planes.index(k) + 1)
    return _reference(source.images[source.planes.index(k)])


def _observation(number: int) -> Any:
    from pydicom.dataset import Dataset

    observation = Dataset()
    observation.ObservationNumber = observation.ReferencedROINumber = number
    observation.RTROIInterpretedType, observation.ROIInterpreter = "", ""
    return observation
