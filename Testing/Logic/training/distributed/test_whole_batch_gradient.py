"""The gradient of a batch in parts is that of the batch in one piece, not the mean of the parts' gradients."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from MedSegAI.Logic.training.distributed.whole_batch_gradient import leave_gradients
from MedSegAI.Logic.training.loss import dice_cross_entropy, loss_of_sums, loss_sums


@pytest.fixture
def images() -> Tensor:
    return torch.randn(4, 1, 6, 6, 6, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels(images) -> Tensor:
    """The classes are of very different size from sample to sample, as they are in patches."""
    thresholds = torch.tensor([2.0, 1.0, 0.0, -1.0]).view(4, 1, 1, 1)
    return (images[:, 0] > thresholds).long() + (images[:, 0] > thresholds + 1)


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.InstanceNorm3d(4), nn.GELU(), nn.Conv3d(4, 3, 1)).double()


def sums_of(network: nn.Module, images: Tensor, labels: Tensor, *, seed: int = 0) -> Tensor:
    torch.manual_seed(seed)
    return loss_sums(network(images.double()), labels, background="excluded")


def gradient_of(network: nn.Module) -> Tensor:
    return torch.cat([parameter.grad.flatten() for parameter in network.parameters()])


def gradient_in_parts(
    network: nn.Module, images: Tensor, labels: Tensor, count: int, **options
) -> tuple[Tensor, Tensor]:
    network.zero_grad()
    pairs = zip(images.chunk(count), labels.chunk(count))
    parts = [partial(sums_of, network, some, theirs, seed=number) for number, (some, theirs) in enumerate(pairs)]
    loss = leave_gradients(network, parts, loss_of_sums=loss_of_sums, **options)
    return loss, gradient_of(network)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_parts_leave_the_gradient_of_the_whole(network, images, labels, count):
    expected = dice_cross_entropy(network(images.double()), labels, background="excluded")
    expected.backward()
    wanted = gradient_of(network)
    loss, gradient = gradient_in_parts(network, images, labels, count)
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(gradient, wanted, rtol=1e-9, atol=1e-12)


def test_the_mean_of_the_parts_gradients_would_be_another(network, images, labels):
    _, wanted = gradient_in_parts(network, images, labels, 1)
    each = [gradient_in_parts(network, images[n : n + 1], labels[n : n + 1], 1)[1] for n in range(4)]
    mean = torch.stack(each).mean(dim=0)
    assert float((mean - wanted).norm() / wanted.norm()) > 0.05


def test_sums_of_other_processes_count(network, images, labels):
    _, wanted = gradient_in_parts(network, images, labels, 1)
    halves = [(images[:2], labels[:2]), (images[2:], labels[2:])]
    sums = [sums_of(network, *half).detach() for half in halves]
    shares = [
        gradient_in_parts(network, *half, 2, total_over_processes=lambda mine, other=other: mine + other)[1]
        for half, other in zip(halves, reversed(sums))
    ]
    torch.testing.assert_close(shares[0] + shares[1], wanted, rtol=1e-9, atol=1e-12)


def test_a_factor_multiplies_the_gradient_and_not_the_loss(network, images, labels):
    loss, gradient = gradient_in_parts(network, images, labels, 2)
    same_loss, larger = gradient_in_parts(network, images, labels, 2, factor=torch.tensor(8.0))
    torch.testing.assert_close(same_loss, loss)
    torch.testing.assert_close(larger, 8 * gradient)


def test_what_is_random_in_the_network_is_the_same_in_both_passes(network, images, labels):
    network = nn.Sequential(network, nn.Dropout(0.5))
    masks = torch.cat([self_drawn(seed) for seed in range(2)])
    logits = network[0](images.double()) * masks
    expected = dice_cross_entropy(logits, labels, background="excluded")
    expected.backward()
    wanted = gradient_of(network)
    loss, gradient = gradient_in_parts(network, images, labels, 2)
    torch.testing.assert_close(loss, expected.detach())
    torch.testing.assert_close(gradient, wanted, rtol=1e-9, atol=1e-12)


def self_drawn(seed: int) -> Tensor:
    """What dropout multiplies two samples' logits by after this seed."""
    torch.manual_seed(seed)
    return nn.functional.dropout(torch.ones(2, 3, 6, 6, 6, dtype=torch.float64), 0.5)
