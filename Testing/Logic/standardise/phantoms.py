"""Scans whose every tissue, offset and bias field is known."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Modality, Unit, Volume

AIR, LUNG, FAT, MUSCLE, BONE = -1000.0, -820.0, -100.0, 50.0, 700.0


def grid_of(shape, spacing=(1.0, 1.0, 1.0)) -> Grid:
    return Grid(tuple(shape), spacing)


def volume_of(array, *, modality=Modality.UNKNOWN, unit=Unit.ARBITRARY, name="scan") -> Volume:
    array = np.asarray(array)
    return Volume(array, grid_of(array.shape), modality, unit, name)


def mr_of(array) -> Volume:
    return volume_of(array, modality=Modality.MR)


def ball(shape, radius: float, middle=(0.5, 0.5, 0.5)) -> np.ndarray:
    """bool (k, j, i): an ellipsoid; radius and middle as parts of the sides."""
    axes = np.ogrid[tuple(slice(0, side) for side in shape)]
    return sum(((axis / side - at) / radius) ** 2 for axis, side, at in zip(axes, shape, middle)) <= 1


def ct_array(offset: float = 0.0, *, shape=(24, 80, 80), noise: float = 8.0, dtype=np.int16) -> np.ndarray:
    """A body of fat and muscle with two lungs and a spine in air, HU plus ``offset``, with Gaussian noise."""
    rng = np.random.default_rng(1)
    hu = np.full(shape, AIR)
    hu[ball(shape, 0.42) | ball((1, *shape[1:]), 0.42, (0, 0.5, 0.5))] = FAT
    hu[np.broadcast_to(ball((1, *shape[1:]), 0.33, (0, 0.5, 0.5)), shape)] = MUSCLE
    for side in (0.35, 0.65):
        hu[ball(shape, 0.12, (0.5, 0.45, side))] = LUNG
    hu[:, shape[1] * 7 // 10 : shape[1] * 7 // 10 + 5, shape[2] // 2 - 3 : shape[2] // 2 + 3] = BONE
    # Borders share voxels, as in every scanner.
    hu = gaussian_filter(hu, (0, 0.6, 0.6), mode="nearest")
    return np.rint(hu + offset + noise * rng.standard_normal(shape)).astype(dtype)


def ct_of(array, unit=Unit.HOUNSFIELD) -> Volume:
    return volume_of(array, modality=Modality.CT, unit=unit, name="body")


def head_array(shape=(40, 48, 44), *, noise: float = 4.0) -> np.ndarray:
    """float32: an MR-like head of three tissues (200, 300, 400) in a dark background."""
    rng = np.random.default_rng(2)
    values = np.zeros(shape)
    values[ball(shape, 0.44)] = 200
    values[ball(shape, 0.36)] = 300
    values[ball(shape, 0.24, (0.5, 0.45, 0.5))] = 400
    return np.abs(values + noise * rng.standard_normal(shape)).astype(np.float32)


def folded_head_array(shape, *, noise: float = 6.0) -> np.ndarray:
    """float32: a head whose two tissues (300, 400) are folded into each other everywhere, as grey and white matter."""
    k, j, i = np.ogrid[tuple(slice(0, side) for side in shape)]
    folds = np.sin(k / 2.3) + np.sin(j / 2.9) + np.sin(i / 2.6) > 0
    values = np.where(ball(shape, 0.44), np.where(folds, 400, 300), 0)
    return np.abs(values + noise * np.random.default_rng(3).standard_normal(shape)).astype(np.float32)


def smooth_field(shape, strength: float = 0.3) -> np.ndarray:
    """float32: a slow factor around 1, bright at one corner, as beside a surface coil."""
    k, j, i = (np.linspace(-1, 1, side) for side in shape)
    log = strength * (0.6 * k[:, None, None] + j[None, :, None] * 0.8 - 0.5 * i[None, None, :] ** 2)
    return np.exp(log).astype(np.float32)
