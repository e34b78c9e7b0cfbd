"""Figures go into table nodes and back with their kind."""

from __future__ import annotations

import math

import pytest

from MedSegAI.Bridge.table_nodes import rows_to_table_node, table_node_to_rows
from MedSegAI.Logic.errors import InputError


def test_rows_survive_the_round_trip_with_their_types(a_scene):
    rows = [
        {"structure": "Left hippocampus", "voxels": 3012, "volume mL": 3.012},
        {"structure": "Right hippocampus", "voxels": 2998, "volume mL": 2.998},
    ]
    node = rows_to_table_node(rows, a_scene, name="volumes")
    assert node.GetName() == "volumes"
    assert table_node_to_rows(node) == rows


def test_a_missing_number_becomes_nan_and_a_missing_text_becomes_empty(a_scene):
    rows = [{"a": 1.5, "b": "x"}, {"a": None, "b": None}]
    back = table_node_to_rows(rows_to_table_node(rows, a_scene))
    assert math.isnan(back[1]["a"])
    assert back[1]["b"] == ""


def test_no_rows_or_uneven_rows_are_refused_with_a_sentence(a_scene):
    with pytest.raises(InputError, match="has no rows"):
        rows_to_table_node([], a_scene)
    with pytest.raises(InputError, match="same columns"):
        rows_to_table_node([{"a": 1}, {"b": 2}], a_scene)
