"""A patch is turned in a plane in which its sides are equal."""

from __future__ import annotations

import torch

from MedSegAI.Logic.training.pretrain.turns import plane_of_turns, turned


def test_the_plane_is_one_of_equal_sides():
    assert plane_of_turns((96, 96, 96)) == (1, 2)
    assert plane_of_turns((32, 64, 32)) == (0, 2)
    assert plane_of_turns((64, 64, 32)) == (0, 1)
    assert plane_of_turns((32, 64, 96)) is None


def test_four_quarter_turns_lead_back():
    patch = torch.rand(4, 6, 4)
    once = turned(patch, 1, plane=(0, 2))
    assert once.shape == patch.shape
    assert not torch.equal(once, patch)
    assert torch.equal(turned(turned(once, 1, plane=(0, 2)), 2, plane=(0, 2)), patch)
