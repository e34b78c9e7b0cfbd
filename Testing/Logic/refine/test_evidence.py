"""What the image, the label, the strokes and the network say of each voxel."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.refine.evidence import brightness_log_odds, evidence, probability_log_odds
from MedSegAI.Logic.refine.reach import around_strokes
from MedSegAI.Logic.refine.settings import RefineSettings
from Testing.Logic.refine.conftest import SHAPE, empty, marked

ONE_MM = (1.0, 1.0, 1.0)


def reach_of(label, inside, outside):
    return around_strokes(label, inside, outside, spacing_kji=ONE_MM, reach_mm=30.0, largest_box=10**6)


@pytest.fixture
def a_reach(a_block):
    return reach_of(a_block, marked(np.s_[8, 8, 8:11]), marked(np.s_[2, 2, 2:5]))


def test_the_label_says_nothing_at_a_stroke_and_more_farther_away(a_reach):
    settings = RefineSettings(keep=3.0, brightness=0.0, reach_mm=30.0)
    kept = evidence(np.zeros(SHAPE), a_reach, settings=settings)
    assert kept[8, 8, 8] == 0
    assert kept[8, 8, 12] == pytest.approx(3.0 * 2 / 30)
    assert kept[15, 17, 19] < -1


def test_what_image_and_network_say_is_added_by_weight(a_scan, a_reach):
    probability = np.linspace(0.01, 0.99, a_scan.array.size).reshape(SHAPE)
    settings = RefineSettings(keep=0.0, brightness=2.0, probability=0.5)
    expected = 2.0 * brightness_log_odds(a_scan.array, a_reach) + 0.5 * probability_log_odds(probability, a_reach)
    assert np.allclose(evidence(a_scan.array, a_reach, settings=settings, probability=probability), expected)


def test_bright_voxels_speak_for_a_bright_label(a_scan, a_block, a_reach):
    found = brightness_log_odds(a_scan.array, a_reach)
    assert found[a_block].min() > 1 and found[~a_block].max() < -1
    assert np.abs(found).max() <= 3


def test_a_flat_image_says_nothing(a_reach):
    assert not brightness_log_odds(np.full(SHAPE, 5, dtype=np.uint8), a_reach).any()


def test_without_any_background_brightness_still_has_an_answer(a_scan):
    everywhere = np.ones(SHAPE, dtype=bool)
    found = brightness_log_odds(a_scan.array, reach_of(everywhere, marked(np.s_[8, 8, 8]), empty()))
    assert np.isfinite(found).all()


def test_what_the_network_said_under_a_stroke_speaks_for_like_voxels_elsewhere(a_block):
    """A missing end to which the network gave 0.2, and the background 0.01: the stroke tells that 0.2 means inside."""
    label = a_block & ~marked(np.s_[:, :, 10:])
    probability = np.where(label, 0.95, np.where(a_block, 0.2, 0.01))
    found = probability_log_odds(probability, reach_of(label, marked(np.s_[8, 8, 12:14]), empty()))
    assert found[a_block].min() > 1 and found[~a_block].max() < -1


def test_unknown_probabilities_say_nothing(a_reach):
    probability = np.full(SHAPE, np.nan, dtype=np.float32)
    probability[0, 0, 0] = 0.001
    found = probability_log_odds(probability, a_reach)
    assert np.count_nonzero(found) <= 1 and np.isfinite(found).all()
