"""The fused residual block equals its parts one after another, forward and backward."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.networks import convolution_blocks, fused_residual
from MedSegAI.Logic.networks.convolution_blocks import DecoderBlock, ResidualBlock


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "shape"),
    [(1, 12, (16, 8, 12)), (4, 12, (8, 8, 8)), (12, 12, (9, 7, 5)), (24, 12, (16, 16, 16)), (5, 7, (3, 4, 3))],
)
@pytest.mark.parametrize("with_mkldnn", [True, False])
def test_values_and_gradients_are_those_of_the_parts(in_channels, out_channels, shape, with_mkldnn, monkeypatch):
    torch.manual_seed(2)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: with_mkldnn)
    monkeypatch.setattr(fused_residual, "AT_A_TIME", 4096)
    block = ResidualBlock(in_channels, out_channels)
    inputs = 3 + 2 * torch.randn(2, in_channels, *shape)
    weight = torch.randn(2, out_channels, *shape)
    results = []
    for fused in (False, True):
        with monkeypatch.context() as patch:
            patch.setattr(convolution_blocks, "runs_plainly_on_cpu", lambda *_, fused=fused: fused)
            block.zero_grad()
            given = inputs.clone().requires_grad_()
            output = block(given)
            (output * weight).sum().backward()
            with torch.no_grad():
                without = block(inputs)
        results.append([output.detach(), without, given.grad, *(p.grad for p in block.parameters())])
    for expected, found in zip(*results):
        assert torch.allclose(found, expected, rtol=1e-3, atol=2e-4 * expected.abs().max().item())


def test_inputs_far_from_zero_lose_no_accuracy():
    block = ResidualBlock(1, 12)
    inputs = 1000 + torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        found = block(inputs)
        expected = block.double()(inputs.double())
    # 1000 +- 1 in float32 leaves five digits of the variation
    assert (found - expected).abs().max() < 2e-3


def test_a_constant_input_gives_a_finite_output_and_gradient():
    block = ResidualBlock(1, 12)
    inputs = torch.zeros(1, 1, 8, 8, 8, requires_grad=True)
    output = block(inputs)
    output.sum().backward()
    assert torch.isfinite(output).all()
    assert torch.isfinite(inputs.grad).all()


def test_joining_places_each_block_of_the_transposed_convolution():
    block = DecoderBlock(6, 4)
    inputs, skip = torch.randn(2, 6, 3, 4, 5), torch.randn(2, 4, 6, 8, 10)
    with torch.no_grad():
        expected = torch.cat([block.transp_conv(inputs), skip], dim=1)
        assert torch.allclose(block.transp_conv.join(inputs, skip), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 2, 1), (4, 4, 4), (3, 3, 3)])
def test_a_convolution_at_few_positions_is_the_same(shape):
    inputs, weight = torch.randn(1, 10, *shape), torch.randn(6, 10, 3, 3, 3)
    found = fused_residual._convolve_few(inputs.contiguous(memory_format=torch.channels_last_3d), weight)
    assert torch.allclose(found, torch.nn.functional.conv3d(inputs, weight, padding=1), atol=1e-4)
    assert found.is_contiguous(memory_format=torch.channels_last_3d)
