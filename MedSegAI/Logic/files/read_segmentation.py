"""Segmentations from disk: our own and 3D Slicer's ``.seg.nrrd``, and plain label maps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.formats import name_of
from MedSegAI.Logic.files.read import read_image
from MedSegAI.Logic.files.slicer_segments import plain_table, provenance_from_fields, table_from_fields
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.label_counts import label_values
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.volume import Volume


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A label map with its names.

    Args:
        labels: uint8 label map (k, j, i) on an LPS grid; 0 is background.
        table: The names, colours and codes of its values.
        provenance: How it came about, where the file says so.
    """

    labels: Volume
    table: LabelTable
    provenance: Provenance | None = None


def read_segmentation(path: str | os.PathLike[str]) -> Segmentation:
    """Read a ``.seg.nrrd`` as this library or 3D Slicer writes it, or a plain label map.

    The grid is the file's own: Slicer may store only the part of the scan's grid that holds segments. Segments in
    several layers are joined, which is possible as long as they do not overlap. A plain label map gets names made of
    its values; so does a ``.seg.nrrd`` without segment fields.

    Raises:
        InputError: as ``read_volume`` for files that are no image (an empty segmentation is allowed); for values that
            are no whole numbers from 0 to 255; for overlapping segments.
    """
    import SimpleITK as sitk

    source = Path(path).expanduser()
    image = read_image(source, layers=True)
    fields = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    name = name_of(source)
    array = sitk.GetArrayFromImage(image)
    grid = Grid(array.shape[:3], image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    array = _whole_numbers(array, source)
    if any(key.startswith("Segment0_") for key in fields):
        table, places = table_from_fields(fields)
        labels = _join_layers(array, places, source)
    elif array.ndim == 4:
        raise InputError(f"'{source}' has {array.shape[3]} values in each voxel.", advice="Choose a single label map.")
    else:
        labels = array.astype(np.uint8)
        table = plain_table(sorted(label_values(labels)))
    return Segmentation(Volume(labels, grid, name=name), table, _provenance(fields, source))


def _whole_numbers(array: np.ndarray, source: Path) -> np.ndarray:
    low, high = array.min(), array.max()
    is_whole = array.dtype.kind in "iu" or bool(np.all(array == np.round(array)))
    if not (is_whole and low >= 0 and high <= 255):
        raise InputError(
            f"'{source}' is no label map: its values run from {low} to {high}, not over whole numbers from 0 to 255.",
            advice="Choose a segmentation rather than a scan.",
        )
    return array


def _join_layers(array: np.ndarray, places: dict[int, tuple[int, int]], source: Path) -> np.ndarray:
    """One label map (k, j, i) uint8 from an array (k, j, i) or (k, j, i, layer)."""
    layers = array[..., None] if array.ndim == 3 else array
    labels = np.zeros(layers.shape[:3], dtype=np.uint8)
    for value, (layer, stored) in places.items():
        if layer >= layers.shape[3]:
            raise InputError(f"'{source}' names a layer that it does not hold.", advice="Save it again from 3D Slicer.")
        mask = layers[..., layer] == stored
        if np.any(labels[mask]):
            raise InputError(
                f"The segments in '{source}' overlap, and a label map holds one label in each voxel.",
                advice="In 3D Slicer, remove the overlap (Segment Editor, Masking) and save again.",
            )
        labels[mask] = value
    return labels


def _provenance(fields: Mapping[str, str], source: Path) -> Provenance | None:
    text = provenance_from_fields(fields)
    if not text:
        return None
    try:
        return Provenance.from_json(text)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"'{source}' carries a record of its making that cannot be read.",
            advice="It was changed, or written by a newer version: update this one, or delete the record's field.",
        ) from error
