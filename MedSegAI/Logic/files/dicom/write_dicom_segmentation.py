"""A label map as a DICOM segmentation object that belongs to the DICOM series it was drawn on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.dicom.result_object import NewObject, algorithm, concept, highdicom_package, made
from MedSegAI.Logic.files.dicom.shared_provenance import put_provenance
from MedSegAI.Logic.files.dicom.source_series import Source, SourceSeries, read_source_series
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.label_counts import label_values, refuse_unnamed
from MedSegAI.Logic.labels import Code, Label, Terminology
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume

# What a label without a code is said to be: "Tissue", as 3D Slicer has it.
UNCODED = Terminology(Code("SCT", "85756007", "Tissue"), Code("SCT", "85756007", "Tissue"))
MAXIMUM_FRACTION = 255
_SEGMENTATION_SERIES, _CONFIDENCE_SERIES = 900, 901


class SegmentationKind(str, Enum):
    """How a DICOM segmentation stores its voxels.

    BINARY has one bit a voxel and segment, and is what most programs read; LABELMAP has one number a voxel (DICOM 2024
    and later).
    """

    BINARY = "binary"
    LABELMAP = "labelmap"


def write_dicom_segmentation(
    path: str | os.PathLike[str],
    segmentation: Segmentation,
    *,
    source: Source,
    series: str | None = None,
    creator: str = "",
    kind: SegmentationKind = SegmentationKind.BINARY,
) -> None:
    """Write a DICOM segmentation with one segment for each label that has voxels; see :func:`segmentation_object`.

    Args:
        path: Ends in ``.dcm``; its folder must exist.
        segmentation: Labels uint8 (k, j, i) on the very grid of the series.
        source: The folder of the DICOM series that was segmented, or its files.
        series: Its UID or description, where the folder holds several.
        creator: Who made it, as content creator; may be empty.
        kind: How the voxels are stored.

    Raises:
        DependencyError: if the package highdicom is not installed.
        InputError: if the labels do not lie on the series' grid, the series lacks something, or there is no voxel.
        LabelError: if the map holds a value without a name.
        StorageError: if it cannot be written.
    """
    highdicom_package()
    refuse_unnamed(segmentation.labels.array, segmentation.table)
    present_labels(segmentation)
    written = segmentation_object(segmentation, read_source_series(source, series=series), kind=kind, creator=creator)
    with write_beside(path) as beside:
        written.save_as(beside)


def segmentation_object(
    segmentation: Segmentation,
    source: SourceSeries,
    *,
    kind: SegmentationKind = SegmentationKind.BINARY,
    creator: str = "",
) -> Any:
    """A DICOM segmentation as a data set.

    Segments are numbered from 1 in the order of the label values; their tracking IDs keep the labels' keys. Labels
    without a code are called "Tissue" (SCT 85756007). The segmentation counts as semi-automatic where a model's record
    is with it, else as manual. Each frame names the image it was drawn on; planes without voxels are not stored.

    Args:
        segmentation: Labels uint8 (k, j, i) on the very grid of the series.
        source: The series.
        kind: How the voxels are stored.
        creator: Who made it; may be empty.

    Raises:
        DependencyError: if the package highdicom is not installed.
        InputError: if the labels do not lie on the series' grid, the series lacks something, or there is no voxel.
        LabelError: if the map holds a value without a name.
    """
    present = present_labels(segmentation)
    source.refuse_other_grid(segmentation.labels)
    new = NewObject(_SEGMENTATION_SERIES, "MedSegAI segmentation", creator)
    array = _numbered(present)[segmentation.labels.array]
    return _built(kind.value.upper(), array, present, segmentation.provenance, source=source, new=new)


def confidence_object(
    segmentation: Segmentation, confidence: Volume, source: SourceSeries, *, creator: str = ""
) -> Any:
    """How sure the network was, as a fractional DICOM segmentation (type PROBABILITY, 255 stands for 1).

    Each segment holds the probability at the voxels where its label won, in steps of 1/255, and 0 elsewhere: only the
    probability of the winner is known. The segments are those of :func:`segmentation_object`.

    Args:
        segmentation: Labels uint8 (k, j, i) on the very grid of the series.
        confidence: float (k, j, i), 0..1, on the same grid: probability of the label that won.
        source: The series.
        creator: Who made it; may be empty.

    Raises:
        DependencyError: if the package highdicom is not installed.
        InputError: as :func:`segmentation_object`, and where the confidence lies elsewhere or leaves 0..1.
        LabelError: if the map holds a value without a name.
    """
    present = present_labels(segmentation)
    source.refuse_other_grid(segmentation.labels)
    source.refuse_other_grid(confidence)
    probability = confidence.array
    if not (probability.min() >= 0 and probability.max() <= 1):
        raise InputError(
            f"The confidence '{confidence.name}' leaves the range from 0 to 1.",
            advice="Give the file that 'segment --confidence' wrote.",
        )
    new = NewObject(_CONFIDENCE_SERIES, "MedSegAI confidence", creator)
    array = _numbered(present)[segmentation.labels.array]
    dataset = _built("FRACTIONAL", array, present, segmentation.provenance, source=source, new=new)
    _put_fractions(dataset, probability, source)
    return dataset


def present_labels(segmentation: Segmentation) -> list[Label]:
    """The labels that have voxels, in the order of their values: segment 1 is the first of them.

    Raises:
        InputError: if there are none.
        LabelError: if the map holds a value without a name.
    """
    refuse_unnamed(segmentation.labels.array, segmentation.table)
    values = label_values(segmentation.labels.array)
    present = [label for label in segmentation.table if label.value in values]
    if not present:
        raise InputError("The segmentation holds no voxel, and DICOM has no empty one.", advice="Write a .seg.nrrd.")
    return present


def _numbered(present: Sequence[Label]) -> np.ndarray:
    """The segment number of each label value: uint8 (256,)."""
    numbers = np.zeros(256, np.uint8)
    numbers[[label.value for label in present]] = range(1, len(present) + 1)
    return numbers


def _put_fractions(dataset: Any, probability: np.ndarray, source: SourceSeries) -> None:
    """Put the probabilities (k, j, i) where the frames hold 1; highdicom would want a volume of floats a segment."""
    frames = dataset.PerFrameFunctionalGroupsSequence
    places = np.array([frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames], dtype=float)
    planes = np.rint(source.scan.grid.kji_of(places)[:, 0]).astype(int)
    stored = np.frombuffer(bytearray(dataset.PixelData), np.uint8)
    pixels = stored[: len(frames) * probability[0].size].reshape(len(frames), *probability[0].shape)
    for frame, k in zip(pixels, planes):
        fractions = np.rint(probability[k].astype(np.float32) * MAXIMUM_FRACTION).astype(np.uint8)
        frame[frame > 0] = fractions[frame > 0]
    dataset.PixelData = stored.tobytes()


def _built(
    kind: str,
    array: np.ndarray,
    present: Sequence[Label],
    provenance: Provenance | None,
    *,
    source: SourceSeries,
    new: NewObject,
) -> Any:
    highdicom = highdicom_package()
    dataset = made(
        "a DICOM segmentation",
        lambda: highdicom.seg.Segmentation(
            source_images=list(source.images),
            pixel_array=source.in_frame_order(array),
            segmentation_type=kind,
            segment_descriptions=_descriptions(present, provenance),
            max_fractional_value=MAXIMUM_FRACTION,
            content_creator_name=new.creator_name,
            **new.identity(),
            **new.device(),
        ),
        source,
    )
    put_provenance(dataset, provenance)
    return dataset


def _descriptions(labels: Sequence[Label], provenance: Provenance | None) -> list[Any]:
    highdicom = highdicom_package()
    settings: dict[str, Any] = {"algorithm_type": "MANUAL"}
    if provenance is not None:
        settings = {"algorithm_type": "SEMIAUTOMATIC", "algorithm_identification": algorithm(provenance)}
    described = []
    for number, label in enumerate(labels, start=1):
        coded = label.terminology or UNCODED
        kind = concept(coded.type)
        if coded.type_modifier is not None:
            kind.SegmentedPropertyTypeModifierCodeSequence = [concept(coded.type_modifier)]
        described.append(
            highdicom.seg.SegmentDescription(
                segment_number=number,
                segment_label=label.name[:64],
                segmented_property_category=concept(coded.category),
                segmented_property_type=kind,
                tracking_uid=highdicom.UID(),
                tracking_id=label.key,
                display_color=highdicom.color.CIELabColor.from_rgb(*(round(part * 255) for part in label.colour)),
                **settings,
            )
        )
    return described
