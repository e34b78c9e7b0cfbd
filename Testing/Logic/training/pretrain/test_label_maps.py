"""Label maps are told from scans."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.training.pretrain.label_maps import looks_like_labels


def test_real_labels_and_real_images_are_told_apart(hippocampus_crops):
    for crop in hippocampus_crops:
        assert looks_like_labels(sitk.GetArrayFromImage(sitk.ReadImage(str(crop.labels))))
        assert not looks_like_labels(sitk.GetArrayFromImage(sitk.ReadImage(str(crop.image))))


def test_a_map_of_many_labels_is_one_in_whatever_type_it_was_saved():
    blocks = np.kron(np.arange(64).reshape(4, 4, 4), np.ones((6, 6, 6)))
    assert looks_like_labels(blocks.astype(np.uint8))
    assert looks_like_labels(blocks.astype(np.float32))


@pytest.mark.parametrize(
    "scan",
    [
        np.random.default_rng(0).integers(0, 256, (8, 20, 20)).astype(np.uint8),
        np.random.default_rng(0).integers(-1000, 400, (8, 20, 20)).astype(np.int16),
        np.random.default_rng(0).normal(size=(8, 20, 20)).astype(np.float32),
    ],
)
def test_a_scan_of_any_type_is_none(scan):
    assert not looks_like_labels(scan)


def test_a_map_whose_first_planes_are_empty_is_one():
    labels = np.zeros((40, 30, 30), np.uint8)
    labels[18:22, 10:20, 10:20] = 7
    assert looks_like_labels(labels)
