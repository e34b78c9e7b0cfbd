"""Our Swin-UNETR is MONAI's, number by number, and refuses what it cannot take with a sentence."""

from __future__ import annotations

import copy

import pytest
import torch

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from Testing.Logic.inference.fake_gpu import FAKE_GPU, fake_gpu

monai_nets = pytest.importorskip("monai.networks.nets.swin_unetr", reason="MONAI is the reference here")

TINY = (64, 32, 32)


@pytest.fixture(autouse=True, scope="module")
def _no_denormals():
    """MONAI's masks of -100 leave denormal numbers behind, which make it many times slower."""
    torch.set_flush_denormal(True)
    yield
    torch.set_flush_denormal(False)


def seeded_input(shape: tuple[int, ...], channels: int = 1, batch: int = 1) -> torch.Tensor:
    return torch.randn(batch, channels, *shape, generator=torch.Generator().manual_seed(7))


def make_attention_matter(network: torch.nn.Module) -> None:
    """Fresh networks attend nearly evenly to all tokens, which would hide a wrong bias or mask."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "bias_table" in name:
                parameter.normal_(0, 1)
            elif "qkv" in name:
                parameter.mul_(4)


def twins(in_channels: int = 1, out_channels: int = 3, **arguments: object) -> tuple[torch.nn.Module, SwinUNETR]:
    """MONAI's network and ours with the same weights."""
    torch.manual_seed(1)
    arguments = {"feature_size": 12, **arguments}
    theirs = monai_nets.SwinUNETR(in_channels=in_channels, out_channels=out_channels, **arguments)
    make_attention_matter(theirs)
    ours = SwinUNETR(in_channels, out_channels, **arguments)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs.eval(), ours.eval()


def relative_difference(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return ((ours.double() - theirs.double()).norm() / theirs.double().norm()).item()


@pytest.mark.parametrize(
    ("shape", "in_channels", "out_channels", "arguments"),
    [
        ((32, 64, 32), 1, 3, {}),
        ((32, 64, 64), 4, 2, {}),
        ((64, 32, 32), 1, 14, {"feature_size": 24}),
        ((32, 32, 64), 1, 4, {"feature_size": 48}),
        ((64, 64, 32), 1, 3, {"window_size": 4}),
        ((64, 32, 64), 1, 3, {"window_size": 8}),
        ((64, 64, 96), 1, 2, {"window_size": (8, 5, 3)}),
        (TINY, 1, 2, {"depths": (2, 3, 1, 2), "num_heads": (3, 6, 6, 12), "mlp_ratio": 2.0}),
        (TINY, 1, 2, {"qkv_bias": False, "patch_norm": True, "downsample": "mergingv2"}),
        (TINY, 1, 2, {"norm_name": ("instance", {"affine": True}), "normalize": False}),
        (TINY, 1, 2, {"use_v2": True}),
    ],
    ids=str,
)
def test_logits_are_monais_within_1e_4(shape, in_channels, out_channels, arguments):
    theirs, ours = twins(in_channels, out_channels, **arguments)
    image = seeded_input(shape, in_channels)
    with torch.no_grad():
        expected, found = theirs(image), ours(image)
    assert expected.abs().max() > 0.5
    assert (found - expected).abs().max() < 1e-4
    assert found.is_contiguous()


def test_state_dicts_go_both_ways_with_every_key_and_buffer_in_the_same_order():
    theirs, ours = twins(use_v2=True)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict(), strict=True)
    for name, value in ours.state_dict().items():
        assert torch.equal(value, theirs.state_dict()[name]), name


def test_gradients_of_the_whole_network_are_monais():
    # Loosely, since rounding turns over leaky ReLUs that stand near zero; the parts are tested strictly beside this.
    theirs, ours = twins(2, 3)
    image = seeded_input((64, 64, 32), 2)
    target = torch.randint(0, 3, (1, 64, 64, 32), generator=torch.Generator().manual_seed(3))
    gradients = []
    for network in (theirs.train(), ours.train()):
        given = image.clone().requires_grad_()
        torch.nn.functional.cross_entropy(network(given), target).backward()
        gradients.append({"input": given.grad, **{name: p.grad for name, p in network.named_parameters()}})
    floor = 1e-5 * max(gradient.norm() for gradient in gradients[0].values())
    for name, expected in gradients[0].items():
        assert (gradients[1][name] - expected).norm() < 0.03 * expected.norm() + floor, name


def test_training_with_adamw_follows_monais_losses():
    theirs, ours = twins()
    image, target = seeded_input(TINY), torch.randint(0, 3, (1, *TINY), generator=torch.Generator().manual_seed(3))
    losses = []
    for network in (theirs.train(), ours.train()):
        optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
        losses.append([])
        for _ in range(2):
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(network(image), target)
            loss.backward()
            optimiser.step()
            losses[-1].append(loss.item())
    assert losses[1] == pytest.approx(losses[0], abs=2e-3)
    assert losses[1][-1] < losses[1][0]


def test_remembered_biases_are_forgotten_when_the_weights_change():
    theirs, ours = twins()
    image = seeded_input(TINY)
    with torch.no_grad():
        before = ours(image)
        for network in (theirs, ours):
            for name, parameter in network.named_parameters():
                if "bias_table" in name:
                    parameter.data.mul_(-2)  # Through .data, which leaves no trace in the version counter.
        after = ours(image)
        assert not torch.allclose(before, after, atol=1e-3)
        assert (after - theirs(image)).abs().max() < 1e-4
        ours.load_state_dict(twins()[1].state_dict())
        assert torch.equal(ours(image), before)


