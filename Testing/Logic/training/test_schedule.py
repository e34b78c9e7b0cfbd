"""The learning rate of every step is that of the published schedules."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from MedSegAI.Logic.training.config import OptimiserConfig, ScheduleConfig
from MedSegAI.Logic.training.schedule import learning_rate, rate_of_step, warm_restarts

NO_WARM_UP = OptimiserConfig(learning_rate=0.3, warm_up_steps=0, final_fraction=0.1)
COSINE = ScheduleConfig(kind="cosine")


def torchs_own_rates(epochs: list[float], *, first_epochs: int, factor: int) -> list[float]:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(
        optimiser, T_0=first_epochs, T_mult=factor, eta_min=0.03
    )
    rates = []
    for epoch in epochs:
        schedule.step(epoch)
        rates.append(optimiser.param_groups[0]["lr"])
    return rates


@pytest.mark.parametrize(("first_epochs", "factor"), [(10, 2), (3, 1), (2, 3)])
def test_warm_restarts_are_those_of_torch_at_fractions_of_epochs_too(first_epochs, factor):
    epochs = [step / 7 for step in range(7 * 75)]
    rules = ScheduleConfig(first_epochs=first_epochs, factor=factor)
    ours = [warm_restarts(epoch, rules, NO_WARM_UP) for epoch in epochs]
    assert ours == pytest.approx(torchs_own_rates(epochs, first_epochs=first_epochs, factor=factor), rel=1e-5)


def test_the_rate_restarts_after_10_and_30_epochs(a_config):
    config = dataclasses.replace(a_config, optimiser=NO_WARM_UP, schedule=ScheduleConfig())
    rates = [rate_of_step(step, config, epoch_steps=4, cpu_seconds=0) for step in range(4 * 31)]
    assert [step for step in range(1, len(rates)) if rates[step] > rates[step - 1]] == [40, 120]
    assert rates[0] == rates[40] == rates[120] == 0.3


def test_restarts_warm_up_only_once(a_config):
    config = dataclasses.replace(
        a_config, optimiser=OptimiserConfig(learning_rate=1.0, warm_up_steps=4), schedule=ScheduleConfig()
    )
    rates = [rate_of_step(step, config, epoch_steps=100, cpu_seconds=0) for step in range(4)]
    assert rates == pytest.approx([0.25, 0.5, 0.75, 1.0], rel=1e-3)
    assert rate_of_step(1000, config, epoch_steps=100, cpu_seconds=0) == 1.0


def test_a_single_cosine_warms_up_and_falls_over_all_steps(a_config):
    rules = OptimiserConfig(learning_rate=1.0, warm_up_steps=10, final_fraction=0.1)
    config = dataclasses.replace(a_config, total_steps=110, optimiser=rules, schedule=COSINE)
    for step, rate in {0: 0.1, 9: 1.0, 10: 1.0, 60: 0.55, 110: 0.1}.items():
        assert rate_of_step(step, config, epoch_steps=7, cpu_seconds=0) == pytest.approx(rate)
        assert learning_rate(step, 110, rules) == pytest.approx(rate)


def test_with_a_limit_of_time_a_single_cosine_follows_the_time_used(a_config):
    config = dataclasses.replace(a_config, total_steps=None, cpu_minutes=2.0, optimiser=NO_WARM_UP, schedule=COSINE)
    for seconds, rate in {0: 0.3, 60: 0.165, 120: 0.03}.items():
        assert rate_of_step(5, config, epoch_steps=7, cpu_seconds=seconds) == pytest.approx(rate)


def test_of_two_limits_the_nearer_one_decides(a_config):
    config = dataclasses.replace(a_config, total_steps=10, cpu_minutes=2.0, optimiser=NO_WARM_UP, schedule=COSINE)
    assert rate_of_step(10, config, epoch_steps=7, cpu_seconds=0) == pytest.approx(0.03)
    assert rate_of_step(0, config, epoch_steps=7, cpu_seconds=120) == pytest.approx(0.03)
