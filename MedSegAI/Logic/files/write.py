"""Volumes and segmentations to disk, whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError, StorageError
from MedSegAI.Logic.files.atomic import storage_error, write_beside
from MedSegAI.Logic.files.formats import ending_of, refuse_unwritable_ending
from MedSegAI.Logic.files.integrity import refuse_broken
from MedSegAI.Logic.files.itk_quirks import itk_made_quiet, stderr_kept_for_success
from MedSegAI.Logic.files.planes.write_planes import planes_written_to
from MedSegAI.Logic.files.scan_fields import scan_fields
from MedSegAI.Logic.files.slicer_segments import PROVENANCE_FIELD, segment_fields
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.label_counts import refuse_unnamed
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.volume import Volume

if TYPE_CHECKING:
    from MedSegAI.Logic.provenance import Provenance

_FASTEST_GZIP = 1
_IN_PLANES_FROM_BYTES = 128 << 20
_PLANES_AT_ONCE = 16
_KEEPS_FIELDS = (".nrrd", ".seg.nrrd")


def write_volume(path: str | os.PathLike[str], volume: Volume, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write a volume as NIfTI, NRRD or MetaImage (by the ending of ``path``), losslessly compressed where that exists.

    Args:
        path: .nii, .nii.gz, .nrrd or .mha; its folder must exist.
        volume: Voxels (k, j, i) on an LPS grid; bool is stored as uint8, float16 as float32.
        metadata: Key/value fields kept in the header of an NRRD file, beside the volume's own modality, unit and steps;
            NIfTI and MetaImage have no place for them.

    Raises:
        StorageError: if it cannot be written, or the ending is none of these.
    """
    refuse_unwritable_ending(path)
    image = volume.to_sitk()
    if ending_of(path) in _KEEPS_FIELDS:
        for key, value in {**scan_fields(volume), **(metadata or {})}.items():
            image.SetMetaData(key, value)
    with write_beside(path) as beside:
        _write(image, beside, Path(path))


def write_segmentation(
    path: str | os.PathLike[str],
    labels: Volume,
    table: LabelTable,
    provenance: Provenance | None = None,
    *,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a label map with its names, colours, terminology and provenance.

    Args:
        path: ``.seg.nrrd`` keeps everything and opens in 3D Slicer as a segmentation; a plain .nrrd keeps the
            provenance; .nii, .nii.gz and .mha keep the label values only.
        labels: uint8 label map (k, j, i) on an LPS grid; 0 is background.
        table: The names of its values.
        provenance: How it came about, where a model made it.
        metadata: More key/value fields for the header, kept as :func:`write_volume` does.

    Raises:
        InputError: if the voxels are not uint8.
        LabelError: if the map holds a value that ``table`` does not name.
        StorageError: if it cannot be written.
    """
    if labels.array.dtype != np.uint8:
        raise InputError(f"A label map must be uint8, not {labels.array.dtype}.", advice="Convert the label values.")
    refuse_unnamed(labels.array, table)
    refuse_unwritable_ending(path)
    record = provenance.to_json() if provenance else ""
    if ending_of(path) == ".seg.nrrd":
        fields = segment_fields(labels.array, labels.grid, table, record)
    else:
        fields = {PROVENANCE_FIELD: record} if record else {}
    fields = {**(metadata or {}), **fields}
    if labels.array.nbytes > _IN_PLANES_FROM_BYTES:
        _write_in_planes(path, labels, fields)
    else:
        write_volume(path, labels, metadata=fields)


def _write_in_planes(path: str | os.PathLike[str], volume: Volume, fields: Mapping[str, str]) -> None:
    """Write a volume without the two copies of it that ITK would make."""
    described = replace(volume, array=volume.array[:1, :1, :1], grid=volume.grid.crop(Box((0, 0, 0), (1, 1, 1))))
    with planes_written_to(path, described, volume.grid.shape, metadata=fields) as writer:
        for start in range(0, len(volume.array), _PLANES_AT_ONCE):
            writer.write(volume.array[start : start + _PLANES_AT_ONCE])


def _write(image: object, beside: Path, target: Path) -> None:
    import SimpleITK as sitk

    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(beside))
    writer.SetUseCompression(ending_of(beside) != ".nii")
    writer.SetCompressionLevel(_FASTEST_GZIP)
    try:
        with itk_made_quiet(), stderr_kept_for_success():
            writer.Execute(image)
            # ITK does not notice a full disk in every format, so what it wrote is decoded once.
            refuse_broken(beside)
    except (RuntimeError, InputError) as error:
        raise _why_not(target, error) from error


def _why_not(target: Path, error: Exception) -> StorageError:
    """The operating system's reason, asked for by writing to the same folder, since ITK does not pass it on."""
    try:
        with write_beside(target.with_name(f"{target.name}.probe")) as probe:
            probe.write_bytes(bytes(1 << 20))
            raise _Probed
    except _Probed:
        pass
    except StorageError as reason:
        if isinstance(reason.__cause__, OSError):
            return storage_error(target, reason.__cause__)
    return storage_error(target, OSError(errno.EIO, f"ITK says: {str(error).strip().splitlines()[-1]}"))


class _Probed(Exception):
    """The probe was written; the name is not wanted."""
