"""Attention at a skip connection weights channels and places, computed by hand, and starts by changing nothing."""

from __future__ import annotations

import math

import pytest
import torch

from MedSegAI.Logic.networks.feature_selection import (
    ChannelWeights,
    DynamicFeatureSelection,
    FeatureSelection,
    PlaceWeights,
)


def fill(parameter: torch.Tensor, values: object) -> None:
    with torch.no_grad():
        parameter.copy_(torch.as_tensor(values).view_as(parameter))


def test_channel_weights_are_squeeze_and_excitation_by_hand():
    weights = ChannelWeights(2, 1, 1)
    fill(weights.squeeze.weight, [1.0, 2.0, 3.0])
    fill(weights.squeeze.bias, [-1.0])
    fill(weights.excite.weight, [0.1, -0.2])
    fill(weights.excite.bias, [0.0, 0.3])
    skip = torch.stack([torch.full((2, 2, 2), 1.0), torch.full((2, 2, 2), 0.5)])[None]
    skip[0, 0, 0, 0, 0] += 8  # The mean of the first channel becomes 2.
    context = torch.full((1, 1, 1, 1, 1), -1 / 3)
    # 1 * 2 + 2 * 0.5 + 3 * (-1/3) - 1 = 1, which the ReLU lets through.
    expected = [1 + math.tanh(0.1), 1 + math.tanh(0.3 - 0.2)]
    assert weights(skip, context).shape == (1, 2, 1, 1, 1)
    assert weights(skip, context).flatten().tolist() == pytest.approx(expected, abs=1e-6)
    # Below zero the hidden layer is silent, and only the bias is left.
    assert weights(skip - 5, context).flatten().tolist() == pytest.approx([1.0, 1 + math.tanh(0.3)], abs=1e-6)


def test_place_weights_compare_map_and_context_at_the_contexts_resolution():
    weights = PlaceWeights(1, 1, 1)
    fill(weights.of_skip.weight, torch.full((8,), 1 / 8))
    fill(weights.of_context.weight, [2.0])
    fill(weights.of_context.bias, [0.5])
    fill(weights.gate.weight, [0.5])
    fill(weights.gate.bias, [-0.25])
    skip = torch.ones(1, 1, 2, 2, 4)
    skip[..., 2:] = 3
    context = torch.tensor([1.0, -4.0]).view(1, 1, 1, 1, 2)
    # Left: relu(1 + 2 + 0.5) / 2 - 0.25 = 1.5; right: relu(3 - 8 + 0.5) / 2 - 0.25 = -0.25.
    left, right = math.tanh(1.5), math.tanh(-0.25)
    expected = [1 + left, 1 + 0.75 * left + 0.25 * right, 1 + 0.25 * left + 0.75 * right, 1 + right]
    found = weights(skip, context)
    assert found.shape == (1, 1, 2, 2, 4)
    assert found[0, 0, 1, 1].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("selection", FeatureSelection)
def test_at_its_start_the_skip_connection_passes_unchanged_and_every_part_can_learn(selection):
    torch.manual_seed(0)
    attention = DynamicFeatureSelection(8, 16, selection=selection)
    skip, context = torch.randn(2, 8, 4, 6, 2), torch.randn(2, 16, 2, 3, 1)
    output = attention(skip, context)
    assert torch.equal(output, skip)
    output.square().sum().backward()
    learning = {name for name, parameter in attention.named_parameters() if parameter.grad.abs().max() > 0}
    assert learning == {name for name, _ in attention.named_parameters() if "excite" in name or "gate" in name}
    kinds = {name.split(".")[0] for name, _ in attention.named_parameters()}
    assert (
        kinds
        == {
            FeatureSelection.CHANNELS: {"channels"},
            FeatureSelection.PLACES: {"places"},
            FeatureSelection.CHANNELS_AND_PLACES: {"channels", "places"},
        }[selection]
    )


def test_both_weights_multiply():
    torch.manual_seed(0)
    both = DynamicFeatureSelection(8, 16)
    for parameter in both.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    skip, context = torch.randn(2, 8, 4, 4, 4), torch.randn(2, 16, 2, 2, 2)
    expected = skip * both.channels(skip, context) * both.places(skip, context)
    assert torch.allclose(both(skip, context), expected, atol=1e-5)
    assert not torch.allclose(both(skip, context), both(skip, context + 1), atol=1e-2)
