"""Tables are read back, those of older versions too."""

from __future__ import annotations

import json

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.intervals import Bootstrap
from MedSegAI.Logic.evaluation.metrics import MaskScores, ScoreSettings
from MedSegAI.Logic.evaluation.stored import read_evaluation
from MedSegAI.Logic.evaluation.tables import CaseScores, Evaluation
from MedSegAI.Logic.models.registry import SHIPPED_MODELS


def test_a_table_is_read_as_it_was_written(tmp_path):
    scores = MaskScores(0.5, 0.25, 0.75, None, 0.5, 1.5, 2.0, 3.0, 0.5, 1.0, 33.5, 1.0, None, 2)
    written = Evaluation(
        *("model", "abc", "folder", "val", (CaseScores("p1_a", 0.5, {"lump": scores}),)),
        scoring=ScoreSettings(2.0, 0.5),
        bootstrap=Bootstrap(100, 0.9, 3),
        subject_rule="^(p1)",
    )
    path = tmp_path / "table.json"
    path.write_text(written.to_json())
    assert read_evaluation(path) == written


def test_the_cases_of_the_shipped_model_are_read():
    path = SHIPPED_MODELS / "hippocampus-mr" / "validation.json"
    found = read_evaluation(path)
    assert len(found.cases) == 62
    assert found.mean("anterior_hippocampus")["dice"] == pytest.approx(
        json.loads(path.read_text())["mean"]["anterior_hippocampus"]["dice"], abs=1e-4
    )
    assert found.means["anterior_hippocampus"]["dice"].low is not None


@pytest.mark.parametrize("text", ["", "[]", '{"cases": []}', '{"model": 3}', "null"])
def test_another_file_is_refused_with_a_sentence(tmp_path, text):
    (tmp_path / "other.json").write_text(text)
    with pytest.raises(InputError, match="is no table of"):
        read_evaluation(tmp_path / "other.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_evaluation(tmp_path / "absent.json")


@pytest.mark.parametrize("wrong", ["0.9", float("nan"), True])
def test_a_score_that_is_no_number_is_a_sentence(tmp_path, wrong):
    plain = json.loads((SHIPPED_MODELS / "hippocampus-mr" / "validation.json").read_text())
    plain["cases"][0]["labels"]["anterior_hippocampus"]["dice"] = wrong
    (tmp_path / "table.json").write_text(json.dumps(plain))
    with pytest.raises(InputError, match="is no table"):
        read_evaluation(tmp_path / "table.json")


def test_a_case_that_is_there_twice_is_a_sentence(tmp_path):
    plain = json.loads((SHIPPED_MODELS / "hippocampus-mr" / "validation.json").read_text())
    plain["cases"].append(plain["cases"][0])
    (tmp_path / "table.json").write_text(json.dumps(plain))
    with pytest.raises(InputError, match="is no table"):
        read_evaluation(tmp_path / "table.json")


def test_a_label_that_the_first_case_lacks_is_not_lost(tmp_path):
    plain = json.loads((SHIPPED_MODELS / "hippocampus-mr" / "validation.json").read_text())
    del plain["cases"][0]["labels"]["anterior_hippocampus"]
    (tmp_path / "table.json").write_text(json.dumps(plain))
    found = read_evaluation(tmp_path / "table.json")
    assert set(found.label_keys) == {"anterior_hippocampus", "posterior_hippocampus"}
    assert found.means["anterior_hippocampus"]["dice"].cases == len(found.cases) - 1
