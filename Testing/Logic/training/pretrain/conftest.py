"""Folders of scans to look at, and a run small enough for a test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.training.pretrain.config import PretrainingConfig, pretraining_config_from_mapping

WriteScan = Callable[..., Path]


@pytest.fixture
def a_mapping() -> dict:
    """The smallest run of the real network: patch 32 x 64 x 32, one view a sample, encoder only."""
    return {
        "name": "tiny",
        "network": {"arguments": {"in_channels": 1, "out_channels": 3, "feature_size": 12, "window_size": 4}},
        "patch_size": [32, 64, 32],
        "batch_size": 1,
        "total_steps": 4,
        "checkpoint_steps": 2,
        "reconstruct_through": "encoder",
        "tasks": {"contrastive": 0},
        "optimiser": {"warm_up_steps": 2, "learning_rate": 1.0e-3},
    }


@pytest.fixture
def a_config(a_mapping: dict) -> PretrainingConfig:
    return pretraining_config_from_mapping(a_mapping)


@pytest.fixture
def write_scan(tmp_path: Path) -> WriteScan:
    """Write a scan of noise, or of the given voxels, below the folder ``scans``; returns its path."""

    def write(
        name: str,
        array: np.ndarray | None = None,
        *,
        shape: Sequence[int] = (20, 24, 22),
        spacing: Sequence[float] = (1, 1, 1),
        direction: Sequence[float] = (-1, 0, 0, 0, -1, 0, 0, 0, 1),
        seed: int = 0,
    ) -> Path:
        if array is None:
            array = (np.random.default_rng(seed).normal(size=shape) * 100 + 300).astype(np.int16)
        image = sitk.GetImageFromArray(array)
        image.SetSpacing([float(value) for value in spacing])
        image.SetDirection([float(value) for value in direction])
        path = tmp_path / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(path))
        return path

    return write
