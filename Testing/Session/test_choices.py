"""Choices go to texts and back, and nothing unusable gets in."""

from __future__ import annotations

import logging

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.settings import DeviceChoice, EngineChoice
from MedSegAI.Session.choices import Choices, RegionChoice, parameters_of_changes

OTHERS = Choices(
    model="spleen-ct",
    device=DeviceChoice.CPU,
    engine=EngineChoice.OPENVINO,
    region=RegionChoice.POINT,
    target="left_anterior_hippocampus",
    layer="decoder2",
    heat_threshold=0.75,
    heat_opacity=1.0,
    heat_colours="viridis",
    heat_in_slices=False,
    heat_in_3d=True,
)


@pytest.mark.parametrize("choices", [Choices(), OTHERS], ids=["the defaults", "all different"])
def test_choices_survive_as_texts(choices):
    assert Choices.from_parameters(choices.to_parameters()) == choices


def test_the_texts_are_those_of_slicers_parameter_node_wrapper():
    texts = OTHERS.to_parameters()
    assert (texts["heat_threshold"], texts["heat_in_3d"], texts["device"]) == ("0.75", "True", "cpu")


@pytest.mark.parametrize(
    ("name", "text"),
    [("heat_threshold", "much"), ("heat_threshold", "7"), ("heat_in_3d", "perhaps"), ("region", "everywhere")],
)
def test_an_unusable_text_takes_the_default_and_is_logged(name, text, caplog):
    with caplog.at_level(logging.WARNING):
        assert Choices.from_parameters({name: text, "model": "mine"}) == Choices(model="mine")
    assert name in caplog.text


def test_a_threshold_above_one_is_refused_with_what_is_allowed():
    with pytest.raises(InputError, match=r"heat map's threshold 1.5 .* from 0 to 1"):
        Choices(heat_threshold=1.5)


def test_a_region_that_does_not_exist_is_refused():
    with pytest.raises(InputError, match="everywhere"):
        parameters_of_changes({"region": "everywhere"})


def test_only_what_changed_becomes_text():
    assert parameters_of_changes({"region": RegionChoice.ROI}) == {"region": "roi"}
