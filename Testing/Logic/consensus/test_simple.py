"""SIMPLE leaves out who fits badly and weighs the others."""

from __future__ import annotations

import json

import numpy as np
import pytest

from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse
from MedSegAI.Logic.consensus.simple import SimpleSettings
from MedSegAI.Logic.errors import InputError
from Testing.Logic.consensus.conftest import ratings_from, simulate


def run(ratings, **settings):
    return fuse(ratings, method=Method.SIMPLE, settings=FuseSettings(simple=SimpleSettings(**settings)))


@pytest.fixture
def good_and_bad():
    """Four raters who are right in 95% of all voxels, and two who guess."""
    good, bad = [[0.95, 0.05], [0.05, 0.95]], [[0.5, 0.5], [0.5, 0.5]]
    return simulate([0.6, 0.4], [good, good, bad, good, bad, good], shape=(24, 24, 24), seed=7)


def test_raters_who_guess_are_left_out(good_and_bad):
    found = run(good_and_bad.ratings, fewest=4)
    weights = [one.weight for one in found.performances]
    assert [n for n, weight in enumerate(weights) if weight == 0] == [2, 4]
    assert min(weights[n] for n in (0, 1, 3, 5)) > 0.9
    assert found.record.converged
    assert found.record.notes == ("Left out because they fit the others badly: C, E.",)


def test_it_is_better_than_the_majority_then(good_and_bad):
    majority = fuse(good_and_bad.ratings, method=Method.MAJORITY).labels
    assert np.mean(run(good_and_bad.ratings, fewest=4).labels != good_and_bad.truth) < np.mean(
        majority != good_and_bad.truth
    )


def test_no_more_are_left_out_than_allowed(good_and_bad):
    found = run(good_and_bad.ratings, deviations=0.0, fewest=5)
    assert sum(one.weight > 0 for one in found.performances) == 5


def test_those_left_out_are_still_measured(good_and_bad):
    assert run(good_and_bad.ratings).performances[2].sensitivity(1) == pytest.approx(0.5, abs=0.03)


def test_weights_are_the_dice_with_the_fused_map():
    """A and B agree on two voxels and C marks a third one: the fused map is theirs; C's Dice is 2*2/(2+3)."""
    found = run(ratings_from([[1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]]))
    assert [one.weight for one in found.performances] == pytest.approx([1, 1, 0.8])
    np.testing.assert_allclose(found.probability(1).ravel(), [1, 1, 0.8 / 2.8, 0], rtol=1e-6)
    np.testing.assert_array_equal(found.at(0.5), found.labels)


@pytest.mark.parametrize("maps", [[[0, 0, 0]] * 4, [[0, 1, 2]] * 4, [[0, 1, 1]]])
def test_raters_who_agree_are_all_kept(maps):
    found = run(ratings_from(maps, values=[1, 2]))
    np.testing.assert_array_equal(found.labels.ravel(), maps[0])
    assert [one.weight for one in found.performances] == [1.0] * len(maps)


def test_a_rater_who_looked_nowhere_has_no_weight_and_is_not_named():
    found = run(ratings_from([[1, 0], [1, 0], [1, 1]], looked_at=[None, None, [0, 0]]))
    assert [one.weight for one in found.performances] == [1, 1, 0]
    assert found.record.notes == ()


def test_nobody_looked_anywhere():
    found = run(ratings_from([[1, 0], [1, 0]], looked_at=[[0, 0], [0, 0]]))
    assert not found.labels.any()
    assert json.dumps(found.record.to_plain(), allow_nan=False)


@pytest.mark.parametrize("wrong", [{"deviations": -1.0}, {"fewest": 0}, {"max_iterations": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InputError, match="SIMPLE cannot run"):
        SimpleSettings(**wrong)
