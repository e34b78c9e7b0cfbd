"""Each loss is MONAI's, and can be taken from the sums of parts."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.training.config import LossConfig
from MedSegAI.Logic.training.config_tables.loss import LOSS_KINDS
from MedSegAI.Logic.training.loss_kinds import TrainingLoss


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.randn(2, 3, 6, 7, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.randint(0, 3, (2, 6, 7, 5), generator=torch.Generator().manual_seed(1))


def whole(rules: LossConfig, logits, labels, background="excluded", weights=None) -> torch.Tensor:
    loss = TrainingLoss(rules, background)
    return loss.of_sums(loss.sums(logits, labels, weights))


def monais(kind: str, logits, labels, background: str) -> torch.Tensor:
    from monai.losses import DiceLoss, FocalLoss, GeneralizedDiceLoss, TverskyLoss

    shared = {"include_background": background == "included", "to_onehot_y": True, "softmax": True, "batch": True}
    hard = labels[:, None]
    if kind == "dice_focal":
        # MONAI takes the mean over classes, too; the paper the sum.
        focal = FocalLoss(gamma=2.0, to_onehot_y=True, use_softmax=True)(logits, hard) * logits.shape[1]
        return DiceLoss(**shared)(logits, hard) + focal
    region = {
        "dice_ce": lambda: DiceLoss(**shared),
        "generalised_dice_ce": lambda: GeneralizedDiceLoss(**shared),
        "tversky_ce": lambda: TverskyLoss(alpha=0.3, beta=0.7, **shared),
    }[kind]()
    return region(logits, hard) + torch.nn.functional.cross_entropy(logits, labels)


@pytest.mark.parametrize("background", ["included", "excluded"])
@pytest.mark.parametrize("kind", LOSS_KINDS)
def test_loss_and_gradient_are_those_of_monai(logits, labels, kind, background):
    expected = monais(kind, logits, labels, background)
    (expected_gradient,) = torch.autograd.grad(expected, logits)
    loss = whole(LossConfig(kind=kind), logits, labels, background)
    (gradient,) = torch.autograd.grad(loss, logits)
    torch.testing.assert_close(loss, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradient, expected_gradient, atol=1e-7, rtol=1e-4)


@pytest.mark.parametrize("kind", LOSS_KINDS)
def test_a_class_that_is_nowhere_leaves_the_loss_finite(logits, kind):
    nowhere = torch.zeros(2, 6, 7, 5, dtype=torch.int64)
    loss = whole(LossConfig(kind=kind), logits, nowhere)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.isfinite(loss)
    assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("kind", LOSS_KINDS)
def test_the_sums_of_parts_add_up_and_soft_targets_and_weights_count(logits, labels, kind):
    loss = TrainingLoss(LossConfig(kind=kind), "excluded")
    weights = torch.rand(labels.shape, generator=torch.Generator().manual_seed(2))
    soft = torch.stack([labels == value for value in range(3)], dim=1).float()
    parts = [loss.sums(logits[n : n + 1], soft[n : n + 1], weights[n : n + 1]) for n in (0, 1)]
    torch.testing.assert_close(loss.of_sums(sum(parts)), whole(loss.rules, logits, labels, weights=weights))


def test_without_focus_the_focal_loss_is_the_cross_entropy(logits, labels):
    focal = whole(LossConfig(kind="dice_focal", focal_gamma=0.0), logits, labels)
    torch.testing.assert_close(focal, whole(LossConfig(), logits, labels), atol=1e-6, rtol=1e-5)


def test_equal_weights_make_tverskys_index_dice(logits, labels):
    tversky = whole(LossConfig(kind="tversky_ce", missed_weight=0.5), logits, labels)
    torch.testing.assert_close(tversky, whole(LossConfig(), logits, labels), atol=1e-5, rtol=1e-5)
