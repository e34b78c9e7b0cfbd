from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.standardise.ct.histogram import histogram_of


def normal(mean, deviation, count, seed=0):
    return np.rint(np.random.default_rng(seed).normal(mean, deviation, count)).astype(np.int16)


def test_two_normal_tissues_are_two_peaks_at_their_means_with_their_shares():
    histogram = histogram_of(np.concatenate([normal(-997, 8, 60_000), normal(47, 12, 40_000)]))
    assert [peak.value for peak in histogram.peaks] == pytest.approx([-997, 47], abs=0.7)
    # Half of its height on either side holds 76% of a normal distribution; smoothing widens it a little.
    assert histogram.peaks[0].share == pytest.approx(0.6 * 0.8, abs=0.05)
    assert histogram.fill == ()


def test_a_fill_value_is_told_from_a_tissue():
    histogram = histogram_of(np.concatenate([normal(-1000, 8, 50_000), np.full(40_000, -3024, np.int16)]))
    assert [(spike.value, round(spike.share, 3)) for spike in histogram.fill] == [(-3024, 0.444)]
    assert [peak.value for peak in histogram.peaks] == pytest.approx([-1000], abs=0.5)


def test_a_fill_value_within_a_tissue_does_not_move_its_peak():
    histogram = histogram_of(np.concatenate([normal(30, 10, 50_000), np.full(10_000, 0, np.int16)]))
    assert [peak.value for peak in histogram.peaks] == pytest.approx([30], abs=0.7)


def test_a_bump_on_the_flank_of_a_tissue_is_no_peak_of_its_own():
    histogram = histogram_of(np.concatenate([normal(0, 30, 100_000), normal(45, 6, 2_000)]))
    assert len(histogram.peaks) == 1


def test_the_strongest_peak_between_two_values_is_found():
    histogram = histogram_of(np.concatenate([normal(-100, 8, 20_000), normal(50, 8, 70_000), normal(400, 8, 10_000)]))
    assert histogram.strongest(-200, 100).value == pytest.approx(50, abs=1)
    assert histogram.strongest(600, 700) is None
    assert len(histogram.between(-200, 500)) == 3


def test_values_far_above_are_left_out_and_fractions_are_rounded():
    histogram = histogram_of(np.array([0.4, 0.6, 1.2, 1e9], np.float32))
    assert histogram.counts.tolist() == [1, 2]
    assert histogram.total == 4


def test_a_scan_of_fill_values_only_has_no_peaks():
    assert histogram_of(np.repeat(np.array([-2000, 0], np.int16), 1000)).peaks == ()
