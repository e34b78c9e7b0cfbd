"""Scans from disk: NIfTI, NRRD, MetaImage and DICOM, refused with a sentence where they cannot be used."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.formats import READABLE_SENTENCE, ending_of, name_of
from MedSegAI.Logic.files.integrity import refuse_broken
from MedSegAI.Logic.files.itk_quirks import itk_made_quiet
from MedSegAI.Logic.files.nifti_check import not_finite
from MedSegAI.Logic.files.private_folder import private_folder
from MedSegAI.Logic.files.scan_fields import with_scan_fields
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Modality, Unit, Volume

if TYPE_CHECKING:
    import SimpleITK

_SMALLEST_EXTENT_MM, _LARGEST_EXTENT_MM = 1.0, 5000.0


def read_volume(path: str | os.PathLike[str], *, modality: Modality | None = None, series: str | None = None) -> Volume:
    """Read one 3D scan.

    Args:
        path: A NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr) or MetaImage (.mha, .mhd) file, a folder or a zip with DICOM
            files (searched through all its sub-folders), a DICOMDIR, or one DICOM file, which stands for the whole
            series it belongs to as far as it lies in the same folder.
        modality: What was measured; None takes it from DICOM, or the fields of an NRRD file that this program wrote
            (which also keep the unit and the steps), else ``Modality.UNKNOWN``. For a file that is not DICOM
            ``Modality.CT`` gives the unit HU when there are values below zero, as there are in any CT with air.
        series: Series UID, or a description only one series has, where a folder holds more than one DICOM series;
            ``find_series`` lists them.

    Returns:
        The voxels (k, j, i) in the file's own dtype (rescale slope and intercept applied) on the file's own grid (LPS
        mm). DICOM slices run along k in the direction of the slice normal; what was left out, filled or straightened
        is in the volume's ``steps``. A 4D file with one time point is read as 3D.

    Raises:
        InputError: for a file that is missing, unreadable, empty, cut short or no image; an image that is 2D, 4D,
            colour, complex or sheared; voxels that are NaN, infinite or all alike; a folder without images, with
            several series, with a missing slice, or with slices that do not make one regular volume.
    """
    source = Path(path).expanduser()
    with _readable(source):
        if source.is_dir() or not ending_of(source):
            volume = _read_dicom(source, modality, series)
        else:
            with named_in_errors(source):
                volume = _read_image_file(source, modality)
    refuse_unusable_voxels(volume, source)
    return volume


def read_image(path: Path, *, layers: bool = False) -> SimpleITK.Image:
    """The complete 3D SimpleITK image in a NIfTI, NRRD or MetaImage file; any voxel values.

    Args:
        path: The file.
        layers: Whether several values in a voxel are welcome, as in a segmentation of several layers.

    Raises:
        InputError: as :func:`read_volume`, except for the values of the voxels.
    """
    import SimpleITK as sitk

    with _readable(path):
        _refuse_not_an_image(path)
        refuse_broken(path)
    try:
        with itk_made_quiet():
            image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise _itk_refusal(path, error) from error
    image = _single_time_point(image, path)
    _refuse_2d(image, path)
    if not layers:
        _refuse_wrong_kind(image, path)
    return image


def refuse_unusable_voxels(volume: Volume, source: Path) -> None:
    """Raise :class:`InputError` for voxels that are NaN, infinite or all alike, or a size no patient has."""
    array = volume.array
    if array.dtype.kind == "f":
        bad = int(array.size - np.count_nonzero(np.isfinite(array)))
        if bad:
            raise not_finite(source, bad, array.size)
    if array.min() == array.max():
        raise InputError(
            f"'{source}' holds no picture: every voxel has the value {array.flat[0]}.",
            advice="Check the export, or choose another scan.",
        )
    refuse_unusable_size(volume.grid, source)


def refuse_unusable_size(grid: Grid, source: Path) -> None:
    """Raise :class:`InputError` for a size that no patient has."""
    extent = max(n * s for n, s in zip(grid.size, grid.spacing))
    if not _SMALLEST_EXTENT_MM <= extent <= _LARGEST_EXTENT_MM:
        raise InputError(
            f"'{source}' would be {extent:.4g} mm long, which no patient is: its spacing is not in millimetres.",
            advice="Mend the spacing in the file's header, or convert the original DICOM again.",
        )


@contextmanager
def named_in_errors(path: Path) -> Iterator[None]:
    """Let every :class:`InputError` of the block say which file it is about."""
    try:
        yield
    except InputError as error:
        if str(path) in error.problem:
            raise
        raise InputError(f"'{path}': {error.problem}", advice=error.advice) from error


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        if not path.exists():
            raise _nothing_there(path)
        yield
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM):
            raise InputError(
                f"'{path}' may not be read: no permission.", advice="Ask for the right to read it, or copy it."
            ) from error
        raise InputError(f"'{path}' could not be read: {error.strerror or error}.", advice="Check the disk.") from error


def _nothing_there(path: Path) -> InputError:
    if path.parts[:1] in (("http:",), ("https:",)):
        return InputError(
            f"'{path}' is an address, and a scan is read from a file or folder.",
            advice="Fetch it first: medsegai dicom fetch ADDRESS -o FOLDER.",
        )
    return InputError(f"There is no file or folder '{path}'.", advice="Check the path.")


def _read_image_file(path: Path, modality: Modality | None) -> Volume:
    image = read_image(path)
    volume = Volume.from_sitk(image, name=name_of(path))
    volume = with_scan_fields(volume, {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()})
    unit = volume.unit
    if modality is Modality.CT and unit is Unit.ARBITRARY and not volume.steps and volume.array.min() < 0:
        unit = Unit.HOUNSFIELD
    return replace(volume, modality=modality or volume.modality, unit=unit)


def _read_dicom(source: Path, modality: Modality | None, series: str | None) -> Volume:
    from MedSegAI.Logic.files.dicom.headers import looks_like_dicom
    from MedSegAI.Logic.files.dicom.read_series import read_dicom
    from MedSegAI.Logic.files.dicom.unpack import is_zip, unpack_zip

    if source.is_dir() or looks_like_dicom(source):
        return read_dicom(source, modality=modality, series=series)
    if not is_zip(source):
        _refuse_not_an_image(source)
    with private_folder() as room:
        folder = unpack_zip(source, room / source.stem)
        return read_dicom(folder, modality=modality, series=series, shown_as=str(source))


def _refuse_not_an_image(path: Path) -> None:
    if path.stat().st_size == 0:
        raise InputError(f"'{path}' is empty (0 bytes).", advice="Copy or download the file again.")
    with path.open("rb"):
        pass
    if not ending_of(path):
        raise InputError(f"'{path}' is not a scan that can be read.", advice=READABLE_SENTENCE)


def _itk_refusal(path: Path, error: RuntimeError) -> InputError:
    text = str(error)
    if "bytes but received" in text or "fread got only" in text or "data read error" in text:
        return InputError(f"'{path}' is cut short or damaged.", advice="Copy or download the file again.")
    return InputError(f"'{path}' is not a valid {ending_of(path)} image.", advice=READABLE_SENTENCE)


def _single_time_point(image: SimpleITK.Image, path: Path) -> SimpleITK.Image:
    """The image without trailing axes of length 1."""
    import SimpleITK as sitk

    size = list(image.GetSize())
    if len(size) <= 3:
        return image
    if max(size[3:]) > 1:
        count = int(np.prod(size[3:]))
        raise InputError(
            f"'{path}' is a {len(size)}D series of {count} volumes; one 3D volume is needed.",
            advice="Extract the volume you want into a file of its own.",
        )
    return sitk.Extract(image, size[:3] + [0] * (len(size) - 3), [0] * len(size))


def _refuse_2d(image: SimpleITK.Image, path: Path) -> None:
    size = image.GetSize()
    if len(size) < 3 or min(size) < 2:
        shown = " x ".join(map(str, size))
        raise InputError(f"'{path}' is a 2D picture ({shown}); a 3D volume is needed.", advice="Choose a 3D scan.")


def _refuse_wrong_kind(image: SimpleITK.Image, path: Path) -> None:
    import SimpleITK as sitk

    count = image.GetNumberOfComponentsPerPixel()
    if image.GetPixelID() in (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64):
        raise InputError(f"'{path}' holds complex numbers.", advice="Save the magnitude image and use that.")
    if count > 1:
        is_colour = count in (3, 4) and image.GetPixelID() == sitk.sitkVectorUInt8
        what = "is a colour picture" if is_colour else "is not a plain scan"
        raise InputError(
            f"'{path}' {what}: it has {count} values in each voxel, where one is needed.",
            advice="Choose the original greyscale scan, or extract one channel.",
        )
