"""A lower precision changes how is computed, not what is kept."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.learner import Learner
from MedSegAI.Logic.training.opening import open_sets
from MedSegAI.Logic.training.precision import Precision, precision_of
from MedSegAI.Logic.training.processes import OneProcess

CPU = torch.device("cpu")


def after_three_steps(config: TrainingConfig, data) -> tuple[Learner, list[float]]:
    torch.manual_seed(1)
    learner = Learner(build_network(config.network.name, config.network.arguments), config, OneProcess())
    learned, _ = open_sets(config, data)
    losses = []
    for step in range(3):
        losses.append(learner.leave_gradients(learned, step))
        learner.move(step, rate=1e-3)
    return learner, losses


def test_bfloat16_trains_on_a_cpu_and_keeps_weights_gradients_and_moments_in_float32(a_config, two_real_crops):
    lower = dataclasses.replace(a_config, precision="bf16-mixed")
    learner, losses = after_three_steps(lower, two_real_crops)
    _, exact = after_three_steps(dataclasses.replace(lower, precision="fp32"), two_real_crops)
    assert losses == pytest.approx(exact, rel=0.03)
    assert losses != exact
    for parameter in learner.network.parameters():
        assert parameter.dtype == parameter.grad.dtype == torch.float32
        assert torch.isfinite(parameter).all()
        assert learner.optimiser.state[parameter]["exp_avg"].dtype == torch.float32
    assert all(parameter.dtype == torch.float32 for parameter in learner.average.parameters())
    assert learner.state(progress=None).scaler == {}


def test_convolutions_of_few_voxels_have_their_true_gradient_on_a_cpu_in_bfloat16():
    """torch's own, in bfloat16, comes out of memory that nobody wrote to."""
    torch.manual_seed(0)
    layer, image = torch.nn.Conv3d(24, 12, 3, padding=1, bias=False), torch.randn(2, 24, 2, 4, 2)
    (true,) = torch.autograd.grad(layer(image).square().sum(), layer.weight)
    for _ in range(20):
        with Precision("bf16-mixed", CPU).lowered():
            found = layer(image)
            assert torch.nn.functional.linear(image, torch.ones(1, 2)).dtype == torch.bfloat16
        torch.testing.assert_close(torch.autograd.grad(found.square().sum(), layer.weight)[0], true)


def test_float16_on_a_cpu_is_refused_with_a_sentence(a_config):
    with pytest.raises(DeviceError, match=r"'fp16-mixed', which needs a GPU.*Write precision: fp32"):
        precision_of(dataclasses.replace(a_config, precision="fp16-mixed"), CPU)


@pytest.fixture
def a_weight() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(2, 1, bias=False)


def with_scaled_gradients(precision: Precision, weight: torch.nn.Linear) -> None:
    weight.zero_grad()
    (weight(torch.ones(1, 2)).sum() * precision.scale()).backward()


def test_the_scale_of_float16_is_taken_off_before_gradients_are_clipped(a_weight):
    precision, optimiser = Precision("fp16-mixed", CPU), torch.optim.SGD(a_weight.parameters(), lr=1.0)
    before = a_weight.weight.detach().clone()
    with_scaled_gradients(precision, a_weight)
    assert float(a_weight.weight.grad[0, 0]) > 1000
    assert precision.update(a_weight, optimiser, gradient_norm=1.0)
    moved = before - a_weight.weight
    torch.testing.assert_close(moved, torch.full((1, 2), 0.5**0.5), rtol=1e-4, atol=0)


def test_a_step_whose_gradients_overflowed_is_left_out_and_the_scale_lowered(a_weight):
    precision, optimiser = Precision("fp16-mixed", CPU), torch.optim.SGD(a_weight.parameters(), lr=1.0)
    before, scale = a_weight.weight.detach().clone(), float(precision.scale())
    with_scaled_gradients(precision, a_weight)
    a_weight.weight.grad[0, 0] = float("inf")
    assert not precision.update(a_weight, optimiser, gradient_norm=1.0)
    assert torch.equal(a_weight.weight, before)
    assert float(precision.scale()) == scale / 2


def test_the_scale_goes_on_from_a_checkpoint(a_weight):
    precision, optimiser = Precision("fp16-mixed", CPU), torch.optim.SGD(a_weight.parameters(), lr=1.0)
    with_scaled_gradients(precision, a_weight)
    a_weight.weight.grad[0, 0] = float("nan")
    precision.update(a_weight, optimiser, gradient_norm=1.0)
    other = Precision("fp16-mixed", CPU)
    other.load_state_dict(precision.state_dict())
    assert float(other.scale()) == float(precision.scale())
