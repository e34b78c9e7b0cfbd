"""The heat map of a volume: on the lesion wherever it lies, finite always, and only where the label was found."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from MedSegAI.Logic.errors import Cancelled, LabelError
from MedSegAI.Logic.explain.grad_cam import ChannelWeights, explain_window
from MedSegAI.Logic.explain.whole_volume import explain_array, heat_planes, windows_that_hold
from MedSegAI.Logic.inference.windows import cut_window, gaussian_weights, overlap_of_window, window_starts
from MedSegAI.Logic.reporter import SilentReporter
from Testing.Logic.explain.blob_finder import BlobFinder, image_with_ball

QUIET = SilentReporter()


def heat(network: nn.Module, image: np.ndarray, mask: np.ndarray, **options: object) -> np.ndarray:
    options = {"label": 1, "layer": "deep", "window": (16, 16, 16), "overlap": 0.5, "reporter": QUIET, **options}
    return explain_array(image, mask, network, **options)


def centre_of_mass(array: np.ndarray) -> np.ndarray:
    grid = np.meshgrid(*(np.arange(n) for n in array.shape), indexing="ij")
    return np.array([(axis * array).sum() for axis in grid]) / array.sum()


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


def test_the_map_is_the_gaussian_mean_of_all_windows_that_hold_the_label(finder):
    """The formula, written out over arrays of the whole volume."""
    image, mask = image_with_ball((40, 24, 40), (12, 12, 28))
    total, weight_sum = np.zeros((2, *mask.shape), np.float64)
    weights = gaussian_weights((16, 16, 16))
    for start in window_starts(mask.shape, (16, 16, 16), overlap=0.5):
        volume, window = overlap_of_window(start, (16, 16, 16), mask.shape)
        if mask[volume].any():
            cut = cut_window(image, start, (16, 16, 16))
            raw = explain_window(finder, cut, mask[volume], label=1, layer="deep")
            total[volume] += (raw * weights)[window]
            weight_sum[volume] += weights[window]
    expected = total / np.maximum(weight_sum, 1e-9)
    np.testing.assert_allclose(heat(finder, image, mask), expected / expected.max(), atol=1e-5)


def test_planes_leave_in_order_and_cover_no_more_than_the_windows_with_the_label(finder):
    image, mask = image_with_ball((64, 16, 40), (24, 8, 8))
    options = {"label": 1, "layer": "deep", "window": (16, 16, 16), "overlap": 0.5, "reporter": QUIET}
    planes = list(heat_planes(image, mask, finder, **options))
    assert [plane.k for plane in planes] == list(range(8, 40))
    assert all(plane.place == (slice(0, 16), slice(0, 24)) for plane in planes)


def test_a_mask_in_two_corners_asks_for_no_window_between_them():
    mask = np.zeros((64, 64, 64), bool)
    mask[2, 2, 2] = mask[62, 62, 62] = True
    assert windows_that_hold(mask, (16, 16, 16), overlap=0.0) == [(0, 0, 0), (48, 48, 48)]
    assert windows_that_hold(np.zeros_like(mask), (16, 16, 16), overlap=0.0) == []
