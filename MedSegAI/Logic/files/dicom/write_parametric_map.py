"""A heat map as a DICOM parametric map (PS3.3 A.75): 32-bit floats with their meaning and their unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.anatomic_region import anatomic_region
from MedSegAI.Logic.files.dicom.result_object import NewObject, concept, highdicom_package, made
from MedSegAI.Logic.files.dicom.shared_provenance import put_provenance
from MedSegAI.Logic.files.dicom.source_series import SourceSeries
from MedSegAI.Logic.labels import Code, Label
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume

_SERIES = 902
_LONGEST_EXPLANATION = 64


def heat_map_object(
    heat_map: Volume,
    source: SourceSeries,
    *,
    label: Label | None = None,
    provenance: Provenance | None = None,
    creator: str = "",
) -> Any:
    """A Grad-CAM++ map as a DICOM parametric map data set.

    The voxels are stored as they are (Float Pixel Data); the real-world value mapping says that they mean
    "Gradient-weighted class activation" (DCM 130403), have no unit (UCUM 1) and run from 0 to 1. Each frame names the
    image it belongs to.

    Args:
        heat_map: float (k, j, i), 0..1, on the very grid of the series.
        source: The series.
        label: The label it explains, where known.
        provenance: The run it belongs to, where known.
        creator: Who made it; may be empty.

    Raises:
        DependencyError: if the package highdicom is not installed.
        InputError: if the map does not lie on the series' grid or leaves 0..1, or the series lacks something.
    """
    highdicom = highdicom_package()
    source.refuse_other_grid(heat_map)
    array = np.asarray(heat_map.array, np.float32)
    if not (array.min() >= 0 and array.max() <= 1):
        raise InputError(
            f"The heat map '{heat_map.name}' leaves the range from 0 to 1.",
            advice="Give the file that 'explain' wrote.",
        )
    name = "" if label is None else label.name
    new = NewObject(_SERIES, f"MedSegAI heat map {name}".strip()[:64], creator)
    explanation = f"Grad-CAM++ of {name or 'a label'}, 0 to 1"[:_LONGEST_EXPLANATION]
    mapping = highdicom.pm.RealWorldValueMapping(
        lut_label="GRADCAM",
        lut_explanation=explanation,
        unit=highdicom.sr.CodedConcept("1", "UCUM", "no units"),
        value_range=(0.0, 1.0),
        slope=1.0,
        intercept=0.0,
        quantity_definition=highdicom.sr.CodedConcept("130403", "DCM", "Gradient-weighted class activation"),
    )
    dataset = made(
        "a DICOM parametric map",
        lambda: highdicom.pm.ParametricMap(
            source_images=list(source.images),
            pixel_array=source.in_frame_order(array),
            contains_recognizable_visual_features=False,
            real_world_value_mappings=[mapping],
            window_center=0.5,
            window_width=1.0,
            content_description=explanation,
            content_creator_name=new.creator_name,
            content_label="HEAT_MAP",
            **new.identity(),
            **new.device(),
        ),
        source,
    )
    _store_in_order_of_k(dataset, source)
    _say_which_part(dataset, source, label)
    put_provenance(dataset, provenance)
    return dataset


def _store_in_order_of_k(dataset: Any, source: SourceSeries) -> None:
    """Put the frames in the order of their places along the normal, and number them so.

    highdicom stores them the other way round, which is valid, but dcmqi, and so 3D Slicer's plugin, stacks the frames
    as they are stored, onto the lowest place: the map would be shown upside down.
    """
    frames = list(dataset.PerFrameFunctionalGroupsSequence)
    places = np.array([frame.PlanePositionSequence[0].ImagePositionPatient for frame in frames], dtype=float)
    order = np.argsort(source.scan.grid.kji_of(places)[:, 0], kind="stable")
    stored = np.frombuffer(dataset.FloatPixelData, "<f4").reshape(len(frames), -1)
    dataset.FloatPixelData = np.ascontiguousarray(stored[order]).tobytes()
    dataset.PerFrameFunctionalGroupsSequence = [frames[at] for at in order]
    for number, at in enumerate(order, start=1):
        frames[at].FrameContentSequence[0].DimensionIndexValues = [number]


def _say_which_part(dataset: Any, source: SourceSeries, label: Label | None) -> None:
    """The part of the body, by the series and by the label; where neither says it, that the side is not known.

    dcmqi, and so 3D Slicer's plugin, reads no parametric map whose frames do not say what anatomy they show.
    """
    part = str(source.images[0].get("BodyPartExamined") or "").strip().upper()
    if part:
        dataset.BodyPartExamined = part
    region = anatomic_region(label, part)
    if region is not None:
        dataset.SharedFunctionalGroupsSequence[0].FrameAnatomySequence = [_frame_anatomy(*region)]
    elif not part:
        dataset.Laterality = ""


def _frame_anatomy(region: Code, side: str) -> Any:
    from pydicom.dataset import Dataset

    anatomy = Dataset()
    anatomy.AnatomicRegionSequence = [concept(region)]
    anatomy.FrameLaterality = side
    return anatomy
