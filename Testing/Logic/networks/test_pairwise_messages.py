"""Messages between voxels are the sum over all pairs of the window, in values and in gradients, whatever the path."""

from __future__ import annotations

import itertools

import pytest
import torch

from MedSegAI.Logic.networks import pairwise_messages as module
from MedSegAI.Logic.networks.pairwise_messages import half_window, messages_in_plain_steps, pairwise_messages

CASES = [
    ((3, 4, 5), (1, 1, 1), 3, 1),
    ((4, 3, 5), (2, 1, 0), 2, 2),
    ((2, 5, 3), (1, 2, 2), 1, 1),
    ((1, 1, 4), (2, 2, 3), 2, 1),
    ((3, 2, 3), (5, 5, 5), 2, 3),
]


def inputs(shape, radius, classes, channels, *, seed=3):
    """Values, image, scales and weights in float64 that all ask for a gradient."""
    draw = torch.Generator().manual_seed(seed)
    sizes = ((2, classes, *shape), (2, channels, *shape), (channels,), (len(half_window(radius)),))
    return [torch.randn(size, generator=draw, dtype=torch.float64).requires_grad_() for size in sizes]


def by_all_pairs(values, image, scales, log_weights, radius):
    """The definition: every voxel of the volume against every other, in a loop."""
    shape = values.shape[2:]
    weights = dict(zip(half_window(radius), log_weights))
    weights |= {tuple(-step for step in offset): weight for offset, weight in weights.items()}
    voxels = list(itertools.product(*(range(side) for side in shape)))
    features = image * scales[:, None, None, None]
    rows = []
    for here in voxels:
        total = torch.zeros_like(values[:, :, 0, 0, 0])
        for there in voxels:
            weight = weights.get(tuple(b - a for a, b in zip(here, there)))
            if weight is not None:
                unlike = (features[(..., *here)] - features[(..., *there)]).square().sum(1, keepdim=True)
                total = total + torch.exp(weight - unlike) * values[(..., *there)]
        rows.append(total)
    return torch.stack(rows, dim=2).unflatten(2, shape)


def test_half_a_window_holds_one_of_each_opposite_pair():
    offsets = half_window((1, 2, 1))
    assert len(offsets) == (3 * 5 * 3 - 1) // 2
    both = {*offsets, *(tuple(-step for step in offset) for offset in offsets)}
    assert len(both) == 3 * 5 * 3 - 1
    assert (0, 0, 0) not in both


@pytest.mark.parametrize(("shape", "radius", "classes", "channels"), CASES, ids=str)
@pytest.mark.parametrize("stretch", [7, 1 << 17])
def test_values_and_gradients_are_those_of_all_pairs_in_the_window(
    shape, radius, classes, channels, stretch, monkeypatch
):
    monkeypatch.setattr(module, "AT_A_TIME", stretch)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    given = inputs(shape, radius, classes, channels)
    weight = torch.randn(2, classes, *shape, dtype=torch.float64)
    results = []
    for messages in (by_all_pairs, pairwise_messages, messages_in_plain_steps):
        output = messages(*given, radius)
        # Of one voxel alone nothing may depend on the image; then torch has no gradient to give.
        gradients = torch.autograd.grad((output * weight).sum(), given, allow_unused=True)
        results.append([output, *gradients])
    for result in results[1:]:
        for found, expected in zip(result, results[0]):
            assert (found - expected).abs().max() < 1e-10


def test_gradients_pass_torchs_numerical_check():
    given = inputs((2, 2, 3), (1, 0, 1), 2, 2)
    assert torch.autograd.gradcheck(lambda *tensors: pairwise_messages(*tensors, (1, 0, 1)), given)


def test_the_scales_have_the_same_gradient_whether_or_not_the_image_asks_for_one():
    values, image, scales, weights = inputs((3, 4, 2), (1, 2, 1), 2, 2)
    found = [
        torch.autograd.grad(pairwise_messages(values, given, scales, weights, (1, 2, 1)).square().sum(), scales)[0]
        for given in (image, image.detach())
    ]
    assert torch.allclose(*found, rtol=1e-12)


def test_a_lone_voxel_hears_nothing():
    values, image, scales, weights = inputs((1, 1, 1), (2, 2, 2), 2, 1)
    assert not pairwise_messages(values, image, scales, weights, (2, 2, 2)).any()


def test_the_backward_pass_keeps_no_kernel():
    """What autograd keeps is the same for a window of 26 and of 124 neighbours."""
    kept = []
    for reach in (1, 2):
        given = inputs((6, 6, 6), (reach,) * 3, 2, 1)
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda t, s=sizes: (s.append(t.numel()), t)[1], lambda t: t):
            pairwise_messages(*given, (reach,) * 3)
        kept.append(sum(sizes) - given[3].numel())
    assert kept[0] == kept[1] == sum(tensor.numel() for tensor in given[:3])
