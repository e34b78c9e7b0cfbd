"""Normalised mutual information says how much one scan tells of another, whatever their contrasts."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.align.alignment import Verdict
from MedSegAI.Logic.align.judge import IDENTITY, verdict_of
from MedSegAI.Logic.align.mutual_information import likeness, normalised_mutual_information
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.volume import Volume

VALUES = np.random.default_rng(0).uniform(0, 100, 200_000)


def test_it_is_2_where_one_determines_the_other_and_1_where_they_are_unrelated():
    assert normalised_mutual_information(VALUES, VALUES) == pytest.approx(2.0)
    assert normalised_mutual_information(VALUES, 7.0 - 3.0 * VALUES) == pytest.approx(2.0, abs=0.01)
    unrelated = normalised_mutual_information(VALUES, np.random.default_rng(1).permutation(VALUES))
    assert unrelated == pytest.approx(1.0, abs=0.002)


def test_it_is_what_the_entropies_of_four_equal_parts_say():
    one = np.repeat([0.0, 1.0], 5000)
    # H(one) = H(other) = ln 2, H(one, other) = 2 ln 2 for independent halves; ln 2 for equal ones.
    assert normalised_mutual_information(one, np.tile([0.0, 1.0], 5000)) == pytest.approx(1.0)
    assert normalised_mutual_information(one, one) == pytest.approx(2.0)


def test_constant_values_and_too_few_of_them_say_nothing():
    assert normalised_mutual_information(np.ones(1000), VALUES[:1000]) == 1.0
    assert normalised_mutual_information(np.ones(1000), np.ones(1000)) == 1.0
    assert normalised_mutual_information(VALUES[:5], VALUES[:5]) == 1.0


def test_the_overlap_is_measured_where_both_lie():
    grid = Grid((10, 10, 40))
    scan = Volume(np.random.default_rng(2).normal(size=grid.shape).astype(np.float32), grid)
    matrix = np.eye(4)
    matrix[0, 3] = 10.0
    shifted = likeness(scan, scan, LinearTransform(tuple(matrix.ravel())))
    assert shifted.overlap == pytest.approx(0.75)
    assert likeness(scan, scan, IDENTITY).information == pytest.approx(2.0)
    matrix[0, 3] = 100.0
    apart = likeness(scan, scan, LinearTransform(tuple(matrix.ravel())))
    assert (apart.information, apart.overlap, apart.score) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "overlap", "spread_mm", "verdict"),
    [
        (1.10, 1.22, 0.8, 1.2, Verdict.GOOD),
        (1.22, 1.22, 0.8, 1.2, Verdict.GOOD),
        (1.10, 1.22, 0.8, 2.5, Verdict.DOUBTFUL),
        (1.02, 1.06, 0.8, 1.0, Verdict.DOUBTFUL),
        (1.30, 1.22, 0.8, 1.0, Verdict.DOUBTFUL),
        (1.00, 1.02, 0.8, 1.0, Verdict.FAILED),
        (1.10, 1.22, 0.2, 1.0, Verdict.FAILED),
        (1.10, 1.22, 0.8, 9.0, Verdict.FAILED),
    ],
)
def test_the_word_follows_from_the_figures(before, after, overlap, spread_mm, verdict):
    assert verdict_of(before, after, overlap=overlap, spread_mm=spread_mm) is verdict
