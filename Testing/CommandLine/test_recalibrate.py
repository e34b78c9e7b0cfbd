"""``medsegai recalibrate``, ``models adopt`` and ``models rollback``, as a person types them."""

from __future__ import annotations

import json
import shutil

import pytest

from MedSegAI.Logic.models.registry import SHIPPED_MODELS
from Testing.Logic.recalibrate.conftest import reviewed


@pytest.fixture
def five_cases(hippocampus_folder, tmp_path, monkeypatch):
    """Five training crops, reviewed; the user's models lie in a folder of the test's own."""
    monkeypatch.setenv("MEDSEGAI_MODELS", str(tmp_path / "models"))
    return reviewed(hippocampus_folder, tmp_path, 5)


def test_a_model_is_judged_signed_and_rolled_back(medsegai, five_cases, tmp_path):
    options = ("--model", "hippocampus-mr", "--fewest-cases", "5", "--overlap", "0", "-o", tmp_path / "draft")
    judged = medsegai("recalibrate", *five_cases, *options, "--fine-tune", tmp_path / "again")
    assert judged.code == 0, judged.err
    assert "Verdict: recalibrate" in judged.out
    assert f"medsegai models adopt {tmp_path / 'draft'} --signed-by NAME" in judged.out
    assert (tmp_path / "draft" / "report.html").is_file()
    assert len(json.loads((tmp_path / "again" / "split.json").read_text())["train"]) == 4

    adopted = medsegai("models", "adopt", tmp_path / "draft", "--signed-by", "R. Reader", "--role", "radiologist")
    assert "hippocampus-mr is now version 1.1" in adopted.out
    shown = medsegai("models", "info", "hippocampus-mr").out
    assert "temperature " in shown
    assert "by R. Reader" in shown
    info = json.loads(medsegai("models", "info", "hippocampus-mr", "--json").out)
    assert info["card"]["calibration"]["temperature"] > 1.2
    assert info["card"]["revision"]["role"] == "radiologist"
    again = medsegai("models", "adopt", tmp_path / "draft", "--signed-by", "R. Reader")
    assert again.code == 2
    assert "is not about 'hippocampus-mr' 1.1 as it is now" in again.err

    back = medsegai("models", "rollback", "hippocampus-mr")
    assert "hippocampus-mr is version 1 again, no longer 1.1." in back.out
    assert medsegai("models", "rollback", "hippocampus-mr").code == 2


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (["--fewest-cases", "6"], "Only 5 of the cases are reviewed"),
        (["--fewest-cases", "2"], "cannot be judged on fewer than 5 cases"),
        (["--floor", "3"], "floor is 3.0"),
        (["--model", "nothing"], "There is no model 'nothing'"),
    ],
)
def test_what_cannot_be_judged_is_a_sentence_and_leaves_nothing(medsegai, five_cases, tmp_path, change, problem):
    options = ["--model", "hippocampus-mr", "--fewest-cases", "5", "-o", tmp_path / "draft", *change]
    shown = medsegai("recalibrate", *five_cases, *options)
    assert shown.code == 2
    assert problem in shown.err
    assert not (tmp_path / "draft").exists()


def test_what_could_not_be_written_is_refused_before_the_work(medsegai, five_cases, tmp_path):
    options = ("--model", "hippocampus-mr", "--fewest-cases", "5", "-o", tmp_path / "draft")
    one_folder = medsegai("recalibrate", *five_cases, *options, "--fine-tune", tmp_path / "draft")
    assert "would lie in one folder" in one_folder.err
    nowhere = medsegai("recalibrate", *five_cases, *options, "--fine-tune", tmp_path / "none" / "set")
    assert "there is no folder" in nowhere.err
    assert (one_folder.code, nowhere.code) == (2, 2)
    assert not (tmp_path / "draft").exists()


def test_a_model_given_by_its_path_is_named_in_the_next_commands(medsegai, five_cases, tmp_path):
    mine = shutil.copytree(SHIPPED_MODELS / "hippocampus-mr", tmp_path / "my models" / "mine")
    options = ("--model", mine, "--fewest-cases", "5", "--overlap", "0", "-o", tmp_path / "draft")
    judged = medsegai("recalibrate", *five_cases, *options)
    assert f"adopt {tmp_path / 'draft'} --model '{mine}' --signed-by NAME" in judged.out
    adopted = medsegai("models", "adopt", tmp_path / "draft", "--model", mine, "--signed-by", "R. Reader")
    assert f"rollback '{mine}'" in adopted.out
    assert medsegai("models", "rollback", mine).code == 0


def test_a_torn_or_missing_journal_is_a_sentence(medsegai, five_cases, tmp_path):
    journal = five_cases[2] / "journal.jsonl"
    journal.write_text(journal.read_text().replace("Anna", "Bene"))
    options = ("--model", "hippocampus-mr", "--fewest-cases", "5", "-o", tmp_path / "draft")
    assert "was edited" in medsegai("recalibrate", *five_cases, *options).err
    missing = medsegai("recalibrate", *five_cases, tmp_path / "none", *options)
    assert missing.code == 2
    assert not (tmp_path / "draft").exists()


def test_a_folder_in_use_is_not_written_to(medsegai, five_cases, tmp_path):
    (tmp_path / "draft").mkdir()
    (tmp_path / "draft" / "notes.txt").write_text("mine")
    shown = medsegai("recalibrate", *five_cases, "--model", "hippocampus-mr", "-o", tmp_path / "draft")
    assert shown.code == 2
    assert "exists already" in shown.err
