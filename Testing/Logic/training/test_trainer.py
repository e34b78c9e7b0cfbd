"""A stopped run ends as an uninterrupted one, and every ending is told in a sentence."""

from __future__ import annotations

import csv
import dataclasses
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml

from MedSegAI.Logic.errors import Cancelled, InputError, StorageError
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training import checkpoint as checkpoints
from MedSegAI.Logic.training.checkpoint import load_checkpoint
from MedSegAI.Logic.training.config import (
    EarlyStoppingConfig,
    KeepingConfig,
    OptimiserConfig,
    config_as_mapping,
    read_config,
)
from MedSegAI.Logic.training.decathlon_set import DecathlonValidationSet
from MedSegAI.Logic.training.run_folder import run_folder
from MedSegAI.Logic.training.trainer import train
from Testing.stops_after import StopsAfter


def the_rows_of(table) -> list[dict[str, str]]:
    with table.open(newline="") as handle:
        return list(csv.DictReader(handle))


def assert_equal_weights(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for key in one:
        assert torch.equal(one[key], other[key]), key


def test_a_cancelled_run_goes_on_from_the_step_it_had_reached(a_config, two_real_crops, tmp_path):
    config = dataclasses.replace(a_config, total_steps=3)
    whole = train(config, data=two_real_crops, output=tmp_path / "whole", reporter=SilentReporter())
    with pytest.raises(Cancelled):
        train(config, data=two_real_crops, output=tmp_path / "parts", reporter=StopsAfter(steps=1))
    assert "Stopped on request, after 1 steps; --resume goes on." in (tmp_path / "parts/report.html").read_text()
    reporter = SilentReporter()
    parts = train(config, data=two_real_crops, output=tmp_path / "parts", reporter=reporter)
    assert reporter.messages[0] == "Going on from step 1 of 3 steps."
    assert_equal_weights(load_checkpoint(whole.checkpoint).average, load_checkpoint(parts.checkpoint).average)
    for name in ("steps", "train_loss", "learning_rate", "dice_mean"):
        assert [row[name] for row in the_rows_of(whole.table)] == [row[name] for row in the_rows_of(parts.table)]


def test_a_run_killed_at_any_moment_ends_with_the_weights_of_an_uninterrupted_one(
    a_config, two_real_crops, tmp_path, repository_root
):
    """Killed in a step, between two checkpoints; gone on with; killed while a checkpoint is half written; gone on."""
    every_step = KeepingConfig(checkpoint_minutes=1e-9, worst_cases=0)
    config = dataclasses.replace(a_config, keeping=every_step)
    path, folder = tmp_path / "config.yaml", tmp_path / "killed"
    path.write_text(yaml.safe_dump(config_as_mapping(config)))
    left = []
    for moment in ("step", "saving"):
        command = [sys.executable, "-m", "Testing.Logic.training.killed_run", path, two_real_crops, folder, moment]
        done = subprocess.run(command, cwd=repository_root, capture_output=True, text=True, timeout=120)
        assert done.returncode == -signal.SIGKILL, done.stderr
        left.append(load_checkpoint(folder / "last.pt").progress)
    assert [(progress.step, len(progress.epoch_losses)) for progress in left] == [(2, 0), (4, 2)]
    assert list(folder.glob(".medsegai-writing-*"))
    parts = train(config, data=two_real_crops, output=folder, reporter=SilentReporter())
    whole = train(config, data=two_real_crops, output=tmp_path / "whole", reporter=SilentReporter())
    one, other = load_checkpoint(whole.checkpoint), load_checkpoint(parts.checkpoint)
    assert_equal_weights(one.network, other.network)
    assert_equal_weights(one.average, other.average)
    for key, state in one.optimiser["state"].items():
        assert_equal_weights(state, other.optimiser["state"][key])
    assert_equal_weights(load_checkpoint(whole.best_checkpoint).average, load_checkpoint(parts.best_checkpoint).average)
    for name in ("best_dice", "best_step", "best_scores", "watch_best", "watch_since"):
        assert getattr(one.progress, name) == getattr(other.progress, name)
    assert [row["train_loss"] for row in one.progress.history] == [row["train_loss"] for row in other.progress.history]
    assert not list(folder.glob(".medsegai-writing-*"))


def test_two_runs_do_not_write_into_one_folder(a_config, two_real_crops, tmp_path):
    with run_folder(tmp_path / "run"), pytest.raises(StorageError, match="Another run is writing into"):
        train(a_config, data=two_real_crops, output=tmp_path / "run", reporter=SilentReporter())


def test_a_run_ends_when_its_processor_time_is_used_up(a_config, two_real_crops, tmp_path):
    config = dataclasses.replace(a_config, total_steps=None, cpu_minutes=1.5 / 60)
    before = time.process_time()
    summary = train(config, data=two_real_crops, output=tmp_path / "run", reporter=SilentReporter())
    assert 1.5 <= summary.cpu_seconds <= time.process_time() - before
    rows = the_rows_of(summary.table)
    assert int(rows[-1]["steps"]) == summary.steps
    assert rows[-1]["dice_mean"], "the last steps are validated"
    again = train(config, data=two_real_crops, output=tmp_path / "run", reporter=SilentReporter())
    assert again.steps == summary.steps, "time of an earlier session counts"
    assert "1.5 minutes" not in summary.report.read_text()
    assert "0.025 minutes of processor time done" in summary.report.read_text()


def test_a_run_leaves_a_table_with_a_row_an_epoch(a_config, two_real_crops, tmp_path):
    reporter = SilentReporter()
    config = dataclasses.replace(a_config, keeping=KeepingConfig(worst_cases=1))
    summary = train(config, data=two_real_crops, output=tmp_path / "run", reporter=reporter)
    rows = the_rows_of(summary.table)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [row["steps"] for row in rows] == ["2", "4"]
    assert list(rows[0]) == [
        *("epoch", "steps", "seconds", "seconds_per_step", "learning_rate", "train_loss"),
        *("dice_anterior", "dice_posterior", "dice_mean", "cpu_seconds"),
    ]
    mean = (float(rows[1]["dice_anterior"]) + float(rows[1]["dice_posterior"])) / 2
    assert float(rows[1]["dice_mean"]) == pytest.approx(mean, abs=1e-5)
    assert summary.steps == 4
    assert summary.best_dice == pytest.approx(max(float(row["dice_mean"]) for row in rows), abs=1e-5)
    assert reporter.messages[-1].startswith("Epoch 2, step 4 of 4: loss ")
    assert not summary.stopped_early
    page = summary.report.read_text()
    assert "Ended as planned: 4 steps done." in page
    assert page.count("data:image/png") == 1, "the worst case, by the best weights"
    assert read_config(tmp_path / "run" / "config.yaml") == config


def test_a_run_that_no_longer_improves_stops_early(a_config, two_real_crops, tmp_path, monkeypatch):
    scores = iter([0.6, 0.5, 0.4, 0.9])
    monkeypatch.setattr(
        DecathlonValidationSet, "score", lambda *_: [dict.fromkeys(("anterior", "posterior"), next(scores))]
    )
    config = dataclasses.replace(a_config, total_steps=10, early_stopping=EarlyStoppingConfig(patience=2))
    summary = train(config, data=two_real_crops, output=tmp_path / "run", reporter=SilentReporter())
    assert summary.stopped_early
    assert summary.steps == 6
    assert summary.best_dice == pytest.approx(0.6)
    assert load_checkpoint(summary.best_checkpoint).progress.step == 2
    assert "Stopped early: val_dice did not improve by more than 0 in 2 valid" in summary.report.read_text()


def test_a_run_of_another_configuration_is_not_continued(a_config, two_real_crops, tmp_path):
    short = dataclasses.replace(a_config, total_steps=1)
    train(short, data=two_real_crops, output=tmp_path / "run", reporter=SilentReporter())
    other = dataclasses.replace(short, seed=7, optimiser=OptimiserConfig(learning_rate=0.5))
    with pytest.raises(InputError, match=r"another configuration \(seed, optimiser\)"):
        train(other, data=two_real_crops, output=tmp_path / "run", reporter=SilentReporter())


def test_a_checkpoint_that_is_none_is_refused_with_a_sentence(a_config, two_real_crops, tmp_path):
    (tmp_path / "last.pt").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"last.pt' is not a checkpoint of a training run"):
        train(a_config, data=two_real_crops, output=tmp_path, reporter=SilentReporter())


