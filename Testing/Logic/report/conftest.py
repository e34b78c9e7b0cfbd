"""Raters of one case, measured: for the reports."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.agreement.measure import measure_agreement
from MedSegAI.Logic.agreement.results import CaseAgreement
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable

HOSTILE = '<script>alert("Cleo")</script>'


def _ball(centre: tuple[float, float, float], radius: float) -> np.ndarray:
    axes = np.meshgrid(*(np.arange(n) for n in (20, 24, 26)), indexing="ij")
    return sum((a - c) ** 2 for a, c in zip(axes, centre)) <= radius**2


@pytest.fixture
def ratings() -> Ratings:
    """A good and a shifted drawing of a ball, and one of half its size by a rater with a hostile name."""
    table = LabelTable((Label(1, "tumour", "Tumour", (1, 0.2, 0.2)), Label(2, "cyst", "Cyst", (0.2, 0.2, 1))))
    drawn = {
        "Ann": _ball((10, 12, 13), 7) + np.uint8(_ball((10, 12, 13), 3)),
        "王医生": _ball((10, 12, 15), 7),
        HOSTILE: _ball((10, 12, 13), 5),
    }
    maps = (Rating(name, mask.astype(np.uint8)) for name, mask in drawn.items())
    return Ratings(Grid((20, 24, 26), (1.0, 1.0, 2.0), (-10.0, 20.0, 5.0)), table, tuple(maps))


@pytest.fixture
def consensus(ratings) -> np.ndarray:
    return (np.sum([rating.labels > 0 for rating in ratings.ratings], axis=0) >= 2).astype(np.uint8)


@pytest.fixture
def agreement(ratings, consensus) -> CaseAgreement:
    estimates = {("Ann", 1): (0.9, 0.99)}
    return measure_agreement(ratings, case="case 7", consensus=consensus, estimates=estimates)
