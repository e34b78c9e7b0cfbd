"""The loss is MONAI's, background counted or not."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.training.loss import dice_cross_entropy, loss_of_sums, loss_sums


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(2, 3, 6, 7, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.randint(0, 3, (2, 6, 7, 5), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("background", ["included", "excluded"])
def test_loss_and_gradient_are_those_of_monai(logits, labels, background):
    from monai.losses import DiceCELoss

    theirs = DiceCELoss(include_background=background == "included", to_onehot_y=True, softmax=True, batch=True)
    expected = theirs(logits, labels[:, None])
    (expected_gradient,) = torch.autograd.grad(expected, logits)
    loss = dice_cross_entropy(logits, labels, background=background)
    (gradient,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(loss, expected, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-8, rtol=1e-5)


def test_a_sure_and_right_network_loses_nothing(labels):
    sure = torch.stack([(labels == value) * 40.0 for value in range(3)], dim=1)
    assert float(dice_cross_entropy(sure, labels, background="excluded")) == pytest.approx(0.0, abs=1e-5)


def test_a_class_that_is_nowhere_and_not_predicted_loses_nothing():
    nowhere = torch.zeros(1, 4, 4, 4, dtype=torch.int64)
    sure = torch.tensor([40.0, -40.0, -40.0]).view(1, 3, 1, 1, 1).expand(1, 3, 4, 4, 4)
    assert float(dice_cross_entropy(sure, nowhere, background="excluded")) == pytest.approx(0.0, abs=1e-5)


def test_probabilities_of_one_and_zero_are_label_values(logits, labels):
    certain = torch.stack([labels == value for value in range(3)], dim=1).float()
    expected = dice_cross_entropy(logits, labels, background="excluded")
    torch.testing.assert_close(dice_cross_entropy(logits, certain, background="excluded"), expected)


@pytest.mark.parametrize("soft", [False, True])
def test_a_voxel_of_weight_zero_counts_for_nothing(logits, labels, soft):
    weights = torch.ones(labels.shape)
    weights[:, :3] = 0
    targets = torch.stack([labels == value for value in range(3)], dim=1).float() if soft else labels
    known = targets[:, :, 3:] if soft else targets[:, 3:]
    loss = dice_cross_entropy(logits, targets, background="excluded", weights=weights)
    torch.testing.assert_close(loss, dice_cross_entropy(logits[:, :, 3:], known, background="excluded"))


@pytest.mark.parametrize("background", ["included", "excluded"])
def test_the_sums_of_parts_add_up_to_those_of_the_batch(logits, labels, background):
    weights = torch.rand(labels.shape, generator=torch.Generator().manual_seed(2))
    parts = [
        loss_sums(logits[:1], labels[:1], background=background, weights=weights[:1]),
        loss_sums(logits[1:], labels[1:], background=background, weights=weights[1:]),
    ]
    whole = dice_cross_entropy(logits, labels, background=background, weights=weights)
    torch.testing.assert_close(loss_of_sums(sum(parts)), whole)
    mean = sum(loss_of_sums(part) for part in parts) / 2
    assert float((mean - whole).detach().abs()) > 1e-4, "the mean of the parts' losses is another thing"