def test_a_kill_while_writing_leaves_the_old_checkpoint(a_config, two_real_crops, tmp_path, monkeypatch):
    short = dataclasses.replace(a_config, total_steps=1)
    summary = train(short, data=two_real_crops, output=tmp_path / "run", reporter=SilentReporter())
    before = summary.checkpoint.read_bytes()

    def half_a_file(content, path):
        path.write_bytes(before[:1000])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.torch, "save", half_a_file)
    with pytest.raises(StorageError, match="the disk is full"):
        train(a_config, data=two_real_crops, output=tmp_path / "run", reporter=SilentReporter())
    assert summary.checkpoint.read_bytes() == before
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"last.pt", "best.pt", "epochs.csv", "config.yaml", "report.html", ".running"}


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(a_config, two_real_crops, tmp_path):
    wild = dataclasses.replace(a_config, optimiser=OptimiserConfig(learning_rate=1e30, warm_up_steps=0))
    with pytest.raises(InputError, match=r"The loss is no longer a number at step 2.*Lower optimiser.learning_rate"):
        train(wild, data=two_real_crops, output=tmp_path, reporter=SilentReporter())
    assert "Stopped by an error: The loss is no longer a number at step 2" in (tmp_path / "report.html").read_text()


def test_a_run_leaves_torch_with_the_threads_it_had(a_config, two_real_crops, tmp_path):
    before = torch.get_num_threads()
    config = dataclasses.replace(a_config, threads=before + 1)
    with pytest.raises(Cancelled):
        train(config, data=two_real_crops, output=tmp_path / "run", reporter=StopsAfter(steps=1))
    assert torch.get_num_threads() == before


def test_a_run_may_start_from_the_weights_of_another_and_goes_on_without_them(a_config, two_real_crops, tmp_path):
    short = dataclasses.replace(a_config, total_steps=1)
    first = train(short, data=two_real_crops, output=tmp_path / "first", reporter=SilentReporter())
    weights = tmp_path / "weights.pt"
    first.checkpoint.rename(weights)
    config = dataclasses.replace(short, initial_weights=str(weights))
    reporter = SilentReporter()
    train(config, data=two_real_crops, output=tmp_path / "second", reporter=reporter)
    assert reporter.messages[0].startswith(f"Starting from '{weights}': ")
    weights.unlink()
    train(config, data=two_real_crops, output=tmp_path / "second", reporter=SilentReporter())
