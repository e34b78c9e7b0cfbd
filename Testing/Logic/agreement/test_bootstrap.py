"""Intervals come from drawing blocks or cases, the same each time."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.agreement import bootstrap
from MedSegAI.Logic.agreement.bootstrap import Estimate, Resampling, UnitCounts, count_in_blocks, interval_of
from MedSegAI.Logic.agreement.vote_measures import cohens_kappa, fleiss_kappa, share_of
from MedSegAI.Logic.agreement.votes import collect_votes
from MedSegAI.Logic.geometry import Box


@pytest.fixture
def counted(three_readers):
    def counts(**resampling) -> UnitCounts:
        votes = collect_votes(three_readers, margin_mm=3.0)
        return count_in_blocks(votes, Box.whole(votes.codes.shape), Resampling(**resampling))

    return counts


def test_the_blocks_together_hold_every_voxel_once(three_readers):
    votes = collect_votes(three_readers)
    for block_mm in (None, 0.1, 3.0, 1000.0):
        counts = count_in_blocks(votes, Box.whole(votes.codes.shape), Resampling(block_mm=block_mm))
        np.testing.assert_array_equal(counts.total, np.bincount(votes.codes.ravel()))
    assert counts.counts.shape[0] == 1


def test_a_table_too_large_to_be_written_out_gives_the_same_counts(three_readers, monkeypatch):
    votes = collect_votes(three_readers)
    box = Box.whole(votes.codes.shape)
    written_out = count_in_blocks(votes, box, Resampling()).counts
    monkeypatch.setattr(bootstrap, "_MOST_TABLE_CELLS", 1)
    np.testing.assert_array_equal(count_in_blocks(votes, box, Resampling()).counts.toarray(), written_out.toarray())


def test_an_interval_encloses_its_figure_and_comes_back_with_its_seed(counted):
    estimates = [counted(seed=seed).estimate(fleiss_kappa(counted().patterns)) for seed in (1, 1, 2)]
    assert estimates[0] == estimates[1] != estimates[2]
    assert estimates[0].low < estimates[0].value < estimates[0].high
    assert estimates[0].low == pytest.approx(estimates[2].low, abs=0.02)


def test_single_voxels_give_an_interval_far_too_narrow(counted):
    def width(block_mm: float | None) -> float:
        counts = counted(block_mm=block_mm, replicates=300)
        estimate = counts.estimate(cohens_kappa(counts.patterns, 0, 2))
        return estimate.high - estimate.low

    assert width(None) > 2 * width(0.1)


def test_the_interval_of_a_share_over_independent_units_is_that_of_the_binomial(empty):
    from scipy.sparse import csr_matrix

    found = np.arange(400) % 4 == 0
    counts = UnitCounts(np.array([[0], [1]]), csr_matrix(np.column_stack([~found, found])), Resampling(replicates=4000))
    estimate = counts.estimate(share_of(np.array([True, True]), np.array([False, True])))
    half = 1.96 * np.sqrt(0.25 * 0.75 / 400)
    assert (estimate.low, estimate.high) == pytest.approx((0.25 - half, 0.25 + half), abs=0.006)


def test_few_units_or_no_replicates_give_no_interval(counted):
    assert counted(block_mm=1000.0).estimate(fleiss_kappa(counted().patterns)).low is None
    assert counted(replicates=0).estimate(fleiss_kappa(counted().patterns)).low is None


def test_replicates_that_are_often_undefined_give_no_interval():
    assert interval_of(np.array([0.5] * 8 + [np.nan] * 2), level=0.95) == (None, None)
    assert interval_of(np.array([0.5] * 19 + [np.nan]), level=0.95) == (0.5, 0.5)
    assert interval_of(np.array([]), level=0.95) == (None, None)


def test_counts_about_one_label_take_the_others_for_background(counted):
    about = counted().about(2)
    assert set(np.unique(about.patterns)) == {0, 1}
    assert about.total.sum() == counted().total.sum()
    said = counted().patterns[:, 0] == 2
    assert about.total[about.patterns[:, 0] == 1].sum() == counted().total[said].sum()


def test_an_empty_region_has_no_units(three_readers):
    counts = count_in_blocks(collect_votes(three_readers), Box.empty(), Resampling())
    assert counts.about(1).estimate(fleiss_kappa(counts.about(1).patterns)) == Estimate(None)
