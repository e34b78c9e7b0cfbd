"""Labels and probabilities of calibrated logits: worked out by hand, and at work in the sliding window."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from MedSegAI.Logic.inference.decision import Decision
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice
from Testing.Logic.inference.test_sliding_window import CLASSES, WINDOW, FunctionEngine, PlainEngine, an_image


def test_a_threshold_of_0_8_needs_four_times_the_background():
    decision = Decision(1.0, (0.0, math.log(0.25)))
    logits = torch.tensor([[[0.0, 0.0]], [[math.log(3.9), math.log(4.1)]]])
    assert decision.labels(logits).tolist() == [[0, 1]]


def test_the_temperature_halves_the_log_odds():
    decision = Decision(2.0, (0.0, 0.0))
    logits = torch.tensor([[[0.0]], [[math.log(9.0)]]])
    chosen = decision.labels(logits)
    assert chosen.tolist() == [[1]]
    assert float(decision.probability(logits, chosen)) == pytest.approx(0.75)


def run(image, engine=None, **choices):
    return segment_array(
        image,
        engine or PlainEngine(),
        window=WINDOW,
        overlap=0.5,
        classes=CLASSES,
        reporter=SilentReporter(),
        **choices,
    )


@pytest.mark.parametrize("kept", list(ConfidenceChoice))
def test_a_temperature_alone_changes_no_label(kept):
    image = an_image((20, 21, 22))
    decision = Decision(3.0, (0.0,) * CLASSES)
    calm = run(image, decision=decision, confidence=kept)
    np.testing.assert_array_equal(calm.labels, run(image).labels)
    if kept is ConfidenceChoice.PER_VOXEL:
        plain = run(image, confidence=kept)
        assert calm.confidence.mean() < plain.confidence.mean()


def test_high_thresholds_leave_less_and_planes_are_shown_as_they_finish():
    image = an_image((20, 21, 22))
    seen = {}
    strict = Decision(1.0, (0.0, *[math.log(0.25)] * (CLASSES - 1)))
    result = run(image, decision=strict, watch=lambda k, logits: seen.update({k: logits.copy()}))
    plain = run(image)
    assert np.count_nonzero(result.labels) < np.count_nonzero(plain.labels)
    assert list(seen) == list(range(20))
    np.testing.assert_array_equal(np.stack([seen[k] for k in range(20)]).argmax(axis=1), plain.labels)


def test_where_no_window_was_evaluated_it_is_background_for_sure():
    engine = FunctionEngine(function=lambda windows: torch.ones(len(windows), CLASSES, *WINDOW))
    decision = Decision(2.0, (0.0,) * CLASSES)
    result = run(
        np.zeros((1, 16, 16, 16), np.float32),
        engine,
        decision=decision,
        skip_below=0.5,
        confidence=ConfidenceChoice.PER_VOXEL,
    )
    assert result.windows_skipped == 1
    assert (result.confidence == 1).all()
    assert not result.labels.any()
