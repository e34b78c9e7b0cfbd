"""Small DICOM series made for one test each: what the test is about differs, all else is as a scanner writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
_CLASSES = {"CT": CTImageStorage, "MR": MRImageStorage, "PT": PositronEmissionTomographyImageStorage}
_ENHANCED = {"CT": EnhancedCTImageStorage, "MR": EnhancedMRImageStorage}
_ROOT = "1.2.826.0.1.3680043.8.498.7"
_BRANCH = {"CT": 1, "MR": 2, "PT": 3}


def a_pattern(shape: Sequence[int] = (6, 32, 24), *, low: int = 0, high: int = 2000) -> np.ndarray:
    """Whole numbers (k, j, i) without any symmetry, so that a flip or a wrong order shows."""
    k, j, i = np.indices(shape)
    values = (37 * k + 5 * j + 11 * i + (i * j * (k + 1)) % 97) % 991
    return (low + values * (high - low) // 991).astype(np.int16)


def write_series(
    folder: Path,
    array: np.ndarray,
    *,
    modality: str = "CT",
    spacing: tuple[float, float, float] = (0.8, 0.7, 2.5),
    origin: tuple[float, float, float] = (-10.0, -12.0, 30.0),
    axes: Sequence[Sequence[float]] = AXIAL,
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0),
    intercept: float = -1024,
    slope: float = 1,
    number: int = 1,
    change: Callable[[pydicom.Dataset, int], None] = lambda dataset, k: None,
) -> list[Path]:
    """Write one file for each plane of stored values (k, j, i); their paths in the order of k.

    Args:
        folder: Made where it does not exist.
        array: Stored values, before slope and intercept.
        modality: CT, MR or PT.
        spacing: Along i, j and k in mm; k runs along the normal.
        origin: LPS mm of the first voxel.
        axes: LPS unit vectors of i and j.
        shift: LPS mm by which each plane lies beside its straight place, times k.
        intercept: Added by the rescale; with slope 1 and 0 an MR has none.
        slope: Multiplied by the rescale.
        number: Of the series; other numbers have other UIDs in the same study.
        change: Called with each data set and its k before it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    normal = np.cross(*axes)
    paths = []
    for k, plane in enumerate(array):
        place = np.asarray(origin) + k * spacing[2] * normal + k * np.asarray(shift)
        dataset = _scanner_image(modality, number, k)
        dataset.ImageOrientationPatient = [float(part) for axis in axes for part in axis]
        dataset.ImagePositionPatient = [round(float(mm), 6) for mm in place]
        dataset.PixelSpacing = [spacing[1], spacing[0]]
        dataset.SliceThickness = spacing[2]
        if (slope, intercept) != (1, 0) or modality != "MR":
            dataset.RescaleSlope, dataset.RescaleIntercept = slope, intercept
        _put_pixels(dataset, plane)
        change(dataset, k)
        paths.append(folder / f"{k:03d}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def write_enhanced(
    path: Path,
    frames: Sequence[np.ndarray],
    *,
    positions: Sequence[Sequence[float]],
    modality: str = "MR",
    pixel_mm: tuple[float, float] = (0.8, 0.7),
    axes: Sequence[Sequence[float]] = AXIAL,
    rescale: Sequence[tuple[float, float]] | None = None,
    say: Callable[[pydicom.Dataset, int], None] = lambda groups, frame: None,
) -> Path:
    """Write one multi-frame file with functional groups.

    Args:
        path: The file.
        frames: Stored pixels (j, i) of each frame, in stored order.
        positions: LPS mm of the first pixel of each frame.
        modality: CT or MR.
        pixel_mm: Along i and j.
        axes: LPS unit vectors of i and j, of all frames.
        rescale: Slope and intercept of each frame.
        say: Called with the functional groups of each frame and its number from 0.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = _scanner_image(modality, 50, 0)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = _ENHANCED[modality]
    shared = pydicom.Dataset()
    shared.PlaneOrientationSequence = [pydicom.Dataset()]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [float(part) for axis in axes for part in axis]
    shared.PixelMeasuresSequence = [pydicom.Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = [pixel_mm[1], pixel_mm[0]]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = []
    for number, place in enumerate(positions):
        groups = pydicom.Dataset()
        groups.PlanePositionSequence = [pydicom.Dataset()]
        groups.PlanePositionSequence[0].ImagePositionPatient = [float(mm) for mm in place]
        groups.FrameContentSequence = [pydicom.Dataset()]
        if rescale is not None:
            groups.PixelValueTransformationSequence = [pydicom.Dataset()]
            values = groups.PixelValueTransformationSequence[0]
            values.RescaleSlope, values.RescaleIntercept = rescale[number]
            values.RescaleType = "US"
        say(groups, number)
        dataset.PerFrameFunctionalGroupsSequence.append(groups)
    _put_pixels(dataset, frames[0])
    dataset.NumberOfFrames = len(frames)
    dataset.PixelData = np.stack(frames).tobytes()
    dataset.save_as(path, enforce_file_format=True)
    return path


def edit(path: Path, **changes: object) -> None:
    """Write a file back with other header values; None deletes one."""
    dataset = pydicom.dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.save_as(path)


def _scanner_image(modality: str, number: int, k: int) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = _CLASSES[modality]
    dataset.SOPInstanceUID = f"{_ROOT}.{_BRANCH[modality]}.{number}.{k + 1}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{_ROOT}.900", f"{_ROOT}.{_BRANCH[modality]}.{number}"
    dataset.FrameOfReferenceUID = f"{_ROOT}.901"
    dataset.PositionReferenceIndicator = ""
    dataset.PatientName, dataset.PatientID = "Doe^Jane", "P-17"
    dataset.PatientBirthDate, dataset.PatientSex = "19700101", "F"
    dataset.StudyDate, dataset.StudyTime, dataset.StudyID = "20260331", "101500", "1"
    dataset.AccessionNumber, dataset.ReferringPhysicianName = "", ""
    dataset.StudyDescription, dataset.SeriesDescription = "Synthetic study", f"Synthetic {modality}"
    dataset.SeriesNumber, dataset.InstanceNumber, dataset.Modality = number, k + 1, modality
    dataset.Manufacturer, dataset.BodyPartExamined, dataset.PatientPosition = "None", "HEAD", "HFS"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.AcquisitionNumber = 1
    if modality == "CT":
        dataset.KVP, dataset.RescaleType = 120, "HU"
    if modality == "MR":
        dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "SE", "NONE", ""
        dataset.MRAcquisitionType, dataset.EchoTime, dataset.RepetitionTime = "2D", 30, 500
        dataset.EchoTrainLength = 1
    return dataset


def _put_pixels(dataset: pydicom.Dataset, plane: np.ndarray) -> None:
    dataset.Rows, dataset.Columns = plane.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * plane.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(plane.dtype.kind == "i")
    dataset.PixelData = np.ascontiguousarray(plane).tobytes()
    dataset["PixelData"].VR = "OW" if plane.dtype.itemsize > 1 else "OB"
