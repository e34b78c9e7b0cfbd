"""The feature pyramid brings every decoder map to full resolution and adds nothing until it is trained."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.networks.feature_pyramid import FeaturePyramid

CHANNELS = (8, 4, 2)


def decoder_maps(batch: int = 2) -> list[torch.Tensor]:
    sizes = ((1, 2, 1), (2, 4, 2), (4, 8, 4))
    return [torch.randn(batch, width, *size) for width, size in zip(CHANNELS, sizes)]


def a_trained_pyramid() -> FeaturePyramid:
    torch.manual_seed(2)
    pyramid = FeaturePyramid(CHANNELS, 3)
    for parameter in pyramid.parameters():
        torch.nn.init.normal_(parameter)
    return pyramid


def test_every_scale_has_logits_of_its_own_size_and_their_sum_has_twice_the_finest():
    pyramid, maps = a_trained_pyramid(), decoder_maps()
    assert [tuple(logits.shape) for logits in pyramid.scale_logits(maps)] == [
        (2, 3, 1, 2, 1),
        (2, 3, 2, 4, 2),
        (2, 3, 4, 8, 4),
    ]
    assert pyramid(maps).shape == (2, 3, 8, 16, 8)


def test_the_sum_is_that_of_each_map_projected_and_doubled_step_by_step():
    pyramid, maps = a_trained_pyramid(), decoder_maps()
    expected = 0
    for steps, (head, features) in zip((3, 2, 1), zip(pyramid.heads, maps)):
        logits = head.conv(features)
        for _ in range(steps):
            logits = F.interpolate(logits, scale_factor=2, mode="trilinear")
        expected = expected + logits
    assert torch.allclose(pyramid(maps), expected, atol=1e-5)


def test_at_its_start_it_adds_zero_and_every_head_can_learn():
    pyramid, maps = FeaturePyramid(CHANNELS, 3), decoder_maps()
    output = pyramid(maps)
    assert not output.any()
    output.square().add(output).sum().backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in pyramid.parameters())


def test_maps_that_do_not_double_are_refused_with_a_sentence():
    pyramid, maps = FeaturePyramid(CHANNELS, 3), decoder_maps()
    with pytest.raises(InputError, match=r"cannot take maps of \(1, 2, 1\), \(2, 4, 2\) voxels"):
        pyramid(maps[:2])
    with pytest.raises(InputError, match="cannot take maps") as refused:
        pyramid([maps[1], maps[0], maps[2]])
    assert "Give 3 maps, the coarsest first" in refused.value.advice
