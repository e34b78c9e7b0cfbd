"""What was found is stored, read back, and judged."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest

from MedSegAI.Logic.bench.measure import Conditions, Figure, Parity, Target
from MedSegAI.Logic.bench.record import from_plain, spread, to_plain
from MedSegAI.Logic.bench.record_file import read_record, write_record
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.settings import DeviceChoice
from Testing.Logic.bench.contests import a_record


def test_a_record_comes_back_as_it_was_written(tmp_path):
    record = a_record([1.0, 1.2, 1.1], [0.2, 0.3, 0.2])
    path = write_record(record, tmp_path)
    assert read_record(path) == record
    plain = json.loads(path.read_text())
    assert (plain["schema"], plain["schema_version"]) == ("medsegai-bench", 1)
    ours = plain["measures"][0]["cases"][0]["contestants"][1]
    assert ours["median"] == 0.2
    assert ours["times_the_reference"] == pytest.approx(5.5)
    assert [target["reached"] for target in plain["measures"][0]["cases"][0]["targets"]] == [True, True]


def test_an_answer_that_is_no_number_is_null_in_the_file_and_still_no_number_when_read(tmp_path):
    record = a_record([1.0], [0.2], parity=(Parity("off by", math.nan, 0.1),))
    path = write_record(record, tmp_path)
    assert "NaN" not in path.read_text()
    (found,) = read_record(path).measures[0].cases[0].contestants[1].parity
    assert math.isnan(found.value)
    assert not found.holds
    assert len(record.unsound) == len(read_record(path).unsound) == 1


def test_the_ratio_is_that_of_the_medians_and_each_round_has_its_own():
    (case,) = a_record([2.0, 4.0, 3.0], [1.0, 1.0, 2.0]).measures[0].cases
    assert case.ratio("ours") == 3.0
    assert case.ratios("ours") == [2.0, 4.0, 1.5]
    assert case.ratio("elsewhere") is None
    assert case.ratios("nobody") == []


@pytest.mark.parametrize(
    ("target", "reached"),
    [
        (Target("ours", Figure.TIMES_FASTER, 4.0), True),
        (Target("ours", Figure.TIMES_FASTER, 4.1), False),
        (Target("ours", Figure.SHARE, 0.25), True),
        (Target("ours", Figure.SHARE, 0.24), False),
        (Target("ours", Figure.SECONDS, 0.5), True),
        (Target("ours", Figure.SECONDS, 0.49), False),
        (Target("elsewhere", Figure.SECONDS, 1.0), None),
        (Target("nobody", Figure.TIMES_FASTER, 1.0), None),
    ],
)
def test_targets_bound_a_ratio_a_share_or_seconds(target, reached):
    (case,) = a_record([2.0], [0.5]).measures[0].cases
    assert case.reached(target) is reached


def test_scatter_is_relative_robust_and_unknown_for_few_values():
    assert spread([1.0, 2.0]) is None
    assert spread([1.0, 1.0, 50.0]) == 0.0
    assert spread([9.0, 10.0, 11.0]) == pytest.approx(0.14826)


def test_what_gives_another_answer_or_fails_is_unsound():
    assert a_record([1.0], [0.2]).unsound == ()
    (sentence,) = a_record([1.0], [0.2], parity=(Parity("off by", 0.3, 0.1),)).unsound
    assert sentence == "Spinning, one: ours gives another answer: off by 0.3 where 0.1 is allowed."
    record = a_record([1.0], [0.2])
    case = record.measures[0].cases[0]
    failed = dataclasses.replace(case.contestants[1], failed="failed: no memory")
    case = dataclasses.replace(case, contestants=(case.contestants[0], failed))
    record = dataclasses.replace(record, measures=(dataclasses.replace(record.measures[0], cases=(case,)),))
    assert record.unsound == ("Spinning, one: ours failed: no memory.",)


def damaged(change) -> str:
    plain = to_plain(a_record([1.0], [0.2]))
    change(plain)
    return json.dumps(plain)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is no JSON file"),
        ("[]", "is no record of a benchmark"),
        ('{"schema": "something"}', "is no record of a benchmark"),
        (damaged(lambda plain: plain.update(schema_version=9)), "has version 9"),
        (damaged(lambda plain: plain.pop("machine")), "is damaged: KeyError"),
        (damaged(lambda plain: plain["measures"][0]["cases"][0].update(unit="furlongs")), "is damaged: ValueError"),
        (damaged(lambda plain: plain.update(measures=[3])), "is damaged: TypeError"),
    ],
)
def test_a_file_that_is_no_record_is_refused_in_a_sentence(tmp_path, text, problem):
    path = tmp_path / "bench.json"
    path.write_text(text)
    with pytest.raises(InputError, match=problem):
        read_record(path)


def test_a_missing_file_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_record(tmp_path / "nothing.json")


def test_what_is_written_out_for_other_readers_is_worked_out_again():
    plain = to_plain(a_record([1.0], [0.2]))
    plain["measures"][0]["cases"][0]["contestants"][1]["median"] = 99
    assert from_plain(plain) == a_record([1.0], [0.2])


@pytest.mark.parametrize(
    ("choice", "problem"),
    [
        ({"threads": 0}, "0 threads cannot be measured"),
        ({"threads": 100_000}, "100000 threads cannot be measured"),
        ({"rounds": 0}, "0 rounds are not usable"),
        ({"device": DeviceChoice.AUTO}, "must know where it computes"),
    ],
)
def test_conditions_that_make_no_sense_are_refused(choice, problem):
    with pytest.raises(InputError, match=problem):
        Conditions(**choice)
