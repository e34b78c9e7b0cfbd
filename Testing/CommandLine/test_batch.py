"""``medsegai batch`` as a person runs it: the table, Ctrl-C, and a kill in the middle of the work."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from Testing.CommandLine.conftest import start_medsegai


@pytest.fixture
def scans(hippocampus_crops, tmp_path) -> Path:
    """Eight files of four real crops, and one that is no image."""
    folder = tmp_path / "scans"
    for number in range(2):
        (folder / f"visit-{number}").mkdir(parents=True)
        for crop in hippocampus_crops:
            shutil.copy(crop.image, folder / f"visit-{number}")
    (folder / "broken.nii.gz").write_bytes(b"no image")
    return folder


def finished(out: Path) -> list[str]:
    """The cases of the ledger that ended, each as often as it has a line."""
    ledger = out / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True) if ledger.exists() else []
    whole = [json.loads(line) for line in lines if line.endswith(b"\n")]
    return [line["case"]["case"] for line in whole if "case" in line]


def wait_for(command, out: Path, *, cases: int) -> None:
    last = time.monotonic() + 120
    while len(finished(out)) < cases:
        assert command.poll() is None, command.stderr.read()
        assert time.monotonic() < last, "no case ended"
        time.sleep(0.02)


def test_the_table_tells_of_every_case_and_the_exit_code_of_the_broken_one(medsegai, scans, tmp_path):
    out = tmp_path / "out"
    shown = medsegai("batch", scans / "visit-0", scans / "broken.nii.gz", "-o", out, "--workers", 0)
    assert shown.code == 2
    assert "4 of 5 cases are done (4 in this run), 1 failed." in shown.out
    assert "Failed: broken-" in shown.out
    with (out / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done"] * 4 + ["failed"]
    for row in rows[:4]:
        record = json.loads((out / row["provenance"]).read_text(encoding="utf-8"))
        assert record["provenance"]["model"] == "hippocampus-mr"
        assert float(row["anterior_hippocampus_ml"]) == pytest.approx(record["volumes"][0]["volume_ml"], abs=1e-4)
        assert (out / row["segmentation"]).is_file()
    again = medsegai("batch", scans / "visit-0", "-o", out, "--workers", 0, "--json")
    facts = json.loads(again.out)
    assert (again.code, facts["done"], facts["done_now"]) == (0, 4, 0)


def test_cases_that_were_stopped_from_outside_are_told_and_leave_with_2(medsegai, scans, tmp_path):
    """Somebody, or a network drive, takes away the mark that says the batch is running."""
    out = tmp_path / "out"

    def take_the_mark_away():
        while not (marks := list(out.glob("running-*"))):
            time.sleep(0.001)
        marks[0].unlink()

    somebody = threading.Thread(target=take_the_mark_away, daemon=True)
    somebody.start()
    shown = medsegai("batch", scans / "visit-0", "-o", out, "--workers", 0)
    somebody.join()
    assert shown.code == 2
    assert re.search(r"^[0-3] of 4 cases are done .*, 0 failed, [1-4] were not done\.$", shown.out, re.MULTILINE)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a pipe stands for a case without an end")
def test_what_was_killed_goes_with_its_workers_and_goes_on_without_doing_a_case_twice(
    medsegai, hippocampus_crops, tmp_path
):
    pytest.importorskip("distributed")
    scans, out = tmp_path / "scans", tmp_path / "out"
    scans.mkdir()
    shutil.copy(hippocampus_crops[0].image, scans / "a.nii.gz")
    (scans / "b.nii.gz").write_bytes(b"no image")
    os.mkfifo(scans / "c.nii.gz")
    command = start_medsegai("batch", scans, "-o", out, "--workers", 1)
    wait_for(command, out, cases=2)
    children = psutil.Process(command.pid).children(recursive=True)
    assert children
    command.kill()
    command.communicate()
    _, left = psutil.wait_procs(children, timeout=10)
    assert left == []
    assert [case[0] for case in finished(out)] == ["a", "b"]
    (scans / "c.nii.gz").unlink()
    shutil.copy(hippocampus_crops[1].image, scans / "c.nii.gz")
    facts = json.loads(medsegai("batch", scans, "-o", out, "--workers", 0, "--json").out)
    assert (facts["done"], facts["failed"], facts["total"], facts["done_now"]) == (2, 1, 3, 1)
    assert [case[0] for case in finished(out)] == ["a", "b", "c"]
    assert sorted(path.name for path in out.iterdir()) == [
        *("batch.lock", "cases", "ledger.jsonl", "table.csv", "table.json")
    ]


def test_ctrl_c_in_a_terminal_leaves_with_130_and_says_what_stays(scans, tmp_path):
    """A terminal sends the signal to all processes of the group, the workers among them."""
    pytest.importorskip("distributed")
    out = tmp_path / "out"
    command = start_medsegai("batch", scans, "-o", out, "--workers", 1, start_new_session=True)
    wait_for(command, out, cases=2)
    children = psutil.Process(command.pid).children(recursive=True)
    os.killpg(command.pid, signal.SIGINT)
    _, err = command.communicate(timeout=60)
    assert command.returncode == 130, err
    done = len(finished(out)) - 1
    assert err.splitlines()[-1] == (
        f"medsegai: Cancelled. {done} of 9 cases are done and stay; run the same command again to go on."
    )
    assert "Traceback" not in err
    _, left = psutil.wait_procs(children, timeout=10)
    assert left == []
    assert {path.name for path in out.iterdir()} == {
        *("batch.lock", "cases", "ledger.jsonl", "table.csv", "table.json")
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-o", "out"], "Either scans or --list must be given."),
        (["nowhere", "-o", "out"], "There is no file or folder 'nowhere'."),
        ([".", "-o", "out"], "There is no scan in '.'."),
        ([".", "-o", "out", "--heatmap", "liver"], "There is no label 'liver'."),
        ([".", "-o", "out", "--prepare", "polish"], "There is no step 'polish'."),
        ([".", "-o", "out", "--workers", "-1"], "'-1' is not a number of workers"),
        ([".", "-o", "out", "--workers", "1", "--scheduler", "tcp://x"], "not allowed with argument"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(
    medsegai, tmp_path, monkeypatch, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    shown = medsegai("batch", *arguments)
    assert shown.code == 2
    assert sentence in shown.err
    assert list(tmp_path.iterdir()) == []
