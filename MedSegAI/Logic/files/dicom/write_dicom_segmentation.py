"""A label map as a DICOM segmentation object that belongs to the DICOM series it was drawn on."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from MedSegAI.Logic.errors import DependencyError, InputError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.label_counts import label_values, refuse_unnamed
from MedSegAI.Logic.labels import Code, Label, Terminology
from MedSegAI.Logic.provenance import Provenance

_SAME_PLACE_MM = 0.01
# What a label without a code is said to be: "Tissue", as 3D Slicer has it.
_UNCODED = Terminology(Code("SCT", "85756007", "Tissue"), Code("SCT", "85756007", "Tissue"))
_SERIES_NUMBER = 900


def write_dicom_segmentation(
    path: str | os.PathLike[str],
    segmentation: Segmentation,
    *,
    source: str | os.PathLike[str],
    series: str | None = None,
    creator: str = "",
) -> None:
    """Write a binary DICOM segmentation with one segment for each label that has voxels.

    Segments are numbered from 1 in the order of the label values; their tracking IDs keep the labels' keys. Labels
    without a code are called "Tissue" (SCT 85756007). The segmentation counts as semi-automatic where a model's record
    is with it, else as manual.

    Args:
        path: Ends in ``.dcm``; its folder must exist.
        segmentation: Labels uint8 (k, j, i) on the very grid of the series.
        source: The folder of the single-frame DICOM series that was segmented.
        series: Its UID or description, where the folder holds several.
        creator: Who made it, as content creator; may be empty.

    Raises:
        DependencyError: if the package highdicom is not installed.
        InputError: if the labels do not lie on the series' grid, it is no single-frame series, or there is no voxel.
        LabelError: if the map holds a value without a name.
        StorageError: if it cannot be written.
    """
    highdicom = _highdicom()
    refuse_unnamed(segmentation.labels.array, segmentation.table)
    present = [label for label in segmentation.table if label.value in label_values(segmentation.labels.array)]
    if not present:
        raise InputError("The segmentation holds no voxel, and DICOM has no empty one.", advice="Write a .seg.nrrd.")
    slices = _slices(Path(source).expanduser(), series, segmentation)
    numbers = np.zeros(256, np.uint8)
    numbers[[label.value for label in present]] = range(1, len(present) + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            written = _segmentation(
                highdicom, slices, numbers[segmentation.labels.array], present, segmentation, creator
            )
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise InputError(
                f"The series in '{source}' lacks what a DICOM segmentation takes from it: {str(error).rstrip('.')}.",
                advice="Write a .seg.nrrd.",
            ) from error
    if not written.get("BodyPartExamined") and slices[0].get("BodyPartExamined"):
        written.BodyPartExamined = slices[0].BodyPartExamined
    with write_beside(path) as beside:
        written.save_as(beside)


def _segmentation(
    highdicom: Any,
    slices: list[Any],
    array: np.ndarray,
    present: Sequence[Label],
    segmentation: Segmentation,
    creator: str,
) -> Any:
    return highdicom.seg.Segmentation(
        source_images=slices,
        pixel_array=array,
        segmentation_type="BINARY",
        segment_descriptions=_descriptions(highdicom, present, segmentation.provenance),
        series_instance_uid=highdicom.UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="MedSegAI",
        manufacturer_model_name="MedSegAI",
        software_versions=metadata.version("medsegai") if _is_installed() else "source",
        device_serial_number="0",
        content_creator_name=creator.replace("^", " ") or None,
        series_description="MedSegAI segmentation",
    )


def _highdicom() -> Any:
    try:
        import highdicom
    except ImportError as error:
        raise DependencyError(
            "Writing a DICOM segmentation needs the package highdicom.",
            advice="Install it: pip install highdicom; or write a .seg.nrrd.",
        ) from error
    return highdicom


def _is_installed() -> bool:
    try:
        return bool(metadata.version("medsegai"))
    except metadata.PackageNotFoundError:
        return False


def _slices(source: Path, series: str | None, segmentation: Segmentation) -> list[Any]:
    """The headers of the series, one a plane of the label map, in the order of k."""
    import pydicom

    if not source.is_dir():
        raise InputError(
            f"'{source}' is no folder with the DICOM series of the scan.",
            advice="Name the folder of the series that was segmented, or write a .seg.nrrd.",
        )
    grid = read_volume(source, series=series).grid
    if not grid.same_frame(segmentation.labels.grid, tolerance_mm=_SAME_PLACE_MM):
        raise InputError(
            f"The segmentation does not lie on the grid of the series in '{source}'.",
            advice="Name the folder of the series that was segmented.",
        )
    planes: dict[int, Any] = {}
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True)
            kji = grid.kji_of(np.array(header.ImagePositionPatient, dtype=float))
        except (pydicom.errors.InvalidDicomError, AttributeError):
            continue
        belongs = series is None or series.casefold() in (
            str(header.SeriesInstanceUID),
            str(header.get("SeriesDescription", "")).casefold(),
        )
        # Names of raters and labels come in any script, whatever the scanner's.
        header.decode()
        header.SpecificCharacterSet = "ISO_IR 192"
        if belongs and np.abs(kji - np.rint(kji)).max() < 1e-2 and header.get("Modality") != "SEG":
            planes.setdefault(int(np.rint(kji[0])), header)
    if sorted(planes) != list(range(grid.shape[0])):
        raise InputError(
            f"'{source}' is not a series with one file for each of the {grid.shape[0]} slices.",
            advice="Write a .seg.nrrd.",
        )
    return [planes[k] for k in range(grid.shape[0])]


def _descriptions(highdicom: Any, labels: Sequence[Label], provenance: Provenance | None) -> list[Any]:
    settings: dict[str, Any] = {"algorithm_type": "MANUAL"}
    if provenance is not None:
        family = highdicom.sr.CodedConcept("123110", "DCM", "Artificial Intelligence")
        settings = {
            "algorithm_type": "SEMIAUTOMATIC",
            "algorithm_identification": highdicom.AlgorithmIdentificationSequence(
                name=provenance.model, family=family, version=provenance.model_version
            ),
        }
    described = []
    for number, label in enumerate(labels, start=1):
        coded = label.terminology or _UNCODED
        kind = _concept(highdicom, coded.type)
        if coded.type_modifier is not None:
            kind.SegmentedPropertyTypeModifierCodeSequence = [_concept(highdicom, coded.type_modifier)]
        described.append(
            highdicom.seg.SegmentDescription(
                segment_number=number,
                segment_label=label.name[:64],
                segmented_property_category=_concept(highdicom, coded.category),
                segmented_property_type=kind,
                tracking_uid=highdicom.UID(),
                tracking_id=label.key,
                display_color=highdicom.color.CIELabColor.from_rgb(*(round(part * 255) for part in label.colour)),
                **settings,
            )
        )
    return described


def _concept(highdicom: Any, code: Code) -> Any:
    return highdicom.sr.CodedConcept(code.value, code.scheme, code.meaning[:64] or "unnamed")
