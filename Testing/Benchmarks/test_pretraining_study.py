"""The study of pretraining: nested parts of the labels by person, and tables that say what the JSON files hold."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from MedSegAI.Logic.files.decathlon import Split, read_split
from Testing.Benchmarks.pretraining_study import RESULTS, labelled_part, split_with_part, write_result
from Testing.Benchmarks.pretraining_tables import FRACTIONS, STARTS, draw, estimate, person_of, read_results, table

CASES = [f"hippocampus_{number:03}" for number in range(1, 41)]


def a_result(start: str, percent: int, dice: float, *, seed: int = 1) -> dict:
    scores = {case: {"anterior": dice - 0.1, "posterior": dice + 0.1} for case in CASES}
    return {"start": start, "percent": percent, "seed": seed, "training_cases": ["a"] * percent, "dice": scores}


def test_both_sides_of_a_person_are_one_person():
    assert person_of("hippocampus_001") == person_of("hippocampus_002") != person_of("hippocampus_003")


def test_parts_are_nested_hold_whole_people_and_follow_from_the_seed(hippocampus_folder):
    train = read_split(hippocampus_folder / "split.json").train
    parts = {percent: labelled_part(train, fraction=percent / 100, seed=1) for percent in FRACTIONS}
    assert set(parts[10]) < set(parts[25]) < set(parts[100]) == set(train)
    assert [len(parts[percent]) for percent in FRACTIONS] == [15, 36, 140]
    for part in parts.values():
        people = {person_of(name) for name in part}
        assert {name for name in train if person_of(name) in people} == set(part)
    assert labelled_part(train, fraction=0.1, seed=2) != parts[10]


def test_an_epoch_of_a_part_is_as_long_as_one_of_all_cases():
    split = split_with_part(Split(tuple("abcdefg"), ("v",)), ["b", "e", "f"])
    assert split == {"train": ["b", "e", "f", "b", "e", "f", "b"], "val": ["v"]}


def test_the_table_pairs_the_runs_and_names_what_is_missing(tmp_path):
    for result in (
        a_result("scratch", 10, 0.70),
        a_result("pretrained", 10, 0.74),
        a_result("pretrained", 10, 0.76, seed=2),
        a_result("scratch", 100, 0.80),
    ):
        write_result(tmp_path / f"{result['start']}-{result['percent']}-seed{result['seed']}.json", result)
    (tmp_path / "pretraining-seed1.json").write_text(json.dumps({"steps": 3}))
    lines = table(read_results(tmp_path)).splitlines()
    assert lines[2] == "| 10% | 10 | 1 and 2 | 0.7000 | 0.7500 | +0.0500 (+0.0500 to +0.0500) |"
    assert lines[3] == "| 25% | - | 0 and 0 | not run | not run | not run |"
    assert lines[4].startswith("| 100% | 100 | 1 and 0 | 0.8000 | not run | not run |")


def test_the_interval_draws_people_and_holds_the_mean():
    values = dict(zip(CASES, np.random.default_rng(0).normal(0.8, 0.05, len(CASES))))
    found = estimate(values)
    assert found.low < found.value < found.high


def test_of_few_people_no_interval_is_claimed(tmp_path):
    results = [a_result(start, 10, 0.8) for start in STARTS]
    few = [result | {"dice": dict(list(result["dice"].items())[:6])} for result in results]
    assert "| +0.0000 (too few people) |" in table(few)
    draw(few, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").is_file()


@pytest.mark.parametrize("count", [0, 2])
def test_the_picture_is_drawn_from_whatever_is_there(tmp_path, count):
    results = [a_result(start, percent, 0.8) for start in STARTS[:count] for percent in FRACTIONS]
    draw(results, tmp_path / "curve.png")
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.size == (768, 480)


def test_the_committed_runs_are_those_of_nested_parts_without_validation_cases(hippocampus_folder):
    split = read_split(hippocampus_folder / "split.json")
    for result in read_results(RESULTS):
        assert result["start"] in STARTS
        fraction = result["percent"] / 100
        assert tuple(result["training_cases"]) == labelled_part(split.train, fraction=fraction, seed=result["seed"])
        assert set(result["dice"]) == set(split.val)
