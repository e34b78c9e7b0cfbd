"""A run can be followed in TensorBoard; without the package it is trained all the same."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.training.config import KeepingConfig
from MedSegAI.Logic.training.tensorboard import TensorBoardWatcher
from MedSegAI.Logic.training.trainer import train
from MedSegAI.Logic.training.watching import StepFacts

FACTS = StepFacts(10, 20, 1, 0.7, 1e-3, 2.0, 5.0, None)


@pytest.fixture
def events_of():
    pytest.importorskip("tensorboard", reason="the extra 'training' is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    def read(folder):
        events = EventAccumulator(str(folder))
        events.Reload()
        return events

    return read


def test_steps_and_epochs_become_curves(events_of, tmp_path):
    watcher = TensorBoardWatcher(tmp_path)
    watcher.step(FACTS)
    watcher.step(dataclasses.replace(FACTS, step=11))
    watcher.epoch({"epoch": 1, "steps": 10, "train_loss": 0.9, "dice_anterior": 0.5, "dice_mean": 0.6})
    watcher.close()
    events = events_of(tmp_path)
    assert [(event.step, round(event.value, 4)) for event in events.Scalars("step/loss")] == [(10, 0.7)]
    assert events.Scalars("step/learning_rate")[0].value == pytest.approx(1e-3)
    assert [events.Scalars(f"dice/{name}")[0].value for name in ("anterior", "mean")] == pytest.approx([0.5, 0.6])
    assert events.Scalars("epoch/train_loss")[0].step == 10


def test_what_a_killed_session_wrote_of_later_steps_is_not_shown_twice(events_of, tmp_path):
    for steps_done, loss in ((0, 0.7), (9, 0.5)):
        watcher = TensorBoardWatcher(tmp_path, steps_done=steps_done)
        watcher.step(dataclasses.replace(FACTS, loss=loss))
        watcher.close()
    assert [round(event.value, 4) for event in events_of(tmp_path).Scalars("step/loss")] == [0.5]


def test_a_run_shows_its_worst_case_now_and_then(events_of, a_config, two_real_crops, tmp_path):
    keeping = KeepingConfig(tensorboard=True, picture_epochs=1, worst_cases=0)
    config = dataclasses.replace(a_config, total_steps=1, keeping=keeping)
    train(config, data=two_real_crops, output=tmp_path, reporter=SilentReporter())
    events = events_of(tmp_path / "tensorboard")
    (picture,) = events.Images("worst_case")
    assert (picture.step, picture.width) == (1, 960)
    assert {"dice/anterior", "dice/posterior", "dice/mean"} <= set(events.Tags()["scalars"])


def test_without_the_package_a_run_goes_on_and_says_how_to_get_it(a_config, two_real_crops, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    config = dataclasses.replace(a_config, total_steps=1, keeping=KeepingConfig(tensorboard=True, worst_cases=0))
    reporter = SilentReporter()
    assert train(config, data=two_real_crops, output=tmp_path, reporter=reporter).steps == 1
    assert reporter.messages[0].endswith("is not installed. Install it: pip install 'medsegai[training]'.")
