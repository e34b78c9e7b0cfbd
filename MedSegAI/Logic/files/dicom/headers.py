"""The headers of DICOM files, without their pixels; a damaged file is named and stops nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled

HEADER_TAGS = (
    "AcquisitionDate", "AcquisitionNumber", "AcquisitionTime", "BitsAllocated", "BitsStored", "BodyPartExamined",
    "Columns", "ContentTime", "ConvolutionKernel", "DiffusionBValue", "EchoTime", "FrameOfReferenceUID",
    "FrameReferenceTime", "GantryDetectorTilt", "HighBit", "ImageOrientationPatient", "ImagePositionPatient",
    "ImageType", "InstanceNumber", "InversionTime", "LossyImageCompression", "Modality", "ModalityLUTSequence",
    "NumberOfFrames", "PatientID", "PatientName", "PerFrameFunctionalGroupsSequence", "PhotometricInterpretation",
    "PixelPaddingRangeLimit", "PixelPaddingValue", "PixelRepresentation", "PixelSpacing", "RescaleIntercept",
    "RescaleSlope", "RescaleType", "Rows", "SamplesPerPixel", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber",
    "SharedFunctionalGroupsSequence", "SOPClassUID", "SOPInstanceUID", "StudyDate", "StudyDescription",
    "StudyInstanceUID", "TemporalPositionIdentifier", "TriggerTime",
)  # fmt: skip
"""What finding, arranging and reading a series needs of a header."""

PIXEL_DATA = 0x7FE00010
_WHOLE_NUMBERS = ("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated", "BitsStored", "HighBit")
_LONG_HEADER, _SHORT_HEADER = 12, 8
_MAGIC_AT = 128
_STARTS_WITHOUT_PREAMBLE = (b"\x02\x00", b"\x08\x00")
_LONGEST_FIRST_ELEMENT = 1024
_DICOMDIR = "1.2.840.10008.1.3.10"


@dataclass(frozen=True, eq=False)
class DicomFile:
    """One DICOM file.

    Args:
        path: Where it lies.
        header: pydicom's data set of ``HEADER_TAGS``, with its file meta information.
        pixels_at: Offset in bytes of the pixels, -1 where the file has none; 0 where the file is deflated as a whole.
        pixel_tag: Tag of the element that holds them: integers, or floating point numbers of 4 or 8 bytes.
    """

    path: Path
    header: Any
    pixels_at: int
    pixel_tag: int = PIXEL_DATA

    @cached_property
    def transfer_syntax(self) -> Any:
        """pydicom's UID of how the file is encoded; implicit little endian where the file does not say."""
        from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

        stated = self.header.file_meta.get("TransferSyntaxUID")
        if stated:
            return stated
        implicit, little = self.header.original_encoding
        return ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian


@dataclass(frozen=True)
class Headers:
    """What was found: the files that could be read, and those that are DICOM, or may be, and could not."""

    files: tuple[DicomFile, ...]
    damaged: tuple[Path, ...]


def read_headers(paths: Iterable[Path], *, reporter: Reporter | None = None) -> Headers:
    """The headers of all DICOM files among ``paths``, in the order of their names; others and folders are passed over.

    Raises:
        DependencyError: if the package pydicom is not installed.
        Cancelled: if the reporter asked to stop.
    """
    _need_pydicom()
    reporter = reporter or SilentReporter()
    candidates = sorted(path for path in paths if path.is_file())
    files: list[DicomFile] = []
    damaged: list[Path] = []
    for done, path in enumerate(candidates):
        raise_if_cancelled(reporter)
        reporter.progress(done, len(candidates), "reading headers")
        try:
            if not looks_like_dicom(path):
                continue
            found = _read(path)
        except OSError:
            found = None
        if found is None:
            damaged.append(path)
        elif found.header.get("SOPClassUID") is not None:
            files.append(found)
    reporter.progress(len(candidates), len(candidates), "reading headers")
    return Headers(tuple(files), tuple(damaged))


def read_data_set(path: Path) -> Any:
    """All of a DICOM file as pydicom's data set, also of one without preamble; says how it is encoded, to be written.

    Raises:
        pydicom.errors.InvalidDicomError: for a file that is no DICOM; other errors of its or the system's for a
            damaged one.
    """
    import pydicom

    dataset = pydicom.dcmread(path, force=looks_like_dicom(path))
    dataset.file_meta.TransferSyntaxUID = DicomFile(path, dataset, 0).transfer_syntax
    if not dataset.preamble and "SOPClassUID" in dataset and "SOPInstanceUID" in dataset:
        dataset.preamble = bytes(_MAGIC_AT)
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return dataset


def looks_like_dicom(path: Path) -> bool:
    """Whether a file starts as a DICOM file does, with the 128 bytes of preamble or, as old exports, without."""
    with path.open("rb") as stream:
        start = stream.read(_MAGIC_AT + 4)
    return start[_MAGIC_AT:] == b"DICM" or _starts_without_preamble(start)


def names(paths: Sequence[Path]) -> str:
    """A few file names for a sentence: the first three, and how many more there are."""
    shown = ", ".join(f"'{path.name}'" for path in paths[:3])
    return shown if len(paths) <= 3 else f"{shown} and {len(paths) - 3} more"


def _starts_without_preamble(start: bytes) -> bool:
    """The first element is of group 2 or 8, with a short value: two letters of its type, or a small length."""
    if start[:2] not in _STARTS_WITHOUT_PREAMBLE or len(start) < 8:
        return False
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    return explicit or int.from_bytes(start[4:8], "little") < _LONGEST_FIRST_ELEMENT


def _read(path: Path) -> DicomFile | None:
    """The header; None for a damaged file; without a SOP class for one that is not meant to be an image or object."""
    import pydicom

    with warnings.catch_warnings(), path.open("rb") as stream:
        warnings.simplefilter("ignore")
        try:
            header = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(HEADER_TAGS), force=True)
            file = DicomFile(path, header, stream.tell())
            _read_values(header)
            is_whole = header.get("SOPClassUID") and header.get("SeriesInstanceUID")
            if header.file_meta.get("MediaStorageSOPClassUID") == _DICOMDIR:
                return file
            return _with_pixels_found(file, stream.read(_LONG_HEADER)) if is_whole else None
        except OSError:
            raise
        except Exception:  # whatever a damaged file makes the parser raise
            return None


def _with_pixels_found(file: DicomFile, start: bytes) -> DicomFile:
    """The file with the place of its pixels: ``start`` is what lies at ``pixels_at``, where its header ends."""
    if file.transfer_syntax.is_deflated:
        # The inflated data set lies in memory only, so there is no place in the file to point at.
        return replace(file, pixels_at=0)
    if len(start) < _SHORT_HEADER:
        return replace(file, pixels_at=-1)
    order = "little" if file.transfer_syntax.is_little_endian else "big"
    tag = int.from_bytes(start[0:2], order) << 16 | int.from_bytes(start[2:4], order)
    length = _SHORT_HEADER if file.transfer_syntax.is_implicit_VR else _LONG_HEADER
    return replace(file, pixels_at=file.pixels_at + length, pixel_tag=tag)


def _read_values(header: Any) -> None:
    """pydicom turns bytes into values when they are asked for; a value that is none must show here."""
    for element in header:
        _ = element.value
    for keyword in _WHOLE_NUMBERS:
        int(header.get(keyword) or 0)


def _need_pydicom() -> None:
    try:
        import pydicom  # noqa: F401
    except ImportError as error:
        raise DependencyError(
            "Reading DICOM needs the package pydicom.", advice="Install it: pip install pydicom."
        ) from error
