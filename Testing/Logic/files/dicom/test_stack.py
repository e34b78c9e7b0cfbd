"""Slices are stacked where they lie; what leaves a gap, doubles a place or leans is refused; scouts are left out."""

from __future__ import annotations

import shutil

import numpy as np
import pydicom

from MedSegAI.Logic.files.read import read_volume
from Testing.synthetic_series import a_pattern, edit, write_series


def test_a_missing_slice_is_named_by_its_neighbours(refused, a_series):
    folder, files = a_series
    files[10].unlink()
    problem = refused(folder)
    assert "A slice is missing" in problem
    assert f"between '{files[9].name}' and '{files[11].name}'" in problem
    assert "2.00 mm apart, the others 1.00 mm" in problem


def test_uneven_slices_are_refused(refused, a_series):
    folder, files = a_series
    x, y, z = pydicom.dcmread(files[10]).ImagePositionPatient
    edit(files[10], ImagePositionPatient=[x, y, float(z) - 0.5])
    assert "unevenly spaced" in refused(folder)


def test_copies_are_left_out_and_named(a_series):
    folder, files = a_series
    before = read_volume(folder)
    shutil.copy(files[3], folder / "copy.dcm")
    after = read_volume(folder)
    np.testing.assert_array_equal(after.array, before.array)
    (record,) = after.steps
    assert record.step == "leave-out-images"
    assert "1 image is there twice" in record.sentence


def test_another_picture_at_the_same_place_is_refused(refused, a_series):
    folder, files = a_series
    shutil.copy(files[3], folder / "other.dcm")
    pixels = bytearray(pydicom.dcmread(files[3]).PixelData)
    pixels[0] ^= 1
    edit(folder / "other.dcm", PixelData=bytes(pixels))
    assert "several images at one place" in refused(folder)


def test_a_drift_of_less_than_half_a_pixel_is_rounding(a_series):
    folder, files = a_series
    for number, path in enumerate(files):
        x, y, z = pydicom.dcmread(path).ImagePositionPatient
        edit(path, ImagePositionPatient=[x, float(y) + 0.015 * number, z])
    assert read_volume(folder).steps == ()


def test_a_slice_out_of_line_is_refused(refused, a_series):
    folder, files = a_series
    x, y, z = pydicom.dcmread(files[9]).ImagePositionPatient
    edit(files[9], ImagePositionPatient=[float(x) + 3, y, z])
    problem = refused(folder)
    assert f"not stacked straight: '{files[9].name}' is shifted sideways by 3.00 mm" in problem


def test_slightly_uneven_slices_are_taken_as_even_with_a_note(tmp_path):
    def uneven(dataset, k):
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, float(z) + (0.2 if k == 3 else 0)]

    write_series(tmp_path / "series", a_pattern(), change=uneven)
    (record,) = read_volume(tmp_path / "series").steps
    assert "'003.dcm' lies 0.20 mm off its even place" in record.sentence


def test_steadily_growing_steps_are_refused(refused, tmp_path):
    def growing(dataset, k):
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, float(z) + 0.06 * k * k]

    write_series(tmp_path / "series", a_pattern(), change=growing)
    assert "The slices are unevenly spaced in the series 'Synthetic CT'" in refused(tmp_path / "series")


def test_a_scout_among_the_slices_is_left_out_and_named(a_series):
    folder, files = a_series
    edit(files[0], ImageOrientationPatient=[0, 1, 0, 0, 0, 1])
    volume = read_volume(folder)
    assert volume.grid.shape[0] == len(files) - 1
    assert f"'{files[0].name}' was left out: in another direction" in volume.steps[0].sentence


def test_a_scout_of_another_size_is_left_out_and_named(a_series):
    folder, files = a_series
    edit(files[0], PixelSpacing=[2, 2])
    assert f"'{files[0].name}' was left out: of another size" in read_volume(folder).steps[0].sentence


def test_an_image_of_another_size_within_the_stack_leaves_a_gap_and_is_refused(refused, a_series):
    folder, files = a_series
    edit(files[10], PixelSpacing=[2, 2])
    assert "A slice is missing" in refused(folder)


def test_rows_and_columns_that_are_not_perpendicular_are_refused(refused, tmp_path):
    def change(dataset, k):
        dataset.ImageOrientationPatient = [1, 0, 0, 0.2, 1, 0]

    write_series(tmp_path / "series", a_pattern(), change=change)
    assert "are not perpendicular unit vectors" in refused(tmp_path / "series")
