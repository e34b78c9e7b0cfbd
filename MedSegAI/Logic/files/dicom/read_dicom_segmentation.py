"""A label map from a DICOM segmentation object (DICOM PS3.3 A.51 and A.101), binary or label map."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.shared_provenance import provenance_of
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.files.slicer_segments import plain_table
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Code, Label, LabelTable, Terminology
from MedSegAI.Logic.volume import Volume

_AGAIN = "Export it again from the program that made it, or as .seg.nrrd or NIfTI."
_MAGIC_AT = 128
_OFF_PLANE = 0.05
_MOST_SEGMENTS = 255
# A plane number beyond this comes from a damaged position, and would ask for more memory than there is.
_MOST_PLANES = 10_000


def is_dicom_segmentation(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a DICOM segmentation object; False for anything else, unreadable files among it."""
    import pydicom

    try:
        with Path(path).open("rb") as file:
            if file.read(_MAGIC_AT + 4)[_MAGIC_AT:] != b"DICM":
                return False
        return pydicom.dcmread(path, specific_tags=["Modality"], stop_before_pixels=True).get("Modality") == "SEG"
    except (OSError, ValueError, EOFError, pydicom.errors.InvalidDicomError):
        return False


def read_dicom_segmentation(path: str | os.PathLike[str]) -> Segmentation:
    """Read a DICOM segmentation of the types BINARY and LABELMAP, and FRACTIONAL where it holds nothing between.

    Returns:
        Labels uint8 (k, j, i), k along the slice normal, from the first stored frame to the last (frames without voxels
        are usually not stored); the values are the segment numbers, the keys their tracking IDs, or made of their
        names. The provenance is the one that this library wrote; None in files of other programs.

    Raises:
        InputError: for a file that is no DICOM segmentation or is damaged; frames that do not make one regular volume;
            overlapping segments; fractions; more than 255 segments.
    """
    source = Path(path).expanduser()
    dataset, frames = _read(source)
    numbers = _numbers(dataset, source)
    places, grid = _places(dataset, source)
    labels = np.zeros(grid.shape, np.uint8)
    for frame, (k, number) in zip(frames, places):
        if number is None:
            _put_map(labels[k], frame, numbers, dataset.get("PixelPaddingValue"))
        else:
            _put_mask(labels[k], frame != 0, numbers.get(number, 0), source)
    return Segmentation(Volume(labels, grid, name=source.stem), _table(dataset, numbers), provenance_of(dataset))


