from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.standardise.ct.landmarks import ct_landmarks
from Testing.Logic.standardise.phantoms import ct_array, ct_of


def test_air_fat_and_soft_tissue_of_a_body_are_measured():
    found = ct_landmarks(ct_of(ct_array(10)), 60)
    assert (found.air, found.fat, found.soft_tissue) == pytest.approx((-990, -90, 60), abs=1.5)
    assert [name for name, _, _ in found.witnesses()] == ["fat", "soft tissue"]
    assert 0.1 < found.air_share < 0.5


def test_a_phantom_of_water_has_one_witness():
    array = np.random.default_rng(0).normal(-1000, 8, (10, 60, 60))
    array[:, 15:45, 15:45] += 1000
    found = ct_landmarks(ct_of(array.astype(np.int16)), 60)
    assert [name for name, _, _ in found.witnesses()] == ["soft tissue"]
    assert found.fat is None and found.soft_tissue == pytest.approx(0, abs=1)


def test_a_few_fill_values_at_the_lower_end_are_no_cut():
    array = np.maximum(ct_array(noise=12), -1024)
    assert ct_landmarks(ct_of(array), 60).air == pytest.approx(-1000, abs=1)


def test_half_of_the_air_at_the_lower_end_is_a_cut():
    with pytest.raises(InputError, match="cut off at -1004 HU"):
        ct_landmarks(ct_of(np.maximum(ct_array(), -1004)), 60)


def test_a_real_head_holder_is_not_taken_for_the_air(data_folder):
    volume = read_volume(data_folder / "invesalius_ct_head" / "ct_head_hu.nii.gz")
    found = ct_landmarks(volume, 60)
    assert found.air == pytest.approx(-999.7, abs=0.2)
    assert found.soft_tissue == pytest.approx(23, abs=2)
