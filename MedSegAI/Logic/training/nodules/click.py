"""Where someone clicks who means a nodule: somewhere in it, not always in its middle."""

from __future__ import annotations

import numpy as np
import torch

from MedSegAI.Logic.training.nodules.case import NoduleCase


def click_at(case: NoduleCase, *, error: float, direction: np.ndarray) -> np.ndarray:
    """A click that misses the middle by a share of the nodule's radius.

    Args:
        case: The nodule.
        error: 0 for the centre of mass, 1 for the surface of the ellipsoid that fills the nodule's bounding box.
        direction: Unit vector (k, j, i) in which the click misses, before the ellipsoid stretches it.

    Returns:
        Position (k, j, i) in voxels, fractions allowed.
    """
    return case.centre + error * np.asarray(direction) * case.half_axes


def random_click(case: NoduleCase, *, largest_error: float, generator: torch.Generator) -> np.ndarray:
    """A click whose error is equally likely to be any share from 0 to ``largest_error``, in any direction.

    Returns:
        Position (k, j, i) in voxels, fractions allowed.
    """
    error = float(torch.rand((), generator=generator)) * largest_error
    return click_at(case, error=error, direction=random_direction(generator))


def random_direction(generator: torch.Generator) -> np.ndarray:
    """A unit vector, all directions equally likely."""
    drawn = torch.randn(3, generator=generator).double().numpy()
    return drawn / max(float(np.linalg.norm(drawn)), 1e-12)
