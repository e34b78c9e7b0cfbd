"""Made-up nodules in the form of both real sets, small enough to train on in a test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.training.nodules.case import NoduleCase, Source
from MedSegAI.Logic.training.nodules.reference import consensus_of
from MedSegAI.Logic.training.nodules.two_modes import LUNG_HU, SOFT_TISSUE_HU

SIDE = 51


def ball(shape: tuple[int, int, int], centre: tuple[float, float, float], radius: float) -> np.ndarray:
    """uint8 (k, j, i): 1 within ``radius`` of ``centre``."""
    grids = np.indices(shape)
    return (sum((grid - at) ** 2 for grid, at in zip(grids, centre)) <= radius**2).astype(np.uint8)


def nodule_case(
    *,
    shape: tuple[int, int, int] = (40, 40, 40),
    centre: tuple[float, float, float] = (20.0, 20.0, 20.0),
    radii: tuple[float, ...] = (5.0, 6.0, 7.0),
    source: Source = Source.CUBES,
) -> NoduleCase:
    """A bright ball in lung that each reader drew with a radius of his own; the middle one is what the CT shows."""
    readers = np.stack([ball(shape, centre, radius) for radius in radii])
    shown = readers[len(radii) // 2]
    hu = np.where(shown, SOFT_TISSUE_HU, LUNG_HU).astype(np.float32)
    return NoduleCase("a", "patient", source, hu, readers, consensus_of(readers))


@pytest.fixture(scope="session")
def small_sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both sets in their real form: three cubes and four nodules, one of each for validation."""
    folder = tmp_path_factory.mktemp("nodules")
    _write_cubes(folder / "lidc_cubes_ct")
    _write_slices(folder / "lidc_nodules_ct")
    return folder


def _write_cubes(folder: Path) -> None:
    """Axis 3 runs along the patient there: the ball is drawn as an ellipsoid so that a mix-up would show."""
    folder.mkdir()
    masks = np.stack([_long_ball(radius) for radius in (4, 5, 6)])
    bits = np.stack([mask | _long_ball(radius + 1) << 1 | mask << 2 for mask, radius in zip(masks, (4, 5, 6))])
    hu = np.where(masks, 30, -860).astype(np.int16)
    np.savez(folder / "lidc_cubes_ct.npz", hu=hu, mask=masks, rater_bits=bits)
    entries = [
        {"patient": f"P{number}", "split": split, "mask_rater_index": 0, "rater_align_dice": align}
        for number, (split, align) in enumerate([("train", 0.9), ("val", 0.95), ("train", 0.5)])
    ]
    (folder / "index.json").write_text(json.dumps(entries))


def _long_ball(radius: int) -> np.ndarray:
    i, j, k = np.indices((SIDE, SIDE, SIDE)) - SIDE // 2
    return (i**2 + j**2 + (k / 2) ** 2 <= radius**2).astype(np.uint8)


def _write_slices(folder: Path) -> None:
    folder.mkdir()
    drawn = ball((4, 96, 96), (1.5, 48, 48), 6)
    image = np.where(drawn, 126, 18).astype(np.uint8)
    image[:, :, :30] = 126
    bits = drawn | ball((4, 96, 96), (1.5, 48, 48), 5) << 1 | drawn << 2
    images, masks = np.concatenate([image] * 4), np.concatenate([bits] * 4)
    masks[12:] &= 1
    np.savez(folder / "lidc_nodules_ct.npz", images=images, masks_bits=masks)
    common = {"n_slices": 4, "pixel_spacing": 0.8, "slice_spacing": 2.5, "n_raters": 3, "scan_id": 1}
    splits = ["train", "val", "train", "train"]
    entries = [
        common | {"patient": f"P{number}", "nodule": number, "start": 4 * number, "split": split}
        for number, split in enumerate(splits)
    ]
    (folder / "index.json").write_text(json.dumps(entries))
