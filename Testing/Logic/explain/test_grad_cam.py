"""Grad-CAM++ in 3D: as captum where it must be, finite always, on the lesion, and about the trained weights."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from torch import nn

from MedSegAI.Logic.errors import Cancelled, LabelError, ModelError
from MedSegAI.Logic.explain.grad_cam import ChannelWeights, class_activation_map, explain_array, explain_window
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from MedSegAI.Logic.reporter import SilentReporter

QUIET = SilentReporter()


class BlobFinder(nn.Module):
    """A small network of two resolutions that learns to mark bright balls in noise."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.LeakyReLU(0.01))
        self.coarse = nn.Sequential(nn.Conv3d(4, 12, 3, stride=2, padding=1), nn.LeakyReLU(0.01))
        self.deep = nn.Sequential(nn.Conv3d(12, 12, 3, padding=1), nn.LeakyReLU(0.01))
        self.up = nn.ConvTranspose3d(12, 4, 2, stride=2)
        self.out = nn.Conv3d(8, 2, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        fine = self.fine(image)
        return self.out(torch.cat([self.up(self.deep(self.coarse(fine))), fine], dim=1))


def ball(shape: tuple[int, ...], centre: tuple[int, ...], radius: float) -> np.ndarray:
    grid = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    return sum((axis - c) ** 2 for axis, c in zip(grid, centre)) <= radius**2


def image_with_ball(shape: tuple[int, ...], centre: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """An image (1, k, j, i) of noise with one bright ball, and the ball."""
    mask = ball(shape, centre, 3.5)
    noise = np.random.default_rng(seed).normal(scale=0.3, size=shape).astype(np.float32)
    return (noise + 2 * mask)[None].astype(np.float32), mask


@pytest.fixture(scope="module")
def finder() -> BlobFinder:
    """The network, trained here and now until it finds the ball."""
    torch.manual_seed(0)
    network = BlobFinder()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-2)
    random = np.random.default_rng(1)
    for step in range(60):
        image, mask = image_with_ball((16, 16, 16), tuple(random.integers(4, 12, 3)), seed=step)
        logits = network(torch.from_numpy(image)[None])
        target = torch.from_numpy(mask)[None].long()
        loss = nn.functional.cross_entropy(logits, target, weight=torch.tensor([1.0, 8.0]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.2
    return network.eval()


def heat(network: nn.Module, image: np.ndarray, mask: np.ndarray, **options: object) -> np.ndarray:
    options = {"label": 1, "layer": "deep", "window": (16, 16, 16), "overlap": 0.5, "reporter": QUIET, **options}
    return explain_array(image, mask, network, **options)


def centre_of_mass(array: np.ndarray) -> np.ndarray:
    grid = np.meshgrid(*(np.arange(n) for n in array.shape), indexing="ij")
    return np.array([(axis * array).sum() for axis in grid]) / array.sum()


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


@pytest.mark.parametrize("channel_weights", list(ChannelWeights))
@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e4, 1e30])
def test_huge_and_tiny_logits_give_finite_maps(finder, scale, channel_weights):
    image, mask = image_with_ball((16, 16, 16), (8, 7, 9))
    scaled = BlobFinder()
    scaled.load_state_dict(finder.state_dict())
    with torch.no_grad():
        scaled.out.weight *= scale
        scaled.out.bias *= scale
    found = heat(scaled, image, mask, channel_weights=channel_weights)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() == pytest.approx(1.0)
    assert found[mask].mean() > 3 * found[~mask].mean()


def test_gradients_that_overflow_count_for_nothing():
    features, gradient = torch.ones(2, 2, 2, 2), torch.ones(2, 2, 2, 2)
    gradient[0, 0], gradient[1, 1] = torch.inf, torch.nan
    for channel_weights in ChannelWeights:
        assert torch.isfinite(class_activation_map(features, gradient, channel_weights=channel_weights)).all()


@pytest.mark.parametrize("channel_weights", list(ChannelWeights))
def test_a_gradient_of_nothing_but_zeros_gives_a_map_of_zeros(finder, channel_weights):
    image, mask = image_with_ball((16, 16, 16), (8, 8, 8))
    dead = BlobFinder()
    dead.load_state_dict(finder.state_dict())
    torch.nn.init.zeros_(dead.up.weight)
    assert not heat(dead, image, mask, channel_weights=channel_weights).any()


def test_an_empty_mask_is_refused_with_a_sentence(finder):
    image, mask = image_with_ball((16, 16, 16), (8, 8, 8))
    with pytest.raises(LabelError, match="no voxel of this label"):
        heat(finder, image, np.zeros_like(mask))


def test_the_map_lies_on_the_lesion_and_moves_with_it(finder):
    shape, shift = (32, 40, 24), (10, -12, 6)
    centre = (10, 26, 8)
    found = []
    for position in (centre, tuple(c + s for c, s in zip(centre, shift))):
        image, mask = image_with_ball(shape, position)
        found.append(centre_of_mass(heat(finder, image, mask) ** 2))
        assert np.abs(found[-1] - position).max() < 2.0
    np.testing.assert_allclose(found[1] - found[0], shift, atol=1.5)


def test_the_map_dies_when_the_weights_are_randomised(finder):
    image, mask = image_with_ball((16, 16, 16), (7, 8, 9))
    trained = heat(finder, image, mask)
    inside, outside = trained[mask].mean(), trained[~mask].mean()
    assert inside > 3 * outside
    likeness = []
    for seed in range(5):
        torch.manual_seed(seed)
        random = heat(BlobFinder().eval(), image, mask)
        likeness.append(np.corrcoef(trained.ravel(), random.ravel())[0, 1] if random.any() else 0.0)
    assert np.median(likeness) < 0.6


def test_a_volume_of_one_window_is_that_windows_map_scaled_once(finder):
    image, mask = image_with_ball((16, 16, 16), (8, 8, 8))
    raw = explain_window(finder, image, mask, label=1, layer="deep")
    np.testing.assert_allclose(heat(finder, image, mask), raw / raw.max(), rtol=1e-5)


def test_a_volume_smaller_than_the_window_is_filled_up_and_cut_back(finder):
    image, mask = image_with_ball((12, 16, 10), (6, 8, 5))
    found = heat(finder, image, mask)
    assert found.shape == mask.shape
    assert found[mask].mean() > found[~mask].mean()


def test_only_windows_that_hold_the_label_are_run_and_the_rest_stays_zero(finder):
    class Counting(SilentReporter):
        def __init__(self) -> None:
            super().__init__()
            self.seen: list[tuple[int, int]] = []

        def progress(self, done: int, total: int, stage: str) -> None:
            assert stage
            self.seen.append((done, total))

    image, mask = image_with_ball((64, 16, 16), (8, 8, 8))
    counting = Counting()
    found = heat(finder, image, mask, reporter=counting, overlap=0.0)
    assert counting.seen == [(1, 1)]
    assert not found[16:].any()
    heat(finder, image, mask, reporter=counting)
    assert counting.seen[1:] == [(1, 2), (2, 2)]


def test_cancelling_stops_between_windows(finder):
    class Impatient(SilentReporter):
        asked = 0

        def cancelled(self) -> bool:
            self.asked += 1
            return self.asked > 1

    image, mask = image_with_ball((48, 16, 16), (24, 8, 8))
    with pytest.raises(Cancelled):
        heat(finder, image, mask, reporter=Impatient())


def test_the_network_is_left_as_it_was(finder):
    image, mask = image_with_ball((16, 16, 16), (8, 8, 8))
    network = BlobFinder().train()
    network.out.bias.requires_grad_(False)
    heat(network, image, mask)
    assert network.training
    assert [name for name, p in network.named_parameters() if not p.requires_grad] == ["out.bias"]
    assert all(p.grad is None for p in network.parameters())
    assert not network.deep._forward_hooks


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
