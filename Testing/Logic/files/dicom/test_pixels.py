"""Stored pixels come out the same however they are encoded, and damaged ones are refused."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLSLossless,
    RLELossless,
)

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.headers import read_headers
from MedSegAI.Logic.files.dicom.pixels import missing_bytes, pixel_layout, stored_planes
from MedSegAI.Logic.files.dicom.planes import Plane, planes_of
from MedSegAI.Logic.files.read import read_volume
from Testing.synthetic_series import a_pattern, edit, write_series

UNCOMPRESSED = "MR_small.dcm"
SAME_PICTURE = (
    "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_expb.dcm", "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_padded.dcm",
)  # fmt: skip


def planes(path):
    (file,) = read_headers([path]).files
    return planes_of(file)


def carried(name):
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom does not carry {name}")
    return Path(path)


@pytest.mark.parametrize("name", SAME_PICTURE)
def test_every_encoding_of_one_picture_gives_the_same_pixels(name):
    expected = pydicom.dcmread(carried(UNCOMPRESSED)).pixel_array
    found = stored_planes(planes(carried(name)))
    assert found.dtype == expected.dtype == np.int16
    np.testing.assert_array_equal(found[0], expected)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_what_pydicom_compressed_is_read_as_it_was(tmp_path, syntax, dtype):
    array = a_pattern((3, 20, 16), low=0 if dtype[0] == "u" else -900, high=200).astype(dtype)
    paths = write_series(tmp_path / "series", array, intercept=0 if dtype == "u1" else -7)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path)
    np.testing.assert_array_equal(
        read_volume(tmp_path / "series").array, array.astype(int) + (0 if dtype == "u1" else -7)
    )


@pytest.mark.parametrize("tool", [["dcmcjpeg", "+e1"], ["dcmcjpeg", "+el"], ["dcmcjpls"], ["dcmcrle"]])
def test_what_another_program_compressed_is_read_as_it_was(tmp_path, tool):
    if shutil.which(tool[0]) is None:
        pytest.skip(f"{tool[0]} is not installed")
    array = a_pattern((3, 20, 16), low=-500, high=3000)
    for path in write_series(tmp_path / "series", array):
        subprocess.run([*tool, path, path.with_suffix(".new")], check=True, capture_output=True)
        path.with_suffix(".new").replace(path)
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID.is_encapsulated
    np.testing.assert_array_equal(read_volume(tmp_path / "series").array, array.astype(int) - 1024)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_every_uncompressed_encoding_is_read(tmp_path, syntax):
    array = a_pattern((3, 20, 16))
    for path in write_series(tmp_path / "series", array):
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pydicom.dcmwrite(path, dataset, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
    np.testing.assert_array_equal(read_volume(tmp_path / "series").array, array.astype(int) - 1024)


@pytest.mark.parametrize("keep", [0, None])
def test_files_without_preamble_are_read(tmp_path, keep):
    """Old exports begin at once, with the file's meta information or even with the data set."""
    array = a_pattern((3, 20, 16))
    for path in write_series(tmp_path / "series", array):
        dataset = pydicom.dcmread(path)
        content = path.read_bytes()[132:]
        if keep is None:
            content = content[content.index(b"\x08\x00\x08\x00CS") :]
        path.write_bytes(content)
        assert dataset.Rows == 20
    np.testing.assert_array_equal(read_volume(tmp_path / "series").array, array.astype(int) - 1024)
    np.testing.assert_array_equal(read_volume(path).array, array.astype(int) - 1024)


@pytest.mark.parametrize("name", ["JPEG2000.dcm", "JPGExtended.dcm", "JPEG-lossy.dcm"])
def test_lossy_pictures_of_other_scanners_are_decoded(name):
    """pydicom's own files: some have no place in the patient, but all have pixels that GDCM decodes."""
    (file,) = read_headers([carried(name)]).files
    place = np.zeros(3)
    found = stored_planes(
        [Plane(file, 0, place, np.eye(3), (1.0, 1.0), (file.header.Columns, file.header.Rows), None, "")]
    )
    assert found.shape == (1, file.header.Rows, file.header.Columns)
    assert found.std() > 0


def test_bits_above_the_used_ones_are_no_part_of_the_value(tmp_path):
    """Old scanners kept overlays there."""
    array = a_pattern((3, 20, 16), high=4000).astype(np.uint16)
    paths = write_series(tmp_path / "series", array | 0x9000)
    for path in paths:
        edit(path, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(read_volume(tmp_path / "series").array, array.astype(int) - 1024)


def test_signed_values_of_twelve_bits_keep_their_sign(tmp_path):
    array = a_pattern((3, 20, 16), low=-2000, high=2000)
    paths = write_series(tmp_path / "series", (array & 0x0FFF).astype(np.uint16), intercept=0)
    for path in paths:
        edit(path, BitsStored=12, HighBit=11, PixelRepresentation=1)
    np.testing.assert_array_equal(read_volume(tmp_path / "series").array, array)


def test_a_file_that_is_cut_short_is_refused_with_its_name(tmp_path):
    paths = write_series(tmp_path / "series", a_pattern((3, 20, 16)))
    paths[1].write_bytes(paths[1].read_bytes()[:-10])
    (file,) = read_headers([paths[1]]).files
    assert missing_bytes(file) == 10
    with pytest.raises(InputError, match=r"The pixels of '001\.dcm' could not be read: the file is cut short"):
        read_volume(tmp_path / "series")


def test_a_compressed_file_that_is_cut_short_is_refused_with_its_name(tmp_path):
    paths = write_series(tmp_path / "series", a_pattern((3, 20, 16)))
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.compress(JPEGLSLossless, generate_instance_uid=False)
        dataset.save_as(path)
    content = paths[1].read_bytes()
    paths[1].write_bytes(content[:-200])
    with pytest.raises(InputError, match=r"'001\.dcm'.*(cut short|cannot be decoded)"):
        read_volume(tmp_path / "series")


@pytest.mark.parametrize("bits", [{"BitsAllocated": 12}, {"BitsStored": 17}, {"HighBit": 16}])
def test_impossible_numbers_of_bits_are_refused(tmp_path, bits):
    (path, *_) = write_series(tmp_path / "series", a_pattern((3, 20, 16)))
    edit(path, **bits)
    (file,) = read_headers([path]).files
    with pytest.raises(InputError, match="bits a pixel, which is not supported"):
        pixel_layout(file)


@pytest.mark.parametrize(
    ("keyword", "kind", "bits"), [("FloatPixelData", "<f4", 32), ("DoubleFloatPixelData", "<f8", 64)]
)
def test_numbers_with_a_point_are_read(tmp_path, keyword, kind, bits):
    """As a parametric map stores them."""
    array = a_pattern((3, 20, 16)) / 7
    paths = write_series(tmp_path / "series", array.astype(np.int16), modality="MR", intercept=0)
    for plane, path in zip(array, paths):
        edit(path, **{keyword: plane.astype(kind).tobytes()}, BitsAllocated=bits, PixelData=None)
    found = read_volume(tmp_path / "series").array
    assert found.dtype == np.dtype(kind)
    np.testing.assert_array_equal(found, array.astype(kind))
