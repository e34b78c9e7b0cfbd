"""Any scan on disk, opened without reading its voxels."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

import numpy as np

from MedSegAI.Logic.files.dicom.unpack import is_zip
from MedSegAI.Logic.files.formats import ending_of, name_of
from MedSegAI.Logic.files.itk_quirks import itk_made_quiet
from MedSegAI.Logic.files.plane_source import PlaneSource
from MedSegAI.Logic.files.planes.file_planes import FilePlanes
from MedSegAI.Logic.files.planes.meta_layout import meta_layout
from MedSegAI.Logic.files.planes.nifti_layout import nifti_layout
from MedSegAI.Logic.files.planes.nrrd_layout import nrrd_layout
from MedSegAI.Logic.files.planes.volume_planes import VolumePlanes
from MedSegAI.Logic.files.planes.voxel_layout import VoxelLayout
from MedSegAI.Logic.files.read import named_in_errors, read_volume, refuse_unusable_size
from MedSegAI.Logic.files.scan_fields import with_scan_fields
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.volume import Modality, Unit, Volume

_LAYOUTS = {".nii": nifti_layout, ".nii.gz": nifti_layout, ".mha": meta_layout, ".mhd": meta_layout}


def open_planes(
    path: str | os.PathLike[str],
    *,
    modality: Modality | None = None,
    series: str | None = None,
    reporter: Reporter | None = None,
) -> PlaneSource:
    """Open a scan to read it a few planes at a time.

    Args:
        path: As ``read_volume`` takes it. NRRD (raw or gzip, with the voxels in the same file or in one other), NIfTI-1
            and MetaImage files are read in planes, and so is DICOM; a file that cannot be, or a zip, is
            read whole.
        modality: What was measured; None takes it from DICOM or from the fields of an NRRD file. ``Modality.CT`` gives
            a file that is not DICOM the unit HU when there are values below zero in its first plane.
        series: Which series of a DICOM folder.
        reporter: Told how far the search through a DICOM folder is, and asked whether to stop.

    Returns:
        The source, whose grid and values are those that ``read_volume`` gives. Close it after use.

    Raises:
        InputError: as ``read_volume``, as far as the header tells; for a file that is cut short or damaged, or voxels
            that are not finite, when the planes concerned are read.
        Cancelled: if the reporter asked to stop.
    """
    source = Path(path).expanduser()
    if is_zip(source):
        return VolumePlanes(read_volume(source, modality=modality, series=series))
    if source.is_dir() or not ending_of(source):
        from MedSegAI.Logic.files.dicom.open_planes import open_dicom_planes

        return open_dicom_planes(source, series=series, modality=modality, reporter=reporter)
    opened = _open_file(source)
    if opened is None:
        return VolumePlanes(read_volume(source, modality=modality))
    refuse_unusable_size(opened.grid, source)
    return _described(opened, modality)


def _open_file(path: Path) -> FilePlanes | None:
    """The file's planes, or None where it has to be read whole, which also says what is wrong with it."""
    try:
        layout = _LAYOUTS.get(ending_of(path), nrrd_layout)(path)
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, KeyError):
        return None
    return None if layout is None else _with_header(path, layout)


def _with_header(path: Path, layout: VoxelLayout) -> FilePlanes | None:
    """What ITK makes of the header: the same grid, type and fields as when it reads the whole file."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        with itk_made_quiet():
            reader.ReadImageInformation()
    except RuntimeError:
        return None
    size, dimension = reader.GetSize(), reader.GetDimension()
    dtype = _numpy_dtype(reader.GetPixelID())
    is_plain = dimension >= 3 and min(size[:3]) > 1 and max(size[3:], default=1) == 1
    if not is_plain or reader.GetNumberOfComponents() != 1 or dtype is None:
        return None
    direction = np.reshape(reader.GetDirection(), (dimension, dimension))[:3, :3]
    with named_in_errors(path):
        grid = Grid(size[:3][::-1], reader.GetSpacing()[:3], reader.GetOrigin()[:3], tuple(direction.ravel()))
    planes = FilePlanes(path, layout, grid=grid, dtype=dtype, name=name_of(path))
    fields = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    # The fields describe a volume; one of a single voxel stands for this one.
    known = with_scan_fields(Volume(np.zeros((1, 1, 1), np.uint8), Grid((1, 1, 1))), fields)
    planes.modality, planes.unit, planes.steps = known.modality, known.unit, known.steps
    return planes


def _described(planes: FilePlanes, modality: Modality | None) -> FilePlanes:
    if modality is Modality.CT and planes.unit is Unit.ARBITRARY and not planes.steps and planes.planes(0, 1).min() < 0:
        planes.unit = Unit.HOUNSFIELD
    planes.modality = modality or planes.modality
    return planes


def _numpy_dtype(pixel_id: int) -> np.dtype | None:
    import SimpleITK as sitk

    names = ("UInt8", "Int8", "UInt16", "Int16", "UInt32", "Int32", "UInt64", "Int64", "Float32", "Float64")
    known = {getattr(sitk, f"sitk{name}"): np.dtype(name.lower()) for name in names}
    return known.get(pixel_id)
