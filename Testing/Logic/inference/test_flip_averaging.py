"""Several networks over mirror images answer as one: mirrored back, averaged, and usable like a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from MedSegAI.Logic.inference.flip_averaging import AS_IT_IS, LEFT_RIGHT, AveragedNetwork, mean_probabilities


class LeansToOneSide(nn.Module):
    """Says class 1 more strongly the further to the end of the i axis, whatever it is shown, plus the image itself."""

    def __init__(self, strength: float = 1.0) -> None:
        super().__init__()
        self.strength = strength

    def forward(self, images: Tensor) -> Tensor:
        slope = torch.linspace(-1, 1, images.shape[-1]) * self.strength
        return torch.cat([torch.zeros_like(images), images + slope], dim=1)


IMAGES = torch.randn((2, 1, 3, 4, 5), generator=torch.Generator().manual_seed(1))


def test_an_answer_to_a_mirror_image_is_mirrored_back():
    symmetric = LeansToOneSide(strength=0)
    torch.testing.assert_close(
        mean_probabilities([symmetric], IMAGES), mean_probabilities([symmetric], IMAGES, mirrorings=[AS_IT_IS])
    )


def test_a_network_that_leans_to_one_side_no_longer_does_on_average():
    flat = torch.zeros((1, 1, 3, 4, 5))
    alone = mean_probabilities([LeansToOneSide()], flat, mirrorings=[AS_IT_IS])
    both = mean_probabilities([LeansToOneSide()], flat)
    assert (alone - alone.flip(-1)).abs().max() > 0.4
    torch.testing.assert_close(both, both.flip(-1))


def test_probabilities_are_averaged_over_networks_and_mirror_images():
    one, other = LeansToOneSide(0.5), LeansToOneSide(2.0)
    expected = torch.zeros((2, 2, 3, 4, 5))
    for network in (one, other):
        expected += torch.softmax(network(IMAGES), dim=1) / 4
        expected += torch.softmax(network(IMAGES.flip(-1)), dim=1).flip(-1) / 4
    torch.testing.assert_close(mean_probabilities([one, other], IMAGES), expected)
    torch.testing.assert_close(mean_probabilities([one, other], IMAGES).sum(dim=1), torch.ones((2, 3, 4, 5)))


def test_a_temperature_above_1_softens():
    sharp = mean_probabilities([LeansToOneSide(5.0)], IMAGES, mirrorings=[AS_IT_IS])
    soft = mean_probabilities([LeansToOneSide(5.0)], IMAGES, mirrorings=[AS_IT_IS], temperature=4.0)
    assert (soft - 0.5).abs().max() < (sharp - 0.5).abs().max()


def test_the_averaged_network_gives_logits_whose_softmax_is_the_mean():
    network = AveragedNetwork([LeansToOneSide(0.5), LeansToOneSide(2.0)], mirrorings=LEFT_RIGHT)
    mean = mean_probabilities(list(network.networks), IMAGES)
    torch.testing.assert_close(torch.softmax(network(IMAGES), dim=1), mean)


def test_an_impossible_class_leaves_the_logits_finite():
    assert AveragedNetwork([LeansToOneSide(1e6)])(IMAGES).isfinite().all()
