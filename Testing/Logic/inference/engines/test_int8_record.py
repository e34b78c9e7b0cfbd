"""An 8-bit model is taken only with a record that fits, and whole."""

from __future__ import annotations

import dataclasses
import json

import pytest

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.inference.engines.int8_engine import int8_engine
from MedSegAI.Logic.inference.engines.int8_record import (
    GRAPH_NAME,
    NUMBERS_NAME,
    RECORD_NAME,
    CasesUsed,
    Int8Record,
    find_int8,
)
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, file_sha256, read_model


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_MODELS", str(tmp_path))
    return read_model(SHIPPED_MODELS / "hippocampus-mr")


@pytest.fixture
def folder(model, tmp_path):
    """Files and a record of them as ``models quantise`` writes them; the graph itself is none."""
    folder = tmp_path / "hippocampus-mr.int8"
    folder.mkdir()
    for name in (GRAPH_NAME, NUMBERS_NAME):
        (folder / name).write_text(f"stands for {name}")
    record = Int8Record(
        model=model.card.name,
        model_version=model.card.version,
        weights_sha256=model.card.weights_sha256,
        window=model.card.window,
        channels=1,
        files_sha256={name: file_sha256(folder / name) for name in (GRAPH_NAME, NUMBERS_NAME)},
        calibrated_on=CasesUsed("crops", "train", 20, 64),
        measured_on=CasesUsed("crops", "val", 62),
        dice_float=0.88,
        dice_int8=0.879,
        dice_by_label={"anterior_hippocampus": (0.9, None)},
        largest_drop=0.005,
        seconds_per_case=(0.2, 0.1),
        versions={"openvino": "2026.4.1"},
        made="2026-11-24T18:00:00+00:00",
    )
    (folder / RECORD_NAME).write_text(record.to_json())
    return folder


def change(folder, **fields):
    record = json.loads((folder / RECORD_NAME).read_text()) | fields
    (folder / RECORD_NAME).write_text(json.dumps(record))


def test_a_whole_one_is_found_and_its_figures_are_said(model, folder):
    found = find_int8(model)
    assert found.graph_path == folder / GRAPH_NAME
    assert found.record.drop == pytest.approx(0.001)
    assert found.record.sentence().startswith("mean Dice 0.8800 before and 0.8790 with 8-bit numbers (-0.0010,")
    assert "62 cases 'val' of crops" in found.record.sentence()


def test_where_none_was_made_the_command_that_makes_one_is_said(model):
    with pytest.raises(ModelError, match="none has been made") as refused:
        find_int8(model)
    assert "medsegai models quantise hippocampus-mr --dataset DIR --split FILE" in refused.value.advice


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"window": [64, 64, 64]}, "other windows"),
        ({"channels": 2}, "other windows"),
        ({"weights_sha256": "0" * 64}, "other weights"),
        ({"dice_int8": 0.87}, "not accurate enough"),
        ({"dice_int8": float("nan")}, "not accurate enough"),
        ({"format": 2}, "another version"),
        ({"surprise": 1}, "not such a record"),
        ({"calibrated_on": None}, "not such a record"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(model, folder, fields, reason):
    change(folder, **fields)
    with pytest.raises(ModelError, match=reason):
        find_int8(model)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_record_is_refused(model, folder, text):
    (folder / RECORD_NAME).write_text(text)
    with pytest.raises(ModelError, match="cannot be used"):
        find_int8(model)


@pytest.mark.parametrize("name", [GRAPH_NAME, NUMBERS_NAME])
def test_changed_or_missing_files_are_refused(model, folder, name):
    (folder / name).write_text("changed")
    with pytest.raises(ModelError, match=f"{name} is missing or was changed"):
        find_int8(model)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing or was changed"):
        find_int8(model)


def test_a_file_that_is_no_graph_is_refused_with_a_sentence(folder):
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    with pytest.raises(ModelError, match="OpenVINO cannot take the 8-bit model"):
        int8_engine(folder / GRAPH_NAME, open_torch=lambda: None)


def test_a_record_comes_back_as_it_was_written(model, folder):
    record = find_int8(model).record
    assert Int8Record.from_json(record.to_json()) == record
    assert dataclasses.replace(record, dice_int8=0.86).holds is False
