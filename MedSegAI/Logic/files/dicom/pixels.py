"""The stored pixels of DICOM planes: read straight from the file, or decoded by GDCM where they are compressed."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.headers import DicomFile
from MedSegAI.Logic.files.dicom.planes import Plane
from MedSegAI.Logic.files.itk_quirks import itk_made_quiet
from MedSegAI.Logic.files.private_folder import private_folder

_FLOATS = {0x7FE00008: np.dtype("f4"), 0x7FE00009: np.dtype("f8")}
_AGAIN = "Copy the series again."


@dataclass(frozen=True)
class PixelLayout:
    """How the pixels of a file are stored.

    Args:
        dtype: Of one stored pixel, in the computer's own byte order.
        used_bits: How many of its bits hold the value.
        highest_bit: The most significant of them.
    """

    dtype: np.dtype
    used_bits: int
    highest_bit: int

    @property
    def limits(self) -> tuple[int, int] | None:
        """The smallest and the largest value that the used bits can hold; None for floating point numbers."""
        if self.dtype.kind == "f":
            return None
        if self.dtype.kind == "i":
            return -(1 << (self.used_bits - 1)), (1 << (self.used_bits - 1)) - 1
        return 0, (1 << self.used_bits) - 1


def pixel_layout(file: DicomFile) -> PixelLayout:
    """How the pixels of a file are stored.

    Raises:
        InputError: for numbers of bits that no greyscale image has.
    """
    header = file.header
    if file.pixel_tag in _FLOATS:
        dtype = _FLOATS[file.pixel_tag]
        return PixelLayout(dtype, dtype.itemsize * 8, dtype.itemsize * 8 - 1)
    allocated = int(header.get("BitsAllocated") or 0)
    used = int(header.get("BitsStored") or allocated)
    highest = int(header.get("HighBit") or used - 1)
    if allocated not in (8, 16, 32) or not 1 <= used <= highest + 1 <= allocated:
        raise InputError(
            f"'{file.path.name}' stores {used} of {allocated} bits a pixel, which is not supported.",
            advice="Export the series again with 8, 16 or 32 bits.",
        )
    signed = int(header.get("PixelRepresentation") or 0) == 1
    return PixelLayout(np.dtype(f"{'i' if signed else 'u'}{allocated // 8}"), used, highest)


def stored_type(planes: Sequence[Plane]) -> np.dtype:
    """The smallest type that holds the stored values of all planes."""
    return np.result_type(*{pixel_layout(file).dtype for file in {plane.file for plane in planes}})


def stored_planes(planes: Sequence[Plane], *, out: np.ndarray | None = None) -> np.ndarray:
    """The stored values (n, j, i) of planes of one size, without rescale.

    Args:
        planes: What to read.
        out: Where to put them; None makes an array of :func:`stored_type`.

    Raises:
        InputError: for a file that is cut short, damaged, or compressed in a way that cannot be decoded.
    """
    if out is None:
        columns, rows = planes[0].size
        out = np.empty((len(planes), rows, columns), stored_type(planes))
    at = 0
    with _room_for_decoding(planes) as room:
        while at < len(planes):
            stop = at + 1
            while stop < len(planes) and planes[stop].file is planes[at].file:
                stop += 1
            out[at:stop] = _frames(planes[at].file, [plane.frame for plane in planes[at:stop]], room)
            at = stop
    return out


@contextmanager
def _room_for_decoding(planes: Sequence[Plane]) -> Iterator[Path]:
    """A private folder where some plane is compressed; else nothing is made."""
    if not any(plane.file.transfer_syntax.is_encapsulated for plane in planes):
        yield Path()
        return
    with private_folder() as room:
        yield room


def pixel_digest(plane: Plane) -> str:
    """A number that two planes share where their stored pixels are the same, byte for byte; "" where unreadable."""
    try:
        content = b"".join(_frame_bytes(plane.file, [plane.frame]))
    except InputError:
        return ""
    return hashlib.sha256(content).hexdigest()


def missing_bytes(file: DicomFile) -> int:
    """How many bytes of its uncompressed pixels a file is short of; 0 for compressed ones, which show it later."""
    if file.transfer_syntax.is_encapsulated or file.transfer_syntax.is_deflated:
        return 0
    header = file.header
    bits = _FLOATS[file.pixel_tag].itemsize * 8 if file.pixel_tag in _FLOATS else int(header.get("BitsAllocated") or 0)
    pixels = int(header.get("NumberOfFrames") or 1) * int(header.get("Rows") or 0) * int(header.get("Columns") or 0)
    return max(0, file.pixels_at + pixels * bits // 8 - file.path.stat().st_size)


def _frames(file: DicomFile, frames: Sequence[int], room: Path) -> np.ndarray:
    layout = pixel_layout(file)
    if file.transfer_syntax.is_encapsulated:
        return _decoded(file, frames, room)
    rows, columns = int(file.header.Rows), int(file.header.Columns)
    stored = layout.dtype.newbyteorder("<" if file.transfer_syntax.is_little_endian else ">")
    array = np.empty((len(frames), rows, columns), layout.dtype)
    for at, content in enumerate(_frame_bytes(file, frames)):
        array[at] = np.frombuffer(content, stored).reshape(rows, columns)
    return _without_unused_bits(array, layout)


def _without_unused_bits(array: np.ndarray, layout: PixelLayout) -> np.ndarray:
    """Values whose unused bits are zero, or copies of the sign: other things were once kept there."""
    if layout.limits is None or layout.used_bits == layout.dtype.itemsize * 8:
        return array
    low, high = layout.limits
    if layout.highest_bit == layout.used_bits - 1 and array.min() >= low and array.max() <= high:
        return array
    array = np.left_shift(array, layout.dtype.itemsize * 8 - layout.highest_bit - 1)
    return np.right_shift(array, layout.dtype.itemsize * 8 - layout.used_bits)


def _frame_bytes(file: DicomFile, frames: Sequence[int]) -> list[bytes]:
    """The stored bytes of frames: pixels, or the compressed stream of each."""
    if file.transfer_syntax.is_encapsulated:
        return _compressed(file, frames)
    size = int(file.header.Rows) * int(file.header.Columns) * pixel_layout(file).dtype.itemsize
    if file.transfer_syntax.is_deflated:
        whole = _whole(file).PixelData
        found = [whole[frame * size : (frame + 1) * size] for frame in frames]
    else:
        with file.path.open("rb") as stream:
            found = []
            for frame in frames:
                stream.seek(file.pixels_at + frame * size)
                found.append(stream.read(size))
    if any(len(content) < size for content in found):
        raise _damaged(file)
    return found


def _compressed(file: DicomFile, frames: Sequence[int]) -> list[bytes]:
    from pydicom.encaps import get_frame

    count = int(file.header.get("NumberOfFrames") or 1)
    with file.path.open("rb") as stream:
        found = []
        for frame in frames:
            stream.seek(file.pixels_at)
            try:
                found.append(get_frame(stream, frame, number_of_frames=count))
            except Exception as error:  # whatever a damaged stream makes the parser raise
                raise _damaged(file) from error
    return found


def _decoded(file: DicomFile, frames: Sequence[int], room: Path) -> np.ndarray:
    """Frames decoded by GDCM, from a copy that holds nothing but the pixels, so that it applies no rescale."""
    import SimpleITK as sitk

    bare = room / "bare.dcm"
    _write_bare(bare, file, _compressed(file, frames))
    try:
        with itk_made_quiet():
            array = sitk.GetArrayFromImage(sitk.ReadImage(str(bare), imageIO="GDCMImageIO"))
    except RuntimeError as error:
        raise InputError(
            f"The pixels of '{file.path.name}' cannot be decoded ({file.transfer_syntax.name}): the file is cut "
            "short or damaged, or compressed in a way that is not supported.",
            advice="Copy the series again, or export it uncompressed.",
        ) from error
    expected = (len(frames), int(file.header.Rows), int(file.header.Columns))
    if array.size != np.prod(expected):
        raise _damaged(file)
    return array.reshape(expected)


def _write_bare(path: Path, file: DicomFile, frames: list[bytes]) -> None:
    import pydicom
    from pydicom.encaps import encapsulate

    bare = pydicom.Dataset()
    bare.file_meta = pydicom.dataset.FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = file.transfer_syntax
    bare.SOPClassUID = bare.file_meta.MediaStorageSOPClassUID = _MULTI_FRAME_PICTURE
    bare.SOPInstanceUID = bare.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    bare.Modality = "OT"
    for keyword in _PIXEL_TAGS:
        if keyword in file.header:
            setattr(bare, keyword, file.header[keyword].value)
    bare.NumberOfFrames = len(frames)
    bare.PixelData = encapsulate(frames)
    bare["PixelData"].is_undefined_length = True
    bare.save_as(path, enforce_file_format=True)


_MULTI_FRAME_PICTURE = "1.2.840.10008.5.1.4.1.1.7.3"
_PIXEL_TAGS = (
    "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation",
)  # fmt: skip


def _whole(file: DicomFile) -> Any:
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pydicom.dcmread(file.path, force=True)
        except Exception as error:  # whatever a damaged file makes the parser raise
            raise _damaged(file) from error


def _damaged(file: DicomFile) -> InputError:
    return InputError(
        f"The pixels of '{file.path.name}' could not be read: the file is cut short or damaged.", advice=_AGAIN
    )
