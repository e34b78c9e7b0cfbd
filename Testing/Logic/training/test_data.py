"""Cases come in model space, normalised, image and label on the same voxels."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.decathlon import read_split
from MedSegAI.Logic.training.config import DataConfig
from MedSegAI.Logic.training.data import load_cases

CONFIG = DataConfig(labels={1: "anterior", 2: "posterior"})


@pytest.fixture
def an_image() -> np.ndarray:
    return np.random.default_rng(0).normal(100, 20, (6, 7, 8)).astype(np.float32)


@pytest.fixture
def a_label() -> np.ndarray:
    label = np.zeros((6, 7, 8), np.uint8)
    label[1, 2, 3], label[4, 5, 6] = 1, 2
    return label


def test_real_crops_come_normalised_with_their_labels(hippocampus_folder):
    names = read_split(hippocampus_folder / "split.json").train[:3]
    for name, case in zip(names, load_cases(hippocampus_folder, names, CONFIG)):
        assert case.name == name
        assert case.image.dtype == np.float32
        assert case.image.shape == case.label.shape
        assert case.image.mean() == pytest.approx(0, abs=1e-4)
        assert set(np.unique(case.label)) == {0, 1, 2}
        assert len(case.foreground) == np.count_nonzero(case.label)


def test_the_anterior_hippocampus_lies_in_front(hippocampus_folder):
    """j runs to Anterior: the axes are as the card promises."""
    (case,) = load_cases(hippocampus_folder, read_split(hippocampus_folder / "split.json").train[:1], CONFIG)
    assert np.argwhere(case.label == 1)[:, 1].mean() > np.argwhere(case.label == 2)[:, 1].mean() + 10


def test_the_real_split_shares_no_person(hippocampus_folder):
    """Ids 2k-1 and 2k are both sides of one person."""
    split = read_split(hippocampus_folder / "split.json")
    people = [{(int(name.split("_")[1]) + 1) // 2 for name in names} for names in (split.train, split.val)]
    assert not people[0] & people[1]


def test_an_image_stored_along_other_axes_is_turned(write_case, an_image, a_label):
    """Direction diag(-1, -1, 1) is Decathlon's; the identity (LPS) is the same head turned about k."""
    (turned,) = load_cases(write_case(an_image, a_label), ["case"], CONFIG)
    np.testing.assert_array_equal(turned.label, a_label[:, ::-1, ::-1])
    (straight,) = load_cases(write_case(an_image, a_label, direction=(-1, 0, 0, 0, -1, 0, 0, 0, 1)), ["case"], CONFIG)
    np.testing.assert_array_equal(straight.label, a_label)
    np.testing.assert_allclose(turned.image, straight.image[:, ::-1, ::-1], atol=1e-6)


def test_an_image_at_another_spacing_is_brought_to_the_models(write_case, an_image, a_label):
    a_label[0, :, :] = 2
    (case,) = load_cases(write_case(an_image, a_label, spacing=(1, 1, 2)), ["case"], CONFIG)
    assert case.image.shape == case.label.shape == (12, 7, 8)
    assert np.count_nonzero(case.label[:2] == 2) == 2 * 7 * 8


def test_a_label_of_another_shape_is_refused_with_a_sentence(write_case, an_image, a_label):
    folder = write_case(an_image, a_label[:, :, 1:])
    with pytest.raises(InputError, match=r"Image and label of 'case' do not lie on the same grid"):
        load_cases(folder, ["case"], CONFIG)


def test_an_unknown_label_value_is_refused_with_a_sentence(write_case, an_image, a_label):
    folder = write_case(an_image, a_label + np.uint8(5))
    with pytest.raises(InputError, match=r"label of 'case' holds the value 5, which"):
        load_cases(folder, ["case"], CONFIG)


def test_a_missing_case_is_refused_with_a_sentence(write_case, an_image, a_label):
    with pytest.raises(InputError, match=r"has no file for the case 'other'"):
        load_cases(write_case(an_image, a_label), ["other"], CONFIG)


def test_a_broken_image_is_refused_with_a_sentence(write_case, an_image, a_label):
    folder = write_case(an_image, a_label)
    (folder / "imagesTr" / "case.nii.gz").write_bytes(b"not an image")
    with pytest.raises(InputError, match=r"case.nii.gz"):
        load_cases(folder, ["case"], CONFIG)
