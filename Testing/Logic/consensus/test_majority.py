"""More than half of the votes of those who looked, else background."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse
from Testing.Logic.consensus.conftest import ratings_from


def majority(ratings, **options):
    return fuse(ratings, method=Method.MAJORITY, **options)


def test_the_label_with_more_than_half_of_the_votes_wins():
    found = majority(ratings_from([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]]))
    assert found.labels.ravel().tolist() == [1, 1, 0, 0]
    np.testing.assert_allclose(found.probability(1).ravel(), [1, 2 / 3, 1 / 3, 0], rtol=1e-6)
    np.testing.assert_array_equal(found.at(0.5), found.labels)
    np.testing.assert_array_equal(found.at(0.2).ravel(), [1, 1, 1, 0])


def test_a_tie_and_a_label_without_half_of_the_votes_are_background():
    assert majority(ratings_from([[1], [0]])).labels.item() == 0
    assert majority(ratings_from([[1], [2]])).labels.item() == 0
    assert majority(ratings_from([[1], [1], [2], [3], [0]])).labels.item() == 0
    assert "background" in majority(ratings_from([[1], [0]])).record.tie_rule


def test_only_those_who_looked_have_a_vote():
    ratings = ratings_from([[1, 1, 1], [0, 0, 1], [0, 0, 1]], looked_at=[[1, 1, 0], [1, 0, 0], [1, 0, 0]])
    found = majority(ratings)
    assert found.labels.ravel().tolist() == [0, 1, 0]
    assert found.entropy().ravel()[2] == 0


def test_each_rater_is_measured_against_the_fused_map():
    found = majority(ratings_from([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]]))
    assert [one.sensitivity(1) for one in found.performances] == [1, 1, 0.5]
    assert [one.specificity(1) for one in found.performances] == [0.5, 1, 1]
    np.testing.assert_array_equal(found.performances[0].expected, [[1, 1], [0, 2]])


def test_one_rater_is_the_majority():
    found = majority(ratings_from([[0, 1, 2]]))
    assert found.labels.ravel().tolist() == [0, 1, 2]
    assert found.performances[0].sensitivity(2) == 1


def test_empty_maps_and_a_rater_who_looked_nowhere():
    found = majority(ratings_from([[0, 0], [0, 0]], values=[1], looked_at=[None, [0, 0]]))
    assert not found.labels.any()
    assert found.performances[0].sensitivity(1) is None
    assert found.performances[1].expected is None


def test_what_is_counted_changes_the_specificity_only():
    maps = [np.zeros((9, 9, 9), np.uint8) for _ in range(3)]
    for n, one in enumerate(maps):
        one[3:6, 3:6, 3 : 5 + n] = 1
    whole, tight = (majority(ratings_from(maps), settings=FuseSettings(margin_mm=m)) for m in (None, 0.0))
    np.testing.assert_array_equal(whole.labels, tight.labels)
    assert whole.performances[2].sensitivity(1) == tight.performances[2].sensitivity(1) == 1
    assert whole.performances[2].specificity(1) == pytest.approx(1 - 9 / (729 - 27))
    assert tight.performances[2].specificity(1) == 0
