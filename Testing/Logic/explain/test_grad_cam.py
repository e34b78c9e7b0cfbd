"""Grad-CAM++ in 3D: as captum where it must be, finite always, on the lesion, and about the trained weights."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.explain.grad_cam import ChannelWeights, class_activation_map, explain_window
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from Testing.Logic.explain.blob_finder import ball, image_with_ball


@pytest.mark.parametrize("layer", ["decoder2", "decoder3", "encoder3", "swinViT.layers1.0", "decoder1.conv_block"])
def test_with_plain_means_the_map_is_captums_layer_grad_cam(layer):
    captum = pytest.importorskip("captum.attr", reason="captum is the reference here")
    torch.manual_seed(0)
    network = SwinUNETR(1, 3, feature_size=12).eval()
    window = np.random.default_rng(0).normal(size=(1, 64, 64, 32)).astype(np.float32)
    mask = ball((64, 64, 32), (30, 36, 12), 7)
    inside = torch.from_numpy(mask)

    def score(volume: torch.Tensor) -> torch.Tensor:
        return network(volume)[:, 2][:, inside].sum(dim=1)

    reference = captum.LayerGradCam(score, network.get_submodule(layer))
    attribution = reference.attribute(torch.from_numpy(window)[None], relu_attributions=True)
    expected = captum.LayerAttribution.interpolate(attribution, mask.shape, "trilinear")[0, 0].detach().numpy()
    found = explain_window(network, window, mask, label=2, layer=layer, channel_weights=ChannelWeights.GRAD_CAM)
    assert expected.max() > 0
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=1e-3 * expected.max())


def test_the_alphas_are_those_of_the_paper():
    random = np.random.default_rng(0)
    features, gradient = np.abs(random.normal(size=(5, 3, 4, 2))), random.normal(size=(5, 3, 4, 2))
    alpha = gradient**2 / (2 * gradient**2 + features.sum((1, 2, 3), keepdims=True) * gradient**3)
    weights = (alpha * np.maximum(gradient, 0)).sum((1, 2, 3))
    expected = np.maximum(np.einsum("c,ckji->kji", weights, features), 0)
    found = class_activation_map(
        torch.from_numpy(features), torch.from_numpy(gradient), channel_weights=ChannelWeights.GRAD_CAM_PLUS_PLUS
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_gradients_that_overflow_count_for_nothing():
    features, gradient = torch.ones(2, 2, 2, 2), torch.ones(2, 2, 2, 2)
    gradient[0, 0], gradient[1, 1] = torch.inf, torch.nan
    for channel_weights in ChannelWeights:
        assert torch.isfinite(class_activation_map(features, gradient, channel_weights=channel_weights)).all()


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        ("decoder7", "no layer 'decoder7'.*Did you mean decoder.*main layers are: swinViT, encoder1"),
        ("", "no layer ''"),
        ("swinViT.layers1.0.blocks.0", "gives tokens"),
        ("swinViT.layers1.0.downsample", "gives tokens"),
        ("swinViT.layers1.0.blocks.1.mlp.linear1", "gives tokens"),
        ("swinViT.patch_embed.proj", "no influence on the logits"),
        ("swinViT", "does not give feature maps"),
    ],
)
def test_a_layer_without_feature_maps_is_refused_with_a_sentence(layer, sentence):
    network = SwinUNETR(1, 3, feature_size=12)
    window, mask = np.zeros((1, 64, 32, 32), np.float32), np.ones((64, 32, 32), bool)
    with pytest.raises(ModelError) as caught:
        explain_window(network, window, mask, label=1, layer=layer)
    assert re.search(sentence, str(caught.value))
    assert network.training


def test_a_label_that_the_network_does_not_have_is_refused_with_a_sentence(finder):
    image, mask = image_with_ball((16, 16, 16), (8, 8, 8))
    with pytest.raises(ModelError, match="no class 2; its classes run from 0 to 1"):
        explain_window(finder, image, mask, label=2, layer="deep")


@pytest.mark.parametrize("channel_weights", list(ChannelWeights))
def test_ordinary_numbers_give_in_float32_what_float64_gives(channel_weights):
    random = np.random.default_rng(0)
    features = torch.from_numpy(random.normal(size=(12, 8, 9, 7)).astype(np.float32))
    gradient = torch.from_numpy(random.normal(scale=1e-4, size=(12, 8, 9, 7)).astype(np.float32))
    found = class_activation_map(features, gradient, channel_weights=channel_weights)
    expected = class_activation_map(features.double(), gradient.double(), channel_weights=channel_weights)
    assert (found.dtype, expected.dtype) == (torch.float32, torch.float64)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * float(expected.max()))


def test_numbers_too_large_for_float32_products_are_computed_in_float64():
    features, gradient = torch.full((2, 2, 2, 2), 1e20), torch.full((2, 2, 2, 2), 1e20)
    found = class_activation_map(features, gradient, channel_weights=ChannelWeights.GRAD_CAM_PLUS_PLUS)
    # Eight places, each 1 / sum(A), in two channels of 1e20.
    np.testing.assert_allclose(found, np.full((2, 2, 2), 2 * 8 / (8 * 1e20) * 1e20), rtol=1e-9)