def _read(source: Path) -> tuple[Any, np.ndarray]:
    import pydicom

    if not is_dicom_segmentation(source):
        raise InputError(f"'{source}' is no DICOM segmentation.", advice="Choose the SEG object itself.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(source)
            frames = dataset.pixel_array
        except Exception as error:  # the decoders raise whatever they like
            raise InputError(f"The pixels of '{source}' cannot be read: it is damaged.", advice=_AGAIN) from error
    frames = frames[None] if frames.ndim == 2 else frames
    if len(frames) != len(dataset.get("PerFrameFunctionalGroupsSequence", [])):
        raise InputError(f"'{source}' does not say where each of its frames lies.", advice=_AGAIN)
    if dataset.get("SegmentationType") == "FRACTIONAL" and not np.all(
        (frames == 0) | (frames == dataset.get("MaximumFractionalValue"))
    ):
        raise InputError(
            f"'{source}' holds fractions, and a label map says yes or no for each voxel.",
            advice="Export it as a binary segmentation.",
        )
    return dataset, frames


def _numbers(dataset: Any, source: Path) -> dict[int, int]:
    """The label value of each segment number; background is no segment."""
    found = [int(segment.SegmentNumber) for segment in dataset.get("SegmentSequence", []) if segment.SegmentNumber]
    found = [number for number in found if number != dataset.get("PixelPaddingValue")]
    if not found or len(found) > _MOST_SEGMENTS:
        raise InputError(f"'{source}' has {len(found)} segments; 1 to {_MOST_SEGMENTS} can be read.", advice=_AGAIN)
    fit = max(found) <= _MOST_SEGMENTS
    return {number: number if fit else place for place, number in enumerate(found, start=1)}


def _places(dataset: Any, source: Path) -> tuple[list[tuple[int, int | None]], Grid]:
    """For each frame its plane k and its segment's number (None in a label map), and the grid of all planes."""
    try:
        shared = dataset.SharedFunctionalGroupsSequence[0]
        frames = dataset.PerFrameFunctionalGroupsSequence
        measures = _group(shared, frames[0], "PixelMeasuresSequence")
        orientation = _group(shared, frames[0], "PlaneOrientationSequence").ImageOrientationPatient
        positions = np.array(
            [_group(shared, frame, "PlanePositionSequence").ImagePositionPatient for frame in frames], dtype=float
        )
        row, column = np.asarray(orientation, dtype=float).reshape(2, 3)
        step = float(measures.get("SpacingBetweenSlices") or measures.SliceThickness)
        down, right = (float(value) for value in measures.PixelSpacing)
        segments = [_segment(shared, frame, dataset) for frame in frames]
    except (AttributeError, IndexError, TypeError, ValueError, KeyError) as error:
        raise InputError(f"'{source}' does not say where its voxels lie in the patient.", advice=_AGAIN) from error
    normal = np.cross(row, column)
    along = positions @ normal
    first = positions[int(np.argmin(along))]
    planes = (along - along.min()) / step if step > 0 else np.full(len(along), np.nan)
    whole = np.rint(planes)
    sideways = np.linalg.norm(positions - first - np.outer(along - along.min(), normal), axis=1)
    if not (np.abs(planes - whole) <= _OFF_PLANE).all() or sideways.max() > _OFF_PLANE * step:
        raise InputError(f"The frames of '{source}' do not make one regular volume.", advice=_AGAIN)
    if whole.max() >= _MOST_PLANES:
        raise InputError(f"The frames of '{source}' lie {whole.max():.0f} planes apart.", advice=_AGAIN)
    shape = (int(whole.max()) + 1, int(dataset.Rows), int(dataset.Columns))
    grid = Grid(shape, (right, down, step), tuple(first), tuple(np.column_stack([row, column, normal]).ravel()))
    return list(zip(whole.astype(int).tolist(), segments)), grid


def _group(shared: Any, frame: Any, name: str) -> Any:
    return (frame.get(name) or shared.get(name))[0]


def _segment(shared: Any, frame: Any, dataset: Any) -> int | None:
    if dataset.get("SegmentationType") == "LABELMAP":
        return None
    return int(_group(shared, frame, "SegmentIdentificationSequence").ReferencedSegmentNumber)


def _put_mask(plane: np.ndarray, mask: np.ndarray, value: int, source: Path) -> None:
    if np.any(plane[mask]):
        raise InputError(
            f"The segments in '{source}' overlap, and a label map holds one label in each voxel.",
            advice="Remove the overlap, for instance in 3D Slicer's Segment Editor (Masking), and export again.",
        )
    plane[mask] = value


def _put_map(plane: np.ndarray, frame: np.ndarray, numbers: dict[int, int], padding: int | None) -> None:
    for number, value in numbers.items():
        if number != padding:
            plane[frame == number] = value


def _table(dataset: Any, numbers: dict[int, int]) -> LabelTable:
    colours = {label.value: label.colour for label in plain_table(sorted(numbers.values()))}
    labels: list[Label] = []
    for segment in dataset.SegmentSequence:
        value = numbers.get(int(segment.SegmentNumber))
        if value is None:
            continue
        name = str(segment.get("SegmentLabel") or f"Segment {value}")
        key = str(segment.get("TrackingID") or re.sub(r"\W+", "_", name.casefold()).strip("_"))
        if not key or key in (label.key for label in labels):
            key = f"{key or 'segment'}_{value}"
        colour = _colour(segment.get("RecommendedDisplayCIELabValue")) or colours[value]
        labels.append(Label(value, key, name, colour, _terminology(segment)))
    return LabelTable(tuple(labels))


def _terminology(segment: Any) -> Terminology | None:
    category = _code(segment.get("SegmentedPropertyCategoryCodeSequence"))
    kind = _code(segment.get("SegmentedPropertyTypeCodeSequence"))
    if category is None or kind is None:
        return None
    modifiers = segment.SegmentedPropertyTypeCodeSequence[0].get("SegmentedPropertyTypeModifierCodeSequence")
    return Terminology(category, kind, _code(modifiers))


def _code(sequence: Any) -> Code | None:
    if not sequence or not sequence[0].get("CodeValue"):
        return None
    item = sequence[0]
    return Code(str(item.CodingSchemeDesignator), str(item.CodeValue), str(item.get("CodeMeaning", "")))


def _colour(stored: Any) -> tuple[float, float, float] | None:
    """Red, green, blue 0..1 of a colour in DICOM's 16-bit CIELab (PS3.3 C.10.7.1.1)."""
    if stored is None or len(stored) != 3:
        return None
    lightness, a, b = stored[0] / 65535 * 100, stored[1] / 257 - 128, stored[2] / 257 - 128
    middle = (lightness + 16) / 116
    ratios = np.array([middle + a / 500, middle, middle - b / 200])
    # The white point D65 and sRGB's own matrix, as programs that write segmentations do; the standard says D50.
    xyz = np.where(ratios > 6 / 29, ratios**3, 3 * (6 / 29) ** 2 * (ratios - 4 / 29)) * [0.95047, 1.0, 1.08883]
    to_linear = np.array(
        [
            [3.2404542, -1.5371385, -0.4985314],
            [-0.9692660, 1.8760108, 0.0415560],
            [0.0556434, -0.2040259, 1.0572252],
        ]
    )
    linear = np.clip(to_linear @ xyz, 0, 1)
    red, green, blue = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return round(float(red), 3), round(float(green), 3), round(float(blue), 3)
