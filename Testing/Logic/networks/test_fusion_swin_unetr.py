"""FusionSwinUNETR takes any number of scans and does not hear one that is missing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.explain.explain import explain
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import read_model
from MedSegAI.Logic.models.weights import build_network, save_model
from MedSegAI.Logic.networks.fusion_swin_unetr import FusionSwinUNETR
from MedSegAI.Logic.networks.hybrid_swin_unetr import HybridSwinUNETR
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from Testing.four_inputs import NAME, registered_sequences, save_four_input_model

TINY = (64, 32, 32)
SMALL = {"feature_size": 12, "window_size": 4}
PARTS = {"feature_selection": "channels", "feature_pyramid": "sum", "refinement": "conditional-random-field"}


def fusing(modalities: int = 3, **arguments: object) -> FusionSwinUNETR:
    torch.manual_seed(2)
    network = FusionSwinUNETR(modalities, 2, **SMALL, refinement_radius=1, **arguments)
    if network.refinement is not None:
        torch.nn.init.normal_(network.refinement.weights)
    return network


def scans(modalities: int = 3) -> torch.Tensor:
    return torch.randn(1, modalities, *TINY, generator=torch.Generator().manual_seed(7))


@pytest.mark.parametrize("parts", [{}, PARTS], ids=["plain", "with all parts"])
def test_the_content_of_a_missing_scan_has_no_part_in_the_logits(parts):
    network = fusing(**parts).eval()
    present = torch.tensor([[True, False, True]])
    volume = scans()
    with torch.no_grad():
        as_zeros = network(volume * present[:, :, None, None, None])
        assert torch.equal(network(volume, present), as_zeros)
        volume[:, 1] = float("nan")
        assert torch.equal(network(volume, present), as_zeros)
        assert not torch.allclose(network(scans()), as_zeros, atol=1e-3)


@pytest.mark.parametrize("modalities", [1, 2, 4])
def test_any_number_of_scans_is_taken_and_any_of_them_may_be_alone(modalities):
    network = fusing(modalities, stems="shared", fusion="mean").eval()
    with torch.no_grad():
        for number in range(modalities):
            alone = torch.zeros(1, modalities, *TINY)
            alone[:, number] = scans(1)[:, 0]
            logits = network(alone)
            assert logits.shape == (1, 2, *TINY)
            assert torch.isfinite(logits).all()


def test_no_scan_at_all_gives_finite_logits():
    with torch.no_grad():
        assert torch.isfinite(fusing().eval()(torch.zeros(1, 3, *TINY))).all()


def test_training_with_dropout_follows_torchs_seed():
    network = fusing(modality_dropout=0.5).train()
    losses = []
    for seed in (0, 0, 1, 2, 3):
        torch.manual_seed(seed)
        losses.append(network(scans()).square().mean().item())
    assert losses[0] == losses[1]
    assert len(set(losses)) > 2


def test_training_without_numbers_gives_every_parameter_a_gradient():
    network = fusing(**PARTS, modality_dropout=0.5).to("meta").train()
    network(torch.empty(2, 3, *TINY, device="meta")).sum().backward()
    assert {parameter.grad.device.type for parameter in network.parameters()} == {"meta"}


def test_autocast_gives_nearly_the_same_logits():
    network = fusing(**PARTS).eval()
    with torch.no_grad():
        expected = network(scans())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = network(scans())
    assert (found.float() - expected).norm() < 0.1 * expected.norm()


def test_its_keys_are_the_hybrid_networks_and_the_fusions():
    network = fusing(**PARTS)
    inner = HybridSwinUNETR(4, 2, image_channels=3, refinement_radius=1, **SMALL, **PARTS).state_dict()
    own = network.state_dict()
    assert {key for key in own if not key.startswith("fusion.")} == set(inner)
    assert all(own[key].shape == inner[key].shape for key in inner)


def test_channels_that_are_no_modalities_are_refused():
    with pytest.raises(InputError, match="cannot take 2 channels") as refused:
        fusing()(scans(2))
    assert "Give 3, with zeros for a scan that is missing" in refused.value.advice


def test_a_fusion_that_is_not_known_is_refused():
    with pytest.raises(ModelError, match="fusion is 'sum', not one of attention, mean"):
        build_network("FusionSwinUNETR", {"in_channels": 2, "out_channels": 2, **SMALL, "fusion": "sum"})


def test_a_run_with_a_missing_optional_scan_ends_as_without_it(data_folder, repository_root, tmp_path):
    """Through a model folder: the run shows a missing T2 as zeros, which the network takes for missing."""
    template = repository_root / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
    save_four_input_model(tmp_path, template)
    card = read_model(tmp_path / NAME).card
    arguments = {**card.network_arguments, "out_channels": 3}
    torch.manual_seed(5)
    network = build_network("FusionSwinUNETR", arguments)
    card = dataclasses.replace(card, network="FusionSwinUNETR", network_arguments=arguments, name="fusing")
    model = save_model(tmp_path / "fusing", card, state=network.state_dict())
    sequences = registered_sequences(data_folder)
    options = {"settings": RunSettings(device="cpu"), "reporter": SilentReporter()}
    without = InputScans({name: scan for name, scan in sequences.items() if name != "T2"})
    result = segment(without, model, **options)
    assert len(np.unique(result.labels.array)) > 1
    label = int(np.bincount(result.labels.array[result.labels.array > 0]).argmax())
    assert explain(without, result, model, target=label, layer=None, **options).array.max() > 0
    assert np.any(segment(InputScans(sequences), model, **options).labels.array != result.labels.array)
