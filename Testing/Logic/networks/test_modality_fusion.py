"""Maps of several scans become one mean over those that are there, and what is missing has no part in it."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.networks.modality_fusion import (
    FusionKind,
    ModalityFusion,
    StemKind,
    modalities_present,
    without_missing,
)

SHAPE = (4, 6, 5)


def a_fusion(modalities: int = 3, **arguments: object) -> ModalityFusion:
    torch.manual_seed(1)
    fusion = ModalityFusion(modalities, 4, **arguments).eval()
    for score in fusion.scores or ():
        torch.nn.init.normal_(score.weight)
        torch.nn.init.normal_(score.bias)
    return fusion


def stems_of(fusion: ModalityFusion, volume: torch.Tensor) -> list[torch.Tensor]:
    stems = list(fusion.stems) if len(fusion.stems) > 1 else [fusion.stems[0]] * fusion.modalities
    return [stem(volume[:, number : number + 1]) for number, stem in enumerate(stems)]


@pytest.mark.parametrize("stems", StemKind)
def test_the_mean_counts_those_that_are_there(stems):
    fusion = a_fusion(fusion=FusionKind.MEAN, stems=stems)
    volume = torch.randn(2, 3, *SHAPE)
    present = torch.tensor([[True, True, True], [True, False, True]])
    maps = stems_of(fusion, volume)
    found = fusion(without_missing(volume, present), present)
    assert torch.allclose(found[0], (maps[0] + maps[1] + maps[2])[0] / 3, atol=1e-5)
    assert torch.allclose(found[1], (maps[0] + maps[2])[1] / 2, atol=1e-5)


def test_attention_weights_each_place_by_a_softmax_over_those_that_are_there():
    fusion = a_fusion()
    volume = torch.randn(1, 3, *SHAPE)
    present = torch.tensor([[True, False, True]])
    maps = stems_of(fusion, volume)
    scores = [fusion.scores[number](maps[number]) for number in (0, 2)]
    first = torch.sigmoid(scores[0] - scores[1])
    expected = first * maps[0] + (1 - first) * maps[2]
    assert torch.allclose(fusion(without_missing(volume, present), present), expected, atol=1e-5)


def test_attention_starts_as_the_mean():
    torch.manual_seed(1)
    fresh = ModalityFusion(3, 4)
    mean = ModalityFusion(3, 4, fusion=FusionKind.MEAN)
    mean.load_state_dict(fresh.state_dict(), strict=False)
    volume, present = torch.randn(2, 3, *SHAPE), torch.tensor([[True, True, False], [True, True, True]])
    volume = without_missing(volume, present)
    assert torch.allclose(fresh(volume, present), mean(volume, present), atol=1e-6)


@pytest.mark.parametrize("fusion_kind", FusionKind)
def test_of_nothing_at_all_the_map_is_zero_with_a_finite_gradient(fusion_kind):
    fusion = a_fusion(fusion=fusion_kind)
    volume = torch.zeros(1, 3, *SHAPE)
    present = modalities_present(volume)
    assert not present.any()
    output = fusion(volume, present)
    assert not output.any()
    output.sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in fusion.parameters())


def test_a_channel_is_missing_when_every_voxel_is_exactly_zero():
    volume = torch.zeros(2, 2, *SHAPE)
    volume[0, 1, 3, 2, 1] = 1e-30
    volume[1, 0] = -1
    assert modalities_present(volume).tolist() == [[False, True], [True, False]]


def test_missing_channels_become_zeros_whatever_they_held():
    volume = torch.full((1, 2, *SHAPE), float("nan"))
    volume[:, 0] = 5
    cleaned = without_missing(volume, torch.tensor([[True, False]]))
    assert (cleaned[:, 0] == 5).all()
    assert (cleaned[:, 1] == 0).all()


def test_training_leaves_modalities_out_as_often_as_asked_and_never_all():
    fusion = a_fusion(dropout=0.3).train()
    present = torch.tensor([[True, True, True], [False, True, False], [False, True, True]]).repeat(4000, 1)
    kept = fusion.keep_some(present).view(-1, 3, 3)
    assert kept.any(-1).all()
    assert not (kept & ~present.view(-1, 3, 3)).any()
    assert kept[:, 1, 1].all()
    # A modality of three is out when drawn out, unless all were and it was drawn highest.
    assert kept[:, 0].float().mean() == pytest.approx(0.7 + 0.3**3 / 3, abs=0.02)


def test_dropout_follows_torchs_seed_and_is_for_training_only():
    fusion = a_fusion(dropout=0.5).train()
    present = torch.ones(64, 3, dtype=torch.bool)
    drawn = []
    for _ in range(2):
        torch.manual_seed(8)
        drawn.append(fusion.keep_some(present))
    assert torch.equal(*drawn)
    assert not drawn[0].all()
    assert fusion.eval().keep_some(present).all()


def test_dropping_everything_still_keeps_one():
    kept = a_fusion(dropout=1.0).train().keep_some(torch.ones(50, 3, dtype=torch.bool))
    assert (kept.sum(1) == 1).all()


@pytest.mark.parametrize("arguments", [(0, 4), (2, 0)])
def test_sizes_out_of_range_are_refused_with_a_sentence(arguments):
    with pytest.raises(ModelError, match="cannot be fused"):
        ModalityFusion(*arguments)
    with pytest.raises(ModelError, match=r"dropout of 1\.5"):
        ModalityFusion(2, 4, dropout=1.5)
