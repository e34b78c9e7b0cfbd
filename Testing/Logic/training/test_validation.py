"""The Dice a run is watched with is that of whole images, put together from windows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSegAI.Logic.training.validation import predict_labels


class Thresholds(torch.nn.Module):
    """Class 1 where the image is above zero, else background."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.zeros_like(image), image, torch.full_like(image, -9.0)], dim=1)


@pytest.mark.parametrize("shape", [(20, 30, 20), (40, 50, 35)])
def test_windows_put_together_give_what_the_network_says_of_each_voxel(shape):
    image = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    labels = predict_labels(Thresholds(), image, window=(32, 64, 32), overlap=0.25)
    np.testing.assert_array_equal(labels, image > 0)
