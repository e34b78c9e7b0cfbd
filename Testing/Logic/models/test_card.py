"""A card is read strictly: what does not fit the schema is refused with the place and the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import MedSegAI.Logic.models.card as card_module
from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.models.card import ModelCard

TEMPLATE = Path(card_module.__file__).parents[2] / "Resources" / "Training" / "hippocampus-mr.card.json"


def the_card_as_fields() -> dict:
    return json.loads(TEMPLATE.read_text(encoding="utf-8"))


def test_a_card_survives_json():
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    assert ModelCard.from_json(card.to_json()) == card


def test_a_card_tells_how_to_prepare_a_scan():
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    assert card.class_count == 3
    assert card.inputs[0].normalisation.clip_percentiles == (0.5, 99.5)
    assert [side.mirrored for side in card.localiser.sides] == [False, True]
    assert card.localiser.labels.find(3).terminology.type_modifier.meaning == "Right"


def test_a_card_without_localiser_or_terminology_is_fine():
    fields = the_card_as_fields()
    del fields["localiser"]
    for label in fields["labels"]:
        label["terminology"] = None
    fields["inputs"][0]["normalisation"] = {"kind": "range", "clip_values": [-100, 300]}
    card = ModelCard.from_json(json.dumps(fields))
    assert card.localiser is None
    assert card.inputs[0].normalisation.clip_values == (-100, 300)


def test_a_card_says_how_much_is_segmented_around_a_clicked_point_or_that_it_takes_none():
    fields = the_card_as_fields()
    card = ModelCard.from_json(json.dumps(fields))
    assert card.point_box_mm == (36.0, 50.0, 36.0)
    assert ModelCard.from_json(card.to_json()) == card
    del fields["point_box_mm"]
    without = ModelCard.from_json(json.dumps(fields))
    assert without.point_box_mm is None
    assert ModelCard.from_json(without.to_json()) == without


def test_a_model_that_keeps_what_lies_under_a_point_needs_one_and_its_box():
    fields = {**the_card_as_fields(), "components": "under-point"}
    assert ModelCard.from_json(json.dumps(fields)).needs_point
    assert not ModelCard.from_json(json.dumps(the_card_as_fields())).needs_point
    with pytest.raises(ModelError, match="point_box_mm"):
        ModelCard.from_json(json.dumps({**fields, "point_box_mm": None}))


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("weights_sha256", "abc", "weights_sha256"),
        ("overlap", 1.0, "overlap"),
        ("spacing_mm", [1, 1], "spacing_mm"),
        ("labels", [], "labels"),
        ("schema_version", 2, "schema_version"),
        ("surprise", 1, "surprise"),
        ("point_box_mm", [36, 50], "point_box_mm"),
        ("point_box_mm", [36, 0, 36], "point_box_mm"),
    ],
)
def test_a_card_that_breaks_the_schema_is_refused_with_the_place(key: str, value: object, place: str):
    fields = {**the_card_as_fields(), key: value}
    with pytest.raises(ModelError, match=place):
        ModelCard.from_json(json.dumps(fields), source="'my/card.json'")


def test_a_missing_field_is_named():
    fields = the_card_as_fields()
    del fields["inputs"]
    with pytest.raises(ModelError, match="'inputs' is a required property"):
        ModelCard.from_json(json.dumps(fields))


def test_text_that_is_not_json_is_refused_with_its_line():
    with pytest.raises(ModelError, match=r"'x' is not valid JSON.*line 2"):
        ModelCard.from_json("{\n oops", source="'x'")
