"""The loss is MONAI's, background counted or not."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.training.loss import dice_cross_entropy


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(2, 3, 6, 7, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.randint(0, 3, (2, 1, 6, 7, 5), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("background", ["included", "excluded"])
def test_loss_and_gradient_are_those_of_monai(logits, labels, background):
    from monai.losses import DiceCELoss

    theirs = DiceCELoss(include_background=background == "included", to_onehot_y=True, softmax=True, batch=True)
    expected = theirs(logits, labels)
    (expected_gradient,) = torch.autograd.grad(expected, logits)
    loss = dice_cross_entropy(logits, labels, background=background)
    (gradient,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(loss, expected, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-8, rtol=1e-5)


def test_a_sure_and_right_network_loses_nothing(labels):
    sure = torch.stack([(labels[:, 0] == value) * 40.0 for value in range(3)], dim=1)
    assert float(dice_cross_entropy(sure, labels, background="excluded")) == pytest.approx(0.0, abs=1e-5)


def test_a_class_that_is_nowhere_and_not_predicted_loses_nothing():
    nowhere = torch.zeros(1, 1, 4, 4, 4, dtype=torch.int64)
    sure = torch.tensor([40.0, -40.0, -40.0]).view(1, 3, 1, 1, 1).expand(1, 3, 4, 4, 4)
    assert float(dice_cross_entropy(sure, nowhere, background="excluded")) == pytest.approx(0.0, abs=1e-5)
