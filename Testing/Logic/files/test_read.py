"""Every scan that cannot be used is refused with one sentence; the others arrive with their geometry."""

from __future__ import annotations

import errno
import gzip
import os
import struct
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files import read as read_module
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Modality, Unit

from .conftest import checkerboard

ENDINGS = [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"]
SFORM_AT, FORM_CODES_AT, UNITS_AT = 280, 252, 123


@pytest.fixture
def make(tmp_path):
    """Write an array (its last axis is i) or raw bytes under a name."""

    def write(content, name="scan.nii.gz"):
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            sitk.WriteImage(content if isinstance(content, sitk.Image) else sitk.GetImageFromArray(content), path)
        return path

    return write


def nifti_bytes(path, *, sform=None, qform_code=1, sform_code=1, units=2):
    content = bytearray(gzip.decompress(path.read_bytes()))
    struct.pack_into("<2h", content, FORM_CODES_AT, qform_code, sform_code)
    if sform is not None:
        struct.pack_into("<12f", content, SFORM_AT, *np.ravel(sform))
    content[UNITS_AT] = units
    return bytes(content)


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_gives_the_same_voxels_at_the_same_place(a_crop, tmp_path, ending):
    image = sitk.ReadImage(a_crop)
    image.SetDirection((0, 0, -1, -1, 0, 0, 0, 1, 0))
    image.SetSpacing((0.7, 1.3, 2.9))
    image.SetOrigin((11.5, -40.25, 73.125))
    sitk.WriteImage(image, tmp_path / f"scan{ending}", useCompression=True)
    volume = read_volume(tmp_path / f"scan{ending}", modality=Modality.MR)
    np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(image))
    grid = Grid(volume.array.shape, image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    assert volume.grid.same_frame(grid)
    assert (volume.name, volume.modality, volume.unit) == ("scan", Modality.MR, Unit.ARBITRARY)


def test_the_place_agrees_with_nibabel(a_crop):
    volume = read_volume(a_crop)
    reference = nibabel.load(a_crop)
    np.testing.assert_allclose(volume.grid.index_to_ras, reference.affine, atol=1e-6)
    np.testing.assert_array_equal(volume.array, np.asarray(reference.dataobj).T)


def test_scale_and_slope_of_a_nifti_are_applied(make):
    image = nibabel.Nifti1Image(checkerboard((5, 6, 7)) * 100, np.eye(4))
    image.header.set_data_dtype(np.int16)
    image.header.set_slope_inter(0.5, -7)
    volume = read_volume(make(image.to_bytes(), "scan.nii"))
    assert set(np.unique(volume.array)) == {-7.0, 43.0}


def test_a_missing_file_is_refused(refused, tmp_path):
    assert "There is no file or folder" in refused(tmp_path / "nowhere.nii.gz")


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_empty_file_is_refused(refused, make, ending):
    assert "is empty (0 bytes)" in refused(make(b"", f"scan{ending}"))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("kept", [0.5, 0.97])
def test_a_truncated_file_is_refused_and_not_filled_with_zeros(refused, a_crop, tmp_path, ending, kept):
    path = tmp_path / f"scan{ending}"
    sitk.WriteImage(sitk.ReadImage(a_crop), path, useCompression=True)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "cut short or damaged" in refused(path)


@pytest.mark.parametrize("ending", [".nrrd", ".mha"])
def test_a_truncated_uncompressed_file_is_refused(refused, a_crop, tmp_path, ending):
    path = tmp_path / f"scan{ending}"
    sitk.WriteImage(sitk.ReadImage(a_crop), path, useCompression=False)
    path.write_bytes(path.read_bytes()[:-1])
    assert "of the 62,475 bytes" in refused(path) or "bytes of voxels its header promises" in refused(path)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_damaged_file_is_refused(refused, a_crop, tmp_path, ending):
    path = tmp_path / f"scan{ending}"
    sitk.WriteImage(sitk.ReadImage(a_crop), path, useCompression=True)
    content = bytearray(path.read_bytes())
    content[len(content) * 3 // 4] ^= 0xFF
    path.write_bytes(content)
    assert "damaged" in refused(path)


@pytest.mark.parametrize(("header", "voxels"), [(".nhdr", ".raw"), (".mhd", ".raw")])
def test_a_truncated_voxel_file_beside_its_header_is_refused(refused, a_crop, tmp_path, header, voxels):
    path = tmp_path / f"scan{header}"
    sitk.WriteImage(sitk.ReadImage(a_crop), path)
    (tmp_path / f"scan{voxels}").write_bytes(b"\0" * 100)
    assert "cut short or damaged" in refused(path)
    (tmp_path / f"scan{voxels}").unlink()
    assert "voxel file" in refused(path)


@pytest.mark.parametrize("ending", [".nii", ".nrrd", ".mha", ".nhdr", ".mhd"])
@pytest.mark.parametrize("content", [b"hello world " * 200, bytes(2000)])
def test_a_file_that_is_no_image_is_refused(refused, make, ending, content):
    assert "is not a valid" in refused(make(content, f"scan{ending}"))


@pytest.mark.parametrize("name", ["notes.txt", "picture.png", "scan"])
def test_an_unknown_ending_is_refused(refused, make, name):
    assert "is not a scan that can be read" in refused(make(b"hello", name))


@pytest.mark.parametrize("shape", [(20, 30), (1, 20, 30), (20, 1, 30)])
def test_a_2d_image_is_refused(refused, make, shape):
    assert "is a 2D picture" in refused(make(checkerboard(shape)))


def test_a_4d_image_is_refused_with_its_count(refused, make):
    image = sitk.JoinSeries([sitk.GetImageFromArray(checkerboard((5, 6, 7)))] * 3)
    assert "4D series of 3 volumes" in refused(make(image, "scan.nii.gz"))


def test_a_4d_image_of_one_time_point_is_read_as_3d(make):
    array = checkerboard((5, 6, 7))
    volume = read_volume(make(sitk.JoinSeries([sitk.GetImageFromArray(array)]), "scan.nii.gz"))
    np.testing.assert_array_equal(volume.array, array)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_a_colour_image_is_refused(refused, make, ending):
    array = np.repeat(checkerboard((5, 6, 7), np.uint8)[..., None], 3, axis=-1)
    assert "is a colour picture" in refused(make(sitk.GetImageFromArray(array, isVector=True), f"scan{ending}"))


def test_several_values_in_a_voxel_are_refused(refused, make):
    array = np.repeat(checkerboard((5, 6, 7))[..., None], 6, axis=-1)
    assert "6 values in each voxel" in refused(make(sitk.GetImageFromArray(array, isVector=True), "scan.nrrd"))


def test_complex_numbers_are_refused(refused, make):
    image = nibabel.Nifti1Image(checkerboard((5, 6, 7)).astype(np.complex64), np.eye(4))
    assert "complex numbers" in refused(make(image.to_bytes(), "scan.nii"))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("count", [1, 210])
@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_voxels_that_are_no_numbers_are_refused_with_their_count(refused, make, bad, count, ending, dtype):
    array = checkerboard((5, 6, 7), dtype)
    array.flat[:count] = bad
    assert f"has {count} voxels of 210 that are not finite" in refused(make(array, f"scan{ending}"))


@pytest.mark.parametrize("value", [0, 42])
def test_an_image_of_one_value_is_refused(refused, make, value):
    assert f"every voxel has the value {value}" in refused(make(np.full((5, 6, 7), value, np.int16)))


SHEARED = [[1, 0.5, 0, 5], [0, 1, 0, 6], [0, 0, 1, 7]]
NOT_A_NUMBER = [[np.nan, 0, 0, 5], [0, 1, 0, 6], [0, 0, 1, 7]]


@pytest.mark.parametrize("qform_code", [0, 1])
@pytest.mark.parametrize("sform", [SHEARED, np.zeros((3, 4)), NOT_A_NUMBER])
def test_a_nifti_matrix_that_itk_would_drop_is_refused(refused, make, a_crop, sform, qform_code):
    path = make(nifti_bytes(a_crop, sform=sform, qform_code=qform_code), "scan.nii")
    assert "not perpendicular" in refused(path)


def test_shear_by_rounding_is_accepted(make, a_crop):
    rounded = [[1, 0.002, 0, 5], [0, 1, 0, 6], [0, 0, 1, 7]]
    volume = read_volume(make(nifti_bytes(a_crop, sform=rounded, qform_code=0), "scan.nii"))
    np.testing.assert_allclose(volume.grid.origin, (-5, -6, 7), atol=1e-5)


def test_a_nifti_without_orientation_is_read_with_a_warning(make, a_crop, caplog):
    read_volume(make(nifti_bytes(a_crop, qform_code=0, sform_code=0), "scan.nii"))
    assert "left and right may be swapped" in caplog.text


def test_spacing_in_the_wrong_unit_is_refused(refused, make, a_crop):
    metres = 1
    assert "its spacing is not in millimetres" in refused(make(nifti_bytes(a_crop, units=metres), "scan.nii"))


def test_a_zero_spacing_is_refused(refused, make, a_crop):
    path = make(sitk.ReadImage(a_crop), "scan.mha")
    path.write_bytes(path.read_bytes().replace(b"ElementSpacing = 1 1 1", b"ElementSpacing = 0 1 1"))
    refused(path)


def test_an_unreadable_file_is_refused_by_its_permissions(refused, a_crop, monkeypatch):
    def forbidden(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(read_module, "refuse_broken", forbidden)
    assert "no permission" in refused(a_crop)


def test_a_failing_disk_is_reported(refused, a_crop, monkeypatch):
    def failing(path):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(read_module, "refuse_broken", failing)
    assert os.strerror(errno.EIO) in refused(a_crop)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")
def test_a_file_of_somebody_else_is_refused(make):
    path = make(checkerboard((5, 6, 7)))
    path.chmod(0)
    script = (
        "import os, sys\n"
        "from MedSegAI.Logic.files.read import read_volume\n"
        "import SimpleITK\n"
        "os.seteuid(65534)\n"
        "try:\n    read_volume(sys.argv[1])\n"
        "except Exception as error:\n    print(error)\n"
    )
    for folder in [path.parent, *list(path.parent.parents)[:3]]:
        folder.chmod(folder.stat().st_mode | 0o055)
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, cwd=root, check=True)
    assert "may not be read: no permission" in done.stdout


def test_hounsfield_units_need_a_ct_with_values_below_zero(data_folder):
    path = data_folder / "totalseg_ct" / "example_ct_sm.nii.gz"
    assert read_volume(path, modality=Modality.CT).unit is Unit.HOUNSFIELD
    assert read_volume(path).unit is Unit.ARBITRARY
    mask = data_folder / "totalseg_ct" / "example_seg.nii.gz"
    assert read_volume(mask, modality=Modality.CT).unit is Unit.ARBITRARY


def test_a_big_endian_nifti_is_read_and_its_nan_are_seen(refused, make):
    array = checkerboard((5, 6, 7)) * 1000
    header = nibabel.Nifti1Header(endianness=">")
    content = nibabel.Nifti1Image(array.T, np.eye(4), header).to_bytes()
    assert content[:4] == struct.pack(">i", 348)
    np.testing.assert_array_equal(read_volume(make(content, "scan.nii")).array, array)
    array[2, 3, 4] = np.nan
    content = nibabel.Nifti1Image(array.T, np.eye(4), header).to_bytes()
    assert "has 1 voxels of 210" in refused(make(content, "scan.nii"))


def test_a_nifti_2_file_is_refused_by_name(refused, make):
    assert "NIfTI-2" in refused(make(nibabel.Nifti2Image(checkerboard((7, 6, 5)), np.eye(4)).to_bytes(), "scan.nii"))
