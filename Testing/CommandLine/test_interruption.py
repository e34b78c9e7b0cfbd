"""Ctrl-C and SIGTERM half-way: exit code 130, nothing half-written, no process left."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import psutil
import pytest
import SimpleITK as sitk

from Testing.CommandLine.conftest import MODEL_NAME, start_medsegai

# The run is long enough for another engine to be checked first, which is not what is interrupted here.
TORCH = ("--engine", "torch")


@pytest.fixture
def larger_scan(crop_image, tmp_path) -> Path:
    """The real crop at half a millimetre, claimed to be at one: many windows, still below the localiser's limit."""
    size = [min(2 * n, limit) for n, limit in zip(crop_image.GetSize(), (64, 80, 64))]
    finer = sitk.Resample(
        crop_image,
        size,
        sitk.Transform(),
        sitk.sitkLinear,
        crop_image.GetOrigin(),
        (0.5, 0.5, 0.5),
        crop_image.GetDirection(),
    )
    finer.SetSpacing((1.0, 1.0, 1.0))
    sitk.WriteImage(finer, str(tmp_path / "large.nii.gz"))
    return tmp_path / "large.nii.gz"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("runner", [["--in-process"], []], ids=["in process", "through the worker"])
def test_a_run_stopped_half_way_leaves_with_130_and_nothing_behind(larger_scan, tmp_path, monkeypatch, number, runner):
    results, scratch = tmp_path / "results", tmp_path / "scratch"
    results.mkdir()
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    command = start_medsegai(
        *("segment", larger_scan, "-o", results / "out.seg.nrrd", "--model", MODEL_NAME, "--json", *TORCH),
        *("--overlap", "0.9", *runner),
    )
    children = _wait_for_the_first_window(command)
    command.send_signal(number)
    out, err = command.communicate(timeout=60)
    assert command.returncode == 130, err
    assert json.loads(out)["error"]["exit_code"] == 130
    assert "Traceback" not in err
    assert list(results.iterdir()) == []
    assert list(scratch.iterdir()) == []
    _, left = psutil.wait_procs(children, timeout=10)
    assert left == []


def test_a_worker_that_is_killed_is_told_with_its_log_and_nothing_is_left(larger_scan, tmp_path, monkeypatch):
    results, scratch = tmp_path / "results", tmp_path / "scratch"
    results.mkdir()
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    command = start_medsegai(
        *("segment", larger_scan, "-o", results / "out.seg.nrrd", "--model", MODEL_NAME, "--json", *TORCH),
        *("--overlap", "0.9"),
    )
    (worker,) = _wait_for_the_first_window(command)
    worker.kill()
    out, err = command.communicate(timeout=60)
    error = json.loads(out)["error"]
    assert (command.returncode, error["kind"]) == (2, "WorkerError"), err
    assert list(results.iterdir()) == []
    (log,) = scratch.iterdir()
    assert f"The worker's log: {log}." in error["advice"]


def _wait_for_the_first_window(command) -> list[psutil.Process]:
    """Read progress until windows are under way; returns the processes that the command started."""
    for line in command.stderr:
        progress = json.loads(line).get("progress", {})
        if progress.get("stage", "").startswith("segmenting") and progress["done"] < progress["total"] / 2:
            return psutil.Process(command.pid).children(recursive=True)
    time.sleep(0.1)
    raise AssertionError(f"the run ended before it could be stopped (exit code {command.wait()})")
