"""``medsegai bench``, as a person types it; no test here says how fast anything is."""

from __future__ import annotations

import json
import signal

import psutil
import pytest

from MedSegAI.Logic.bench.record_file import read_record, write_record
from Testing.CommandLine.conftest import start_medsegai
from Testing.Logic.bench.contests import a_record


def test_every_program_gives_the_same_answers_on_tiny_sizes(medsegai, tmp_path):
    """The quick run: MONAI, captum, SimpleITK and every engine that is installed, beside ours."""
    pytest.importorskip("monai")
    pytest.importorskip("captum")
    shown = medsegai("bench", "--quick", "-o", tmp_path / "out", "--json")
    assert shown.code == 0, shown.out + shown.err
    facts = json.loads(shown.out)
    assert facts["unsound"] == []
    record = read_record(tmp_path / "out" / "bench.json")
    assert record.complete
    names = {measure.name for measure in record.measures}
    assert names == {
        "network",
        "training-step",
        "whole-volume",
        "heat-map",
        "heat-map-volume",
        "staple",
        "resample",
        "n4",
        "hd95",
    }
    for measure, case in record.all_cases:
        judged = [parity for one in case.contestants for parity in one.parity if one.ours]
        assert judged, f"{measure.name}: somebody's answer is compared"
        assert all(parity.holds for parity in judged)
        assert not any(one.failed for one in case.contestants), measure.name
    progress = [json.loads(line)["progress"] for line in shown.err.splitlines() if '"progress"' in line]
    assert progress[0]["stage"].startswith("network: feature size 12")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bench.json", "bench.md", "bench.png"]


def test_only_what_is_named_is_measured_and_compared_with_an_earlier_run(medsegai, tmp_path):
    first = medsegai("bench", "--quick", "--only", "staple", "hd95", "--rounds", 3, "-o", tmp_path / "first")
    assert first.code == 0, first.err
    assert "STAPLE, 5 raters, 48 cubed: SimpleITK " in first.err
    assert first.out == f"Results: {tmp_path / 'first'}\n"
    second = medsegai(
        *("bench", "--quick", "--only", "staple", "--rounds", 3, "-o", tmp_path / "second"),
        *("--compare", tmp_path / "first" / "bench.json"),
    )
    assert second.code == 0, second.err
    assert "in the earlier run" in second.out
    assert "## Against the earlier run" in (tmp_path / "second" / "bench.md").read_text()


def test_what_became_slower_is_named(medsegai, tmp_path):
    earlier = tmp_path / "earlier"
    medsegai("bench", "--quick", "--only", "staple", "--rounds", 3, "-o", earlier)
    plain = json.loads((earlier / "bench.json").read_text())
    for one in plain["measures"][0]["cases"][0]["contestants"]:
        for reading in one["readings"]:
            reading["cpu_seconds"] = 1e-9 if one["ours"] else 1.0
    (earlier / "bench.json").write_text(json.dumps(plain))
    options = ("--rounds", 3, "-o", tmp_path / "now", "--compare", earlier / "bench.json")
    shown = medsegai("bench", "--quick", "--only", "staple", *options)
    assert "Slower than in the earlier run:\n- STAPLE, 5 raters, 48 cubed: ours\n" in shown.out


def test_the_list_says_what_can_be_measured(medsegai):
    shown = medsegai("bench", "--list")
    assert shown.code == 0
    assert "whole-volume\n  Labels of a volume" in shown.out
    assert "staple" in json.loads(medsegai("bench", "--list", "--json").out)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "There is no folder for the results. Name a new one with -o FOLDER."),
        (["-o", "FOLDER", "--only", "everything"], "There is no measure 'everything'."),
        (["-o", "FOLDER", "--rounds", "0"], "0 rounds are not usable."),
        (["-o", "FOLDER", "--threads", "-3"], "-3 threads cannot be measured on this machine"),
        (["-o", "FOLDER", "--threads", "many"], "Argument --threads: invalid int value: 'many'."),
        (["-o", "FOLDER", "--device", "npu"], "invalid choice: 'npu'"),
        (["-o", "FOLDER", "--compare", "missing.json"], "'missing.json' cannot be read"),
        (["-o", "nowhere/FOLDER"], "there is no folder"),
    ],
)
def test_nonsense_is_a_sentence_and_makes_no_folder(medsegai, tmp_path, monkeypatch, options, problem):
    monkeypatch.chdir(tmp_path)
    shown = medsegai("bench", *options)
    assert shown.code == 2
    assert problem in shown.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_refused(medsegai, tmp_path):
    write_record(a_record([1.0], [0.1]), tmp_path)
    shown = medsegai("bench", "-o", tmp_path)
    assert shown.code == 2
    assert "holds something already" in shown.err
    assert read_record(tmp_path / "bench.json") == a_record([1.0], [0.1])


def test_a_run_that_is_stopped_keeps_what_it_measured_and_leaves_with_130(tmp_path):
    command = start_medsegai(
        *("bench", "--quick", "--only", "hd95", "--rounds", "1000", "-o", tmp_path / "out", "--json")
    )
    for line in command.stderr:
        progress = json.loads(line).get("progress", {})
        if progress.get("stage", "").startswith("hd95") and progress["done"] > 40:
            break
    children = psutil.Process(command.pid).children(recursive=True)
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=60)
    assert command.returncode == 130, err
    error = json.loads(out)["error"]
    assert error["problem"] == "Cancelled."
    assert f"What was measured is kept in '{tmp_path / 'out'}', marked as incomplete." in error["advice"]
    assert "Traceback" not in err
    record = read_record(tmp_path / "out" / "bench.json")
    assert not record.complete
    (case,) = record.measures[0].cases
    assert not case.complete
    assert len(case.contestants[0].readings) >= 5
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["bench.json", "bench.md", "bench.png"]
    assert psutil.wait_procs(children, timeout=10)[1] == []
