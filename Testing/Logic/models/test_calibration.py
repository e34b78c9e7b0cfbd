"""A card's calibration: log odds of its thresholds, and JSON and back."""

from __future__ import annotations

import json
import math

import pytest

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.models.calibration import Calibration
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, read_model


@pytest.fixture
def a_card() -> ModelCard:
    return read_model(SHIPPED_MODELS / "hippocampus-mr").card


def test_a_threshold_is_a_log_odds_and_an_even_one_is_none(a_card):
    first, second = (label.key for label in a_card.labels)
    offsets = Calibration(2.0, {second: 0.8}).offsets(a_card.labels)
    assert offsets == (0.0, 0.0, pytest.approx(math.log(0.25)))
    assert first not in {second}


def test_a_card_keeps_its_calibration_and_its_revision(a_card):
    plain = json.loads(a_card.to_json())
    assert plain["calibration"] is None
    plain["calibration"] = {"temperature": 1.4, "thresholds": {"anterior_hippocampus": 0.45}, "record": {"cases": 12}}
    plain["revision"] = {
        "signed_by": "A. Reader",
        "signed": "2026-11-24T10:00:00+00:00",
        "previous": {"version": "1", "card_sha256": "0" * 64},
    }
    card = ModelCard.from_json(json.dumps(plain))
    assert card.calibration == Calibration(1.4, {"anterior_hippocampus": 0.45}, {"cases": 12})
    assert json.loads(card.to_json()) == plain


@pytest.mark.parametrize("wrong", [{"temperature": 0, "thresholds": {}}, {"temperature": 1, "thresholds": {"a": 1.0}}])
def test_a_calibration_out_of_range_is_refused_with_a_sentence(a_card, wrong):
    plain = json.loads(a_card.to_json()) | {"calibration": wrong}
    with pytest.raises(ModelError, match="not a valid model card"):
        ModelCard.from_json(json.dumps(plain))
