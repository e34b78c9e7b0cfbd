"""Heads on a Swin-UNETR, and weights that fit it afterwards."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.training.config import NetworkConfig
from MedSegAI.Logic.training.pretrain.config import PretrainingConfig, ReconstructThrough, TasksConfig
from MedSegAI.Logic.training.pretrain.network import PretrainingNetwork


def network_that_reconstructs(config: PretrainingConfig, through: ReconstructThrough) -> PretrainingNetwork:
    torch.manual_seed(0)
    return PretrainingNetwork(dataclasses.replace(config, reconstruct_through=through.value))


@pytest.mark.parametrize("through", ReconstructThrough)
def test_all_answers_have_the_shape_of_the_question(a_config, through):
    answers = network_that_reconstructs(a_config, through)(torch.randn(2, 1, 32, 64, 32))
    assert answers.reconstruction.shape == (2, 1, 32, 64, 32)
    assert answers.turns.shape == (2, 4)
    assert answers.embedding.shape == (2, 128)


def test_through_the_decoder_every_weight_that_is_kept_learns_from_hidden_voxels_alone(a_config):
    network = network_that_reconstructs(a_config, ReconstructThrough.DECODER)
    network(torch.randn(1, 1, 32, 64, 32)).reconstruction.square().mean().backward()
    kept = set(network.pretrained_state())
    learned = {name for name, value in network.backbone.named_parameters() if value.grad is not None}
    assert {name for name, _ in network.backbone.named_parameters() if name in kept} <= learned
    assert any(name.startswith("decoder1.") for name in kept)
    assert not any(name.startswith("out.") for name in kept)


def test_through_the_encoder_only_the_encoder_is_kept(a_config):
    network = network_that_reconstructs(a_config, ReconstructThrough.ENCODER)
    kept = network.pretrained_state()
    assert {name.split(".")[0] for name in kept} == {"swinViT"}
    assert set(kept) == {name for name in network.backbone.state_dict() if name.startswith("swinViT.")}


@pytest.mark.parametrize("through", ReconstructThrough)
def test_every_tensor_that_is_kept_fits_the_network_that_segments(a_config, through):
    kept = network_that_reconstructs(a_config, through).pretrained_state()
    wanted = build_network("SwinUNETR", a_config.network.arguments).state_dict()
    assert {name: value.shape for name, value in kept.items()} == {name: wanted[name].shape for name in kept}


def test_the_answers_about_turns_come_from_the_features_of_the_whole_network(a_config):
    """The decoder's way looks at the same encoder; nothing stays behind on the network."""
    network = network_that_reconstructs(a_config, ReconstructThrough.DECODER).eval()
    image = torch.randn(1, 1, 32, 64, 32)
    with torch.no_grad():
        answers = network(image)
        deepest = network.backbone.swinViT(image, normalize=network.backbone.normalize)[-1]
        torch.testing.assert_close(answers.turns, network.turns(deepest.mean(dim=(2, 3, 4))))
        torch.testing.assert_close(answers.reconstruction, network.backbone(image))
    assert not network.backbone.swinViT._forward_hooks


def test_without_reconstruction_no_decoder_runs_and_only_the_encoder_is_kept(a_config):
    config = dataclasses.replace(a_config, tasks=TasksConfig(reconstruction=0, contrastive=0))
    network = network_that_reconstructs(config, ReconstructThrough.DECODER)
    assert network(torch.randn(1, 1, 32, 64, 32)).reconstruction is None
    assert {name.split(".")[0] for name in network.pretrained_state()} == {"swinViT"}


def test_a_network_of_several_inputs_is_refused(a_config):
    arguments = {**a_config.network.arguments, "in_channels": 4}
    config = dataclasses.replace(a_config, network=NetworkConfig("SwinUNETR", arguments))
    with pytest.raises(InputError, match=r"takes 4 inputs, and scans without labels are looked at one by one"):
        PretrainingNetwork(config)


def test_a_network_without_a_swin_encoder_is_refused(a_config):
    network = NetworkConfig("ClickChannel", {"network": "SwinUNETR", "arguments": a_config.network.arguments})
    with pytest.raises(InputError, match="'ClickChannel' has no Swin encoder to pretrain"):
        PretrainingNetwork(dataclasses.replace(a_config, network=network))


def test_the_hybrid_network_is_pretrained_without_its_parts_that_work_on_classes(a_config):
    parts = {"feature_selection": "channels-and-places", "feature_pyramid": "sum"}
    parts["refinement"] = "conditional-random-field"
    arguments = a_config.network.arguments | parts
    config = dataclasses.replace(a_config, network=NetworkConfig("HybridSwinUNETR", arguments))
    network = network_that_reconstructs(config, ReconstructThrough.DECODER)
    assert network(torch.randn(1, 1, 32, 64, 32)).reconstruction.shape == (1, 1, 32, 64, 32)
    kept, wanted = network.pretrained_state(), build_network("HybridSwinUNETR", arguments).state_dict()
    assert {name: value.shape for name, value in kept.items()} == {name: wanted[name].shape for name in kept}
    assert {name.split(".")[0] for name in set(wanted) - set(kept)} == {"out", "pyramid", "refinement"}
