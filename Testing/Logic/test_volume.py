"""A volume keeps voxels, place, modality and unit together."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.volume import Modality, Unit, Volume


def a_ct() -> Volume:
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    return Volume(array, Grid((3, 4, 5), (1.0, 2.0, 3.0), (4.0, 5.0, 6.0)), Modality.CT, Unit.HOUNSFIELD, "chest")


def test_the_way_through_simpleitk_changes_nothing():
    volume = a_ct()
    image = volume.to_sitk()
    assert image.GetPixel((4, 3, 2)) == volume.array[2, 3, 4]
    back = Volume.from_sitk(image, modality=Modality.CT, unit=Unit.HOUNSFIELD, name="chest")
    assert back.grid == volume.grid
    np.testing.assert_array_equal(back.array, volume.array)


@pytest.mark.parametrize(("dtype", "pixel"), [(bool, sitk.sitkUInt8), (np.float16, sitk.sitkFloat32)])
def test_types_that_itk_lacks_are_widened(dtype: type, pixel: int):
    assert a_ct().with_array(np.ones((3, 4, 5), dtype)).to_sitk().GetPixelID() == pixel


def test_an_array_that_does_not_fit_its_grid_is_refused():
    with pytest.raises(InputError, match="'chest' has an array of shape"):
        a_ct().with_array(np.zeros((3, 4, 6)))


def test_a_crop_is_a_view_at_its_place():
    volume = a_ct()
    crop = volume.crop(Box((1, 1, 1), (9, 9, 9)))
    assert crop.array.shape == (2, 3, 4)
    assert np.shares_memory(crop.array, volume.array)
    np.testing.assert_allclose(crop.grid.origin, volume.grid.lps_of(np.array([1, 1, 1])))
    assert crop.modality is Modality.CT


def test_other_values_may_carry_another_unit():
    assert a_ct().with_array(np.zeros((3, 4, 5)), unit=Unit.PROBABILITY).unit is Unit.PROBABILITY
    assert a_ct().with_array(np.zeros((3, 4, 5))).unit is Unit.HOUNSFIELD
