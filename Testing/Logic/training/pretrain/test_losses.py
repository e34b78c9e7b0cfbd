"""What is asked of unlabelled scans, against known answers."""

from __future__ import annotations

import math

import pytest
import torch

from MedSegAI.Logic.training.pretrain.losses import contrast, hidden_difference


def test_only_hidden_voxels_count():
    image = torch.zeros(1, 1, 2, 2, 2)
    guess = torch.full_like(image, 9.0)
    guess[0, 0, 0, 0] = torch.tensor([1.0, -3.0])
    mask = torch.zeros(1, 1, 2, 2, 2, dtype=torch.bool)
    mask[0, 0, 0, 0] = True
    assert hidden_difference(guess, image, mask) == 2.0


def test_contrast_is_the_chance_of_the_other_view_among_all_others():
    embeddings = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    unit = embeddings / embeddings.norm(dim=1, keepdim=True)
    total = 0.0
    for view in range(6):
        others = [math.exp(float(unit[view] @ unit[other]) / 0.5) for other in range(6) if other != view]
        partner = math.exp(float(unit[view] @ unit[view ^ 1]) / 0.5)
        total -= math.log(partner / sum(others))
    assert float(contrast(embeddings, temperature=0.5)) == pytest.approx(total / 6, rel=1e-5)


def test_contrast_of_views_that_all_look_alike_is_that_of_guessing():
    assert float(contrast(torch.ones(8, 3), temperature=0.5)) == pytest.approx(math.log(7))


def test_contrast_is_small_where_each_pair_looks_alike_and_unlike_the_others():
    pairs = torch.eye(4).repeat_interleave(2, dim=0)
    assert float(contrast(pairs, temperature=0.05)) < 1e-6
    assert float(contrast(pairs.roll(1, dims=0), temperature=0.05)) > 5
