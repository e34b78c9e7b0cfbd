"""Whole blocks are hidden, as many as asked for."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.training.pretrain.masks import random_mask


def mask(shape, block, fraction, seed=0):
    return random_mask(shape, block=block, fraction=fraction, generator=torch.Generator().manual_seed(seed))


def test_whole_blocks_are_hidden_and_as_many_as_asked_for():
    hidden = mask((32, 64, 32), (8, 16, 8), 0.25)
    blocks = hidden.view(4, 8, 4, 16, 4, 8).permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(0, 2).float().mean(dim=1)
    assert sorted(set(blocks.tolist())) == [0.0, 1.0]
    assert int(blocks.sum()) == 16


def test_chance_decides_which():
    assert torch.equal(mask((16, 16, 16), (8, 8, 8), 0.5), mask((16, 16, 16), (8, 8, 8), 0.5))
    assert not torch.equal(mask((32, 32, 32), (8, 8, 8), 0.5), mask((32, 32, 32), (8, 8, 8), 0.5, seed=1))


@pytest.mark.parametrize(("fraction", "share"), [(0.001, 0.125), (0.999, 0.875)])
def test_something_is_always_hidden_and_something_always_seen(fraction, share):
    assert mask((16, 16, 16), (8, 8, 8), fraction).float().mean() == share


def test_blocks_that_do_not_divide_the_patch_are_cut():
    assert mask((10, 10, 10), (8, 8, 8), 0.5).shape == (10, 10, 10)
