"""The comparison of an engine with torch."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.inference.engines.bounds import EXACT, HALF
from MedSegAI.Logic.inference.engines.parity import Parity, check_windows, compare
from MedSegAI.Logic.models.registry import find_model

HIPPOCAMPUS = find_model("hippocampus-mr").card
NODULE = find_model("lung-nodule-ct").card


def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 3, (2, 3, 16, 16, 16)).astype(np.float32)


def test_the_same_logits_are_the_same():
    found = compare(logits(), logits())
    assert found == Parity(1.0, 0.0, 1.0)
    assert found.within(EXACT)


def test_rounding_passes_and_a_shift_of_a_class_does_not():
    rounded = logits() + np.random.default_rng(1).normal(0, 1e-5, logits().shape).astype(np.float32)
    assert compare(logits(), rounded).within(EXACT)
    shifted = logits()
    shifted[:, 2] += 0.1
    found = compare(logits(), shifted)
    assert found.lowest_dice < 0.999
    assert not found.within(EXACT)


def test_a_difference_too_small_for_labels_still_fails_the_bound_of_logits():
    sure = logits()
    sure[:, 0] += 100
    off = sure + np.float32(0.05)
    found = compare(sure, off)
    assert found.lowest_dice == 1.0
    assert found.within(HALF) and not found.within(EXACT)


def test_a_structure_that_is_never_labelled_is_still_compared():
    # The background wins everywhere, but class 1 is scrambled below it.
    background = logits()
    background[:, 0] += 1000
    scrambled = background.copy()
    scrambled[:, 1] = np.random.default_rng(2).permutation(scrambled[:, 1].ravel()).reshape(scrambled[:, 1].shape)
    found = compare(background, scrambled)
    assert found.agreement == 1.0
    assert found.lowest_dice < 0.5


def test_a_network_that_says_the_same_everywhere_is_no_reason_to_fail():
    flat = np.zeros((1, 2, 8, 8, 8), dtype=np.float32)
    rounding = flat + np.random.default_rng(3).normal(0, 1e-6, flat.shape).astype(np.float32)
    rounding[:, 0] += 1e-3
    assert compare(flat, rounding).within(EXACT)


@pytest.mark.filterwarnings("ignore:invalid value")
def test_logits_that_are_no_numbers_do_not_pass():
    broken = logits()
    broken[0, 1, 2, 3, 4] = np.nan
    assert not compare(logits(), broken).within(EXACT)


@pytest.mark.parametrize("card", [HIPPOCAMPUS, NODULE], ids=lambda card: card.name)
def test_the_windows_look_to_the_network_like_a_scan_and_are_always_the_same(card):
    windows = check_windows(card)
    assert windows.shape == (2, len(card.inputs), *card.window)
    assert windows.dtype == np.float32
    assert np.array_equal(windows, check_windows(card))
    assert not np.array_equal(windows[0], windows[1])
    rule = card.inputs[0].normalisation
    if rule.kind == "range":
        assert windows.min() >= 0 and windows.max() <= 1 and windows.std() > 0.1
    else:
        assert abs(windows[0].mean()) < 0.01 and abs(windows[0].std() - 1) < 0.01
    # Neighbours are alike, as in a scan and unlike in noise.
    one = windows[0, 0]
    assert np.corrcoef(one[:, :, 1:].ravel(), one[:, :, :-1].ravel())[0, 1] > 0.8


def test_the_figures_are_told_in_words():
    assert Parity(0.99987, 0.00031, 1.0).sentence() == "Dice 0.9999, logits within 0.00031"
