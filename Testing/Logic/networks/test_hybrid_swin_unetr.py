"""HybridSwinUNETR is Swin-UNETR until its added parts have learned something, each of them by itself."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.explain.explain import explain
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.models.weights import build_network, load_network, save_model
from MedSegAI.Logic.networks.hybrid_swin_unetr import HybridSwinUNETR
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality, Volume
from Testing.Logic.inference.fake_gpu import FAKE_GPU, fake_gpu

TINY = (64, 32, 32)
SMALL = {"feature_size": 12, "window_size": 4}
PARTS = {
    "feature_selection": "channels-and-places",
    "feature_pyramid": "sum",
    "refinement": "conditional-random-field",
}
# Few neighbours, so that tests are quick.
QUICK = {"refinement_radius": 1, "refinement_iterations": 1}


def hybrid(**arguments: object) -> HybridSwinUNETR:
    torch.manual_seed(1)
    return HybridSwinUNETR(1, 3, **SMALL, **QUICK, **arguments)


def wake(network: HybridSwinUNETR) -> HybridSwinUNETR:
    """Give the added parts something to say."""
    draw = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.startswith(("selections", "pyramid", "refinement")):
                parameter.add_(torch.randn(parameter.shape, generator=draw), alpha=0.2)
    return network


def an_image(shape: tuple[int, ...] = TINY) -> torch.Tensor:
    return torch.randn(1, 1, *shape, generator=torch.Generator().manual_seed(7))


def test_without_parts_it_is_swin_unetr_key_by_key():
    torch.manual_seed(1)
    plain = SwinUNETR(1, 3, **SMALL)
    assert list(hybrid().state_dict()) == list(plain.state_dict())


@pytest.mark.parametrize("part", [*PARTS, "all"])
def test_monais_weights_load_and_give_monais_logits_at_the_start(part):
    nets = pytest.importorskip("monai.networks.nets.swin_unetr", reason="MONAI is the reference here")
    theirs = nets.SwinUNETR(in_channels=1, out_channels=3, **SMALL).eval()
    ours = hybrid(**(PARTS if part == "all" else {part: PARTS[part]})).eval()
    ours.load_backbone(theirs.state_dict())
    with torch.no_grad():
        assert (ours(an_image()) - theirs(an_image())).abs().max() < 1e-4
    added = [key for key in ours.state_dict() if key not in theirs.state_dict()]
    assert added
    assert set(theirs.state_dict()) < set(ours.state_dict())


def test_the_shipped_models_weights_load_and_give_its_logits():
    shipped = load_network(find_model("hippocampus-mr"))
    ours = build_network("HybridSwinUNETR", {**find_model("hippocampus-mr").card.network_arguments, **PARTS}).eval()
    ours.load_backbone(shipped.state_dict())
    with torch.no_grad():
        # The shipped network runs its finest level in machine code, ours does not: they differ by rounding.
        torch.testing.assert_close(ours(an_image((32, 64, 32))), shipped(an_image((32, 64, 32))), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("part", PARTS)
def test_each_part_alone_is_made_changes_the_logits_and_learns(part):
    network = hybrid(**{part: PARTS[part]}).train()
    made = {name.split(".")[0] for name, _ in network.named_parameters()} & {"selections", "pyramid", "refinement"}
    assert len(made) == 1
    with torch.no_grad():
        before = network(an_image())
        assert not torch.allclose(wake(network)(an_image()), before, atol=1e-3)
    target = torch.randint(0, 3, (1, *TINY), generator=torch.Generator().manual_seed(3))
    torch.nn.functional.cross_entropy(network(an_image()), target).backward()
    assert all(torch.isfinite(p.grad).all() and p.grad.any() for p in network.parameters() if p.ndim)


def test_training_steps_are_the_same_bit_by_bit_when_repeated():
    results = []
    for _ in range(2):
        network = wake(hybrid(**PARTS)).train()
        optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
        target = torch.randint(0, 3, (1, *TINY), generator=torch.Generator().manual_seed(3))
        torch.nn.functional.cross_entropy(network(an_image()), target).backward()
        optimiser.step()
        results.append(network.state_dict())
    assert all(torch.equal(results[0][key], results[1][key]) for key in results[0])


def test_weights_of_another_network_are_refused_and_nothing_changes():
    network = hybrid(**PARTS)
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(ModelError, match=r"do not fit the Swin-UNETR inside HybridSwinUNETR: .* and \d+ more"):
        network.load_backbone(SwinUNETR(1, 3, feature_size=24).state_dict())
    lacking = SwinUNETR(1, 3, **SMALL).state_dict()
    del lacking["out.conv.conv.bias"]
    with pytest.raises(ModelError, match=r"HybridSwinUNETR: out.conv.conv.bias\."):
        network.load_backbone(lacking)
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in before.items())


def test_arguments_of_the_refinement_reach_it():
    arguments = {"refinement_iterations": 4, "refinement_radius": [1, 2, 2], "refinement_spacing_mm": [3.0, 1.0, 1.0]}
    network = HybridSwinUNETR(2, 3, **SMALL, **arguments, refinement_contrast=0.1, refinement=PARTS["refinement"])
    field = network.refinement
    assert (field.iterations, field.radius, field.spacing_mm) == (4, (1, 2, 2), (3.0, 1.0, 1.0))
    assert field.log_contrast.exp().tolist() == pytest.approx([0.1, 0.1])


@pytest.mark.parametrize("argument", PARTS)
def test_a_part_that_is_not_known_is_refused_with_what_there_is(argument):
    with pytest.raises(ModelError, match=f"{argument} is 'magic', not one of .*{PARTS[argument]}"):
        build_network("HybridSwinUNETR", {"in_channels": 1, "out_channels": 2, **SMALL, argument: "magic"})


def test_a_patch_of_the_wrong_size_is_refused():
    with pytest.raises(InputError, match="cannot take a patch of 64 x 48 x 64"):
        hybrid()(torch.zeros(1, 1, 64, 48, 64))


def test_autocast_gives_nearly_the_same_logits():
    network = wake(hybrid(**PARTS)).eval()
    with torch.no_grad():
        expected = network(an_image())
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = network(an_image())
    assert (found.float() - expected).norm() < 0.1 * expected.norm()


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_give_the_same_logits(dtype):
    network = wake(hybrid(**PARTS)).eval()
    with torch.no_grad():
        expected = network(an_image())
        found = network.to(dtype)(an_image().to(dtype))
    assert found.dtype == dtype
    assert (found.double() - expected.double()).norm() < (1e-4 if dtype == torch.float64 else 0.1) * expected.norm()


def test_on_a_pretended_gpu_every_tensor_lives_there():
    network = hybrid(**PARTS).eval()
    with fake_gpu() as placeable:
        placeable(network).to(FAKE_GPU)
        with torch.no_grad():
            logits = network(torch.empty(1, 1, *TINY, device=FAKE_GPU))
    assert str(logits.device) == FAKE_GPU
    assert logits.shape == (1, 3, *TINY)


def test_training_without_numbers_gives_every_parameter_a_gradient():
    network = hybrid(**PARTS).to("meta").train()
    network(torch.empty(2, 1, 64, 64, 64, device="meta")).sum().backward()
    assert {parameter.grad.device.type for parameter in network.parameters()} == {"meta"}


def test_a_model_folder_of_it_segments_and_explains(repository_root, tmp_path):
    template = repository_root / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
    card = ModelCard.from_json(template.read_text(encoding="utf-8"))
    arguments = {"in_channels": 1, "out_channels": 3, **SMALL, **QUICK, **PARTS}
    changes = {"network": "HybridSwinUNETR", "network_arguments": arguments, "name": "hybrid", "localiser": None}
    card = dataclasses.replace(card, **changes, saliency_layer="decoder2", components="all", overlap=0.0)
    network = wake(build_network(card.network, card.network_arguments))
    model = save_model(tmp_path / "hybrid", card, state=network.state_dict())
    array = np.random.default_rng(0).normal(size=(32, 64, 32)).astype(np.float32)
    scan = Volume(array, Grid(array.shape), Modality.MR, name="head")
    options = {"settings": RunSettings(device="cpu"), "reporter": SilentReporter()}
    result = segment(scan, model, **options)
    label = int(np.bincount(result.labels.array[result.labels.array > 0]).argmax())
    heat = explain(scan, result, model, target=label, layer=None, **options)
    assert result.labels.array.shape == array.shape
    assert heat.array.max() == pytest.approx(1, abs=1e-3)
