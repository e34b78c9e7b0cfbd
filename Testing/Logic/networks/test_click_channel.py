from __future__ import annotations

import math

import pytest
import torch

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.networks.click_channel import ClickChannel

INSIDE = {"in_channels": 2, "out_channels": 2, "feature_size": 12, "window_size": 4}


def test_the_network_inside_sees_the_image_and_a_bright_middle() -> None:
    network = ClickChannel("SwinUNETR", INSIDE, sigma_voxels=4.0)
    seen = []
    network.inside.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    volume = torch.rand(2, 1, 32, 32, 64)
    with torch.no_grad():
        logits = network.eval()(volume)
    assert logits.shape == (2, 2, 32, 32, 64)
    image, click = seen[0][:, :1], seen[0][:, 1]
    assert torch.equal(image, volume)
    middle = click[0, 15:17, 15:17, 31:33]
    assert middle.min() == middle.max() == click.max()
    along = click[0, 15, 15]
    assert torch.allclose(along, along.flip(0))
    # 4.5 and 0.5 voxels from the middle, in a Gaussian of 4.
    assert float(along[27] / along[31]) == pytest.approx(math.exp(-(4.5**2 - 0.5**2) / (2 * 4.0**2)), rel=1e-4)


def test_where_the_click_is_changes_what_is_said() -> None:
    torch.manual_seed(0)
    network = ClickChannel("SwinUNETR", INSIDE).eval()
    volume = torch.full((1, 1, 32, 32, 64), 0.3)
    with torch.no_grad():
        network.sigma_voxels = 2.0
        narrow = network(volume)
        network.sigma_voxels = 12.0
        assert not torch.allclose(narrow, network(volume))


def test_a_card_builds_it_by_name_and_a_network_that_there_is_not_is_named() -> None:
    assert isinstance(build_network("ClickChannel", {"network": "SwinUNETR", "arguments": INSIDE}), ClickChannel)
    with pytest.raises(ModelError, match="no network 'Unet'"):
        ClickChannel("Unet", {})
