"""Volumes are multiplied by a matrix an axis, and doubled as torch's own interpolation doubles them."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from MedSegAI.Logic.networks.axis_products import along_axes, doubled


def test_each_axis_gets_its_own_matrix():
    volume = torch.randn(2, 3, 4, 5, 6, dtype=torch.float64)
    for_k, for_j, for_i = (torch.randn(out, side, dtype=torch.float64) for out, side in ((2, 4), (7, 5), (6, 6)))
    expected = torch.einsum("bckji,ak,dj,ei->bcade", volume, for_k, for_j, for_i)
    assert torch.allclose(along_axes(volume, (for_k, for_j, for_i)), expected, atol=1e-12)


def test_doubling_is_trilinear_interpolation_with_its_gradient():
    for shape in ((1, 2, 3), (4, 5, 1)):
        volume = torch.randn(2, 3, *shape, dtype=torch.float64, requires_grad=True)
        weight = torch.randn(2, 3, *(2 * side for side in shape), dtype=torch.float64)
        results = []
        for double in (doubled, lambda v: F.interpolate(v, scale_factor=2, mode="trilinear")):
            output = double(volume)
            results.append([output, *torch.autograd.grad((output * weight).sum(), volume)])
        for found, expected in zip(*results):
            assert torch.allclose(found, expected, atol=1e-12)


def test_a_line_of_two_voxels_is_doubled_by_hand():
    line = torch.tensor([0.0, 4.0]).view(1, 1, 1, 1, 2)
    assert doubled(line)[0, 0, 0, 0].tolist() == [0.0, 1.0, 3.0, 4.0]
    assert doubled(line).shape == (1, 1, 2, 2, 4)
