"""The labels that a face shows while a result grows are those of the result."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.labels_of_run import labels_of_run
from MedSegAI.Logic.inference.regions import choose_regions
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality, Volume

SMALL, HEAD = Grid((35, 50, 35)), Grid((150, 180, 150), (1.0, 1.0, 1.0), (-75.0, -90.0, -75.0))


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return find_model("hippocampus-mr").card


@pytest.mark.parametrize(
    ("grid", "settings"),
    [
        (SMALL, RunSettings()),
        (SMALL, RunSettings(region="0:30,0:40,0:30")),
        (HEAD, RunSettings(region="10:60,10:80,10:60")),
        (HEAD, RunSettings(points=((20.0, 10.0, 5.0),))),
    ],
    ids=["crop", "region of a crop", "region of a head", "point in a head"],
)
@pytest.mark.parametrize("sides", [1, 2])
def test_the_table_is_known_before_the_regions_are(card, grid, settings, sides):
    card = dataclasses.replace(card, localiser=dataclasses.replace(card.localiser, sides=card.localiser.sides[:sides]))
    scan = Volume(np.zeros(grid.shape, np.int16), grid, Modality.MR)
    case = InputScans({card.inputs[0].name: scan})
    chosen = choose_regions(case, card, settings=settings, reporter=SilentReporter())
    assert labels_of_run(grid, card, settings) == chosen.table


def test_a_head_in_which_the_structure_must_be_found_has_the_labels_of_both_sides(card):
    assert labels_of_run(HEAD, card, RunSettings()) == card.localiser.labels


def test_each_point_has_labels_of_its_own():
    card = find_model("lung-nodule-ct").card
    table = labels_of_run(HEAD, card, RunSettings(points=((0.0, 0.0, 0.0), (5.0, 0.0, 0.0))))
    assert [label.key for label in table] == [f"{card.labels.labels[0].key}_1", f"{card.labels.labels[0].key}_2"]
