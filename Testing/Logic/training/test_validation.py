"""The Dice a run is watched with is that of whole images, put together from windows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSegAI.Logic.training.data import Case
from MedSegAI.Logic.training.validation import predict_labels, validation_dice


class Thresholds(torch.nn.Module):
    """Class 1 where the image is above zero, else background."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros_like(image), image, torch.full_like(image, -9.0)], dim=1)


@pytest.mark.parametrize("shape", [(20, 30, 20), (40, 50, 35)])
def test_windows_put_together_give_what_the_network_says_of_each_voxel(shape):
    image = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    labels = predict_labels(Thresholds(), image, window=(32, 64, 32), overlap=0.25)
    np.testing.assert_array_equal(labels, image > 0)


def test_the_validation_dice_is_the_mean_over_cases():
    image = np.full((32, 64, 32), -1.0, np.float32)
    image[:4] = 1.0
    half = np.zeros(image.shape, np.uint8)
    half[:2] = 1
    cases = [Case(name, image, label, np.argwhere(label)) for name, label in (("a", half), ("b", half * 0))]
    network = Thresholds().train()
    scores = validation_dice(network, cases, window=(32, 64, 32), overlap=0.0, labels=[1, 2])
    assert scores == {1: pytest.approx((2 * 2 / 6 + 0.0) / 2), 2: 1.0}
    assert network.training
