from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSegAI.Logic.training.nodules.click import click_at, random_click, random_direction
from Testing.Logic.training.nodules.conftest import nodule_case


def test_a_click_without_error_is_the_centre_of_mass() -> None:
    case = nodule_case(centre=(18.0, 21.0, 20.0))
    assert click_at(case, error=0.0, direction=np.array([1.0, 0, 0])) == pytest.approx([18, 21, 20])


def test_an_error_of_1_is_the_end_of_the_bounding_box_along_an_axis() -> None:
    case = nodule_case(radii=(6.0, 6.0, 6.0))
    assert click_at(case, error=1.0, direction=np.array([0, 0, 1.0])) == pytest.approx([20, 20, 26.5])


def test_random_clicks_stay_in_the_ellipsoid_and_their_errors_are_spread_evenly() -> None:
    case = nodule_case()
    generator = torch.Generator().manual_seed(1)
    clicks = np.array([random_click(case, largest_error=1.0, generator=generator) for _ in range(2000)])
    errors = np.linalg.norm((clicks - case.centre) / case.half_axes, axis=1)
    assert errors.max() <= 1.0
    assert np.quantile(errors, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.04)
    assert np.abs((clicks - case.centre).mean(axis=0)).max() < 0.3


def test_directions_are_unit_vectors() -> None:
    generator = torch.Generator().manual_seed(2)
    assert all(np.linalg.norm(random_direction(generator)) == pytest.approx(1.0) for _ in range(20))
