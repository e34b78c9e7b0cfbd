"""A data set, a network and a run small enough for a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.training.config import TrainingConfig, config_from_mapping
from Testing.few_crops import few_crops


@pytest.fixture
def a_mapping() -> dict:
    """The smallest run of the real network: patch 32 x 64 x 32, batch 1."""
    return {
        "name": "tiny",
        "data": {"labels": {1: "anterior", 2: "posterior"}},
        "network": {"arguments": {"in_channels": 1, "out_channels": 3, "feature_size": 12, "window_size": 4}},
        "patch_size": [32, 64, 32],
        "batch_size": 1,
        "total_steps": 4,
        "precision": "fp32",
        "device": "cpu",
        "schedule": {"kind": "cosine"},
        "keeping": {"worst_cases": 0},
        "optimiser": {"warm_up_steps": 2, "learning_rate": 1.0e-3},
        "validation": {"every_epochs": 1},
    }


@pytest.fixture
def a_config(a_mapping: dict) -> TrainingConfig:
    return config_from_mapping(a_mapping)


@pytest.fixture
def two_real_crops(hippocampus_folder: Path, tmp_path: Path) -> Path:
    """A data folder that points at the real crops, with a split of two to train on and one to validate on."""
    return few_crops(hippocampus_folder, tmp_path / "two_crops", train=2, val=1)


@pytest.fixture
def write_case(tmp_path: Path) -> Callable[..., Path]:
    """Write one synthetic case in the Decathlon layout; returns the data folder."""
    folder = tmp_path / "synthetic"
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True)

    def write(image: np.ndarray, label: np.ndarray, *, spacing: tuple = (1, 1, 1), direction: tuple = ()) -> Path:
        for array, where in ((image, "imagesTr"), (label, "labelsTr")):
            itk_image = sitk.GetImageFromArray(array)
            itk_image.SetSpacing(spacing)
            if direction:
                itk_image.SetDirection(direction)
            sitk.WriteImage(itk_image, str(folder / where / "case.nii.gz"))
        return folder

    return write
