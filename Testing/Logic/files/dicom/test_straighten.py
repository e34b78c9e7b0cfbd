"""A CT taken with a tilted gantry comes back straight, and every structure at its place in the patient."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.dicom.open_planes import open_dicom_planes
from MedSegAI.Logic.files.read import read_volume
from Testing.synthetic_series import a_pattern, write_series

TABLE_STEP_MM = 3.0
SHAPE = (16, 48, 40)
PIXEL_MM = (1.1, 0.9)
ORIGIN = np.array([-20.0, -25.0, 5.0])


def tilted(degrees, *, sideways=0.0):
    """What ``write_series`` needs for slices tilted about the left-right axis while the table moves along the body."""
    angle = np.radians(degrees)
    column = np.array([0.0, np.cos(angle), np.sin(angle)])
    shift = TABLE_STEP_MM * np.sin(angle) * column + np.array([sideways, 0, 0])
    return {
        "axes": ((1.0, 0.0, 0.0), tuple(column)),
        "spacing": (*PIXEL_MM, TABLE_STEP_MM * np.cos(angle)),
        "shift": tuple(shift),
        "origin": tuple(ORIGIN),
    }


def places(settings):
    """LPS (k, j, i, 3) of every stored pixel, by DICOM's own formula."""
    k, j, i = np.indices(SHAPE)
    rows, columns = (np.array(axis) for axis in settings["axes"])
    step = settings["spacing"][2] * np.cross(rows, columns) + np.array(settings["shift"])
    return ORIGIN + k[..., None] * step + j[..., None] * PIXEL_MM[1] * columns + i[..., None] * PIXEL_MM[0] * rows


def ramp(lps):
    """A linear function of the place, which linear interpolation leaves exact but for rounding."""
    return np.rint(1500 + lps @ [7.0, -9.0, 11.0]).astype(np.int16)


def ball(lps, centre, radius):
    return np.where(np.linalg.norm(lps - centre, axis=-1) < radius, 1124, 24).astype(np.int16)


def inside(volume, settings):
    """Voxels of a straight grid that lie within the tilted stack, away from its edge."""
    k, j, i = np.indices(volume.grid.shape)
    lps = volume.grid.lps_of(np.stack([k, j, i], -1))
    rows, columns = (np.array(axis) for axis in settings["axes"])
    beside = lps - places(settings)[:, :1, :1]
    across, down = beside @ rows / PIXEL_MM[0], beside @ columns / PIXEL_MM[1]
    return (across > 0.01) & (across < SHAPE[2] - 1.01) & (down > 0.01) & (down < SHAPE[1] - 1.01), lps


@pytest.mark.parametrize("degrees", [-24, 3, 18])
def test_every_voxel_has_the_value_of_its_place(tmp_path, degrees):
    settings = tilted(degrees, sideways=0.15)
    write_series(tmp_path / "ct", ramp(places(settings)), **settings)
    volume = read_volume(tmp_path / "ct")
    within, lps = inside(volume, settings)
    assert within.mean() > 0.5
    assert np.abs(volume.array[within] + 1024 - ramp(lps[within])).max() <= 1
    assert volume.array[~within].min() == -1024
    record = volume.steps[-1]
    assert record.step == "straighten-gantry-tilt"
    angle = np.arctan2(np.linalg.norm(settings["shift"]), settings["spacing"][2])
    assert record.figures["tilt_degrees"] == pytest.approx(np.degrees(angle))
    assert "within its own plane" in record.sentence


def test_no_pixel_is_lost(tmp_path):
    settings = tilted(18)
    array = np.full(SHAPE, 24, np.int16)
    array[0, :, 0], array[-1, :, -1] = 1524, 1524
    write_series(tmp_path / "ct", array, **settings)
    straight = read_volume(tmp_path / "ct").array.astype(float) + 1000
    assert straight[0].clip(0).sum() == pytest.approx(48 * 1500, rel=0.02)
    assert straight[-1].clip(0).sum() == pytest.approx(48 * 1500, rel=0.02)


def test_a_ball_is_a_ball_at_its_place(tmp_path):
    settings = tilted(20)
    lps = places(settings)
    centre = lps[8, 24, 20]
    write_series(tmp_path / "ct", ball(lps, centre, 12.0), **settings)
    volume = read_volume(tmp_path / "ct")
    assert volume.grid.direction_matrix[:, 2] == pytest.approx([0, -np.sin(np.radians(20)), np.cos(np.radians(20))])
    bright = np.argwhere(volume.array > -450)
    found = volume.grid.lps_of(bright)
    assert found.mean(0) == pytest.approx(centre, abs=0.15)
    spread = np.sqrt(np.linalg.eigvalsh(np.cov((found - centre).T)))
    assert spread == pytest.approx([12 / np.sqrt(5)] * 3, rel=0.04)
    assert len(bright) * volume.grid.voxel_volume_ml == pytest.approx(4 / 3 * np.pi * 1.2**3, rel=0.03)


def test_it_is_what_itk_gives_for_the_sheared_image(tmp_path):
    """ITK knows no sheared image, so the shear goes into the transform of its resampling."""
    settings = tilted(18)
    stored = a_pattern(SHAPE)
    write_series(tmp_path / "ct", stored, **settings)
    volume = read_volume(tmp_path / "ct")
    straight = sitk.GetImageFromArray(stored.astype(np.float32) - 1024)
    straight.SetSpacing(settings["spacing"])
    straight.SetOrigin(tuple(ORIGIN))
    rows, columns = (np.array(axis) for axis in settings["axes"])
    normal = np.cross(rows, columns)
    straight.SetDirection(np.column_stack([rows, columns, normal]).ravel().tolist())
    # A point of the straight grid at height h is taken from where the sheared stack keeps it: shifted back by h.
    shear = np.eye(3) - np.outer(settings["shift"], normal) / settings["spacing"][2]
    transform = sitk.AffineTransform(shear.ravel().tolist(), [0.0, 0.0, 0.0], ORIGIN.tolist())
    grid = volume.grid
    expected = sitk.GetArrayFromImage(
        sitk.Resample(straight, grid.size, transform, sitk.sitkLinear, grid.origin, grid.spacing, grid.direction, -1024)
    )
    within, _ = inside(volume, settings)
    # Half a unit of rounding, and what ITK's place of the very plane differs by.
    assert np.abs(volume.array - expected)[within].max() < 0.6


def test_the_size_is_told_before_it_is_read(tmp_path):
    settings = tilted(18)
    write_series(tmp_path / "ct", a_pattern(SHAPE), **settings)
    (found,) = find_series(tmp_path)
    volume = read_volume(tmp_path / "ct")
    assert found.size == volume.grid.size
    assert found.size[1] > SHAPE[1] and found.size[0] == SHAPE[2]
    assert "tilted by 18.0 degrees" in found.notes[-1]


def test_it_cannot_be_opened_plane_by_plane(tmp_path):
    write_series(tmp_path / "ct", a_pattern(SHAPE), **tilted(10))
    with pytest.raises(InputError, match=r"tilted by 10\.0 degrees"):
        open_dicom_planes(tmp_path / "ct")


def test_an_mr_of_real_numbers_is_straightened_too(tmp_path):
    settings = tilted(12)
    write_series(tmp_path / "mr", ramp(places(settings)), modality="MR", slope=0.5, intercept=0, **settings)
    volume = read_volume(tmp_path / "mr")
    within, lps = inside(volume, settings)
    assert volume.array.dtype == np.float32
    assert np.abs(volume.array[within] - (1500 + lps[within] @ [7.0, -9.0, 11.0]) / 2).max() < 0.5