def test_training_and_evaluation_agree_where_nothing_is_dropped():
    ours = twins(drop_rate=0.0, dropout_path_rate=0.0)[1]
    image = seeded_input(TINY)
    with torch.no_grad():
        evaluated = ours(image)
    trained = ours.train()(image)
    assert trained.requires_grad
    assert torch.allclose(trained, evaluated, atol=1e-5)


def test_dropping_changes_training_only_and_keeps_the_scale():
    ours = twins(drop_rate=0.1, attn_drop_rate=0.1, dropout_path_rate=0.3)[1]
    image = seeded_input(TINY)
    with torch.no_grad():
        evaluated = [ours(image) for _ in range(2)]
        trained = [ours.train()(image) for _ in range(2)]
    assert torch.equal(*evaluated)
    assert not torch.allclose(*trained, atol=1e-3)
    assert trained[0].std() == pytest.approx(evaluated[0].std().item(), rel=0.5)


def test_a_path_dropped_for_certain_gives_zero():
    from MedSegAI.Logic.networks.swin_transformer import PathDrop

    assert not PathDrop(1.0).train()(torch.ones(2, 3)).any()
    assert PathDrop(1.0).eval()(torch.ones(2, 3)).all()


def test_gradient_checkpointing_gives_the_same_gradients():
    plain = twins()[1].train()
    frugal = twins(use_checkpoint=True)[1].train()
    for network in (plain, frugal):
        network(seeded_input(TINY)).square().mean().backward()
    for expected, found in zip(plain.parameters(), frugal.parameters()):
        assert torch.allclose(found.grad, expected.grad, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_go_torchs_own_way_to_the_same_logits(dtype):
    theirs, ours = twins()
    image = seeded_input(TINY).to(dtype)
    with torch.no_grad():
        expected = theirs.to(torch.float64)(image.double())
        found = ours.to(dtype)(image)
    assert found.dtype == dtype
    assert relative_difference(found, expected) < (1e-9 if dtype == torch.float64 else 0.1)


def test_autocast_on_the_cpu_is_honoured():
    theirs, ours = twins()
    image = seeded_input(TINY)
    with torch.no_grad():
        expected = theirs(image)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = ours(image)
    assert found.dtype == torch.bfloat16
    assert relative_difference(found, expected) < 0.1


def test_on_a_pretended_gpu_every_tensor_lives_there():
    network = SwinUNETR(1, 3, feature_size=12).eval()
    with fake_gpu() as placeable:
        placeable(network).to(FAKE_GPU)
        with torch.no_grad():
            logits = network(torch.empty(1, 1, *TINY, device=FAKE_GPU))
    assert str(logits.device) == FAKE_GPU
    assert logits.shape == (1, 3, *TINY)


def test_training_without_numbers_gives_every_parameter_a_gradient_where_it_lives():
    network = SwinUNETR(1, 3, feature_size=12, use_v2=True).to("meta").train()
    logits = network(torch.empty(2, 1, 64, 64, 64, device="meta"))
    assert logits.shape == (2, 3, 64, 64, 64)
    logits.sum().backward()
    assert {parameter.grad.device.type for parameter in network.parameters()} == {"meta"}


def test_hooks_inside_a_fused_block_still_fire_and_change_nothing():
    ours = twins()[1]
    image = seeded_input(TINY)
    seen = []
    with torch.no_grad():
        expected = ours(image)
        layers = [ours.decoder2.conv_block.norm1, ours.encoder1.layer.conv3, ours.decoder1.transp_conv, ours.out.conv]
        handles = [layer.register_forward_hook(lambda module, _, __: seen.append(module)) for layer in layers]
        found = ours(image)
    for handle in handles:
        handle.remove()
    assert {id(layer) for layer in layers} == {id(layer) for layer in seen}
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_copy_and_a_pickle_of_a_used_network_give_its_logits():
    ours = twins()[1]
    image = seeded_input(TINY)
    with torch.no_grad():
        assert torch.equal(copy.deepcopy(ours)(image), ours(image))


def test_inference_mode_is_welcome():
    theirs, ours = twins()
    image = seeded_input(TINY)
    with torch.inference_mode():
        assert (ours(image) - theirs(image)).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [((64, 48, 64), "cannot take a patch of 64 x 48 x 64"), ((32, 32, 32), "single voxel at the network's bottleneck")],
)
def test_a_patch_of_the_wrong_size_is_refused_with_a_sentence(shape, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        SwinUNETR(1, 2, feature_size=12)(torch.zeros(1, 1, *shape))
    assert "Make at least one side 64" in caught.value.advice or "multiple of 32" in caught.value.advice


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"patch_size": 4}, "patch_size is 4, but the decoder doubles"),
        ({"feature_size": 20}, "feature_size is 20, not a multiple of 12"),
        ({"drop_rate": 1.5}, "drop_rate is 1.5, not between 0 and 1"),
        ({"depths": (2, 2, 2)}, "must name four stages"),
        ({"downsample": "pooling"}, "downsample is 'pooling'"),
        ({"norm_name": "batch"}, "normalisation 'batch'"),
        ({"norm_name": ("instance", {"eps": 1e-3})}, "normalisation"),
    ],
)
def test_arguments_out_of_range_are_refused_with_a_sentence(arguments, sentence):
    with pytest.raises(ModelError, match=sentence):
        SwinUNETR(1, 2, **arguments)
