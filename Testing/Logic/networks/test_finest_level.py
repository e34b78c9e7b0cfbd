"""The finest level in machine code equals its modules one after another."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch

from MedSegAI.Logic.networks import finest_level, rows, swin_unetr, vector_code
from MedSegAI.Logic.networks.convolution_blocks import DecoderBlock, EncoderBlock, OutputBlock
from MedSegAI.Logic.networks.finest_level import FinestLevel, SpareMemory
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR

pytestmark = pytest.mark.skipif(not vector_code.lanes(), reason="no machine code can be made here")


def level(*, channels: int = 1, width: int = 12, labels: int = 3) -> FinestLevel:
    torch.manual_seed(3)
    encoder, decoder = EncoderBlock(channels, width), DecoderBlock(width, width)
    return FinestLevel(encoder, decoder, OutputBlock(width, labels), SpareMemory())


def modules_in_turn(parts: FinestLevel, volume: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
    """In double precision."""
    encoder, decoder, out = (copy.deepcopy(m).double() for m in (parts.encoder, parts.decoder, parts.out))
    volume, coarse = volume.double(), coarse.double()
    return out(decoder(coarse, encoder(volume)))


@pytest.mark.parametrize("width", sorted({8, vector_code.lanes()} - {0}))
@pytest.mark.parametrize(("channels", "features", "labels"), [(1, 12, 3), (2, 24, 1)])
@torch.no_grad()
def test_logits_are_those_of_the_modules(width, channels, features, labels, monkeypatch):
    monkeypatch.setattr(finest_level, "lanes", lambda: width)
    parts = level(channels=channels, width=features, labels=labels)
    volume, coarse = 2 + torch.randn(2, channels, 6, 4, 32), torch.randn(2, features, 3, 2, 16)
    assert parts.takes(volume, coarse)
    expected = modules_in_turn(parts, volume, coarse)
    for _ in range(2):  # The second time in the memory of the first.
        assert (parts.logits(volume, coarse) - expected).abs().max() < 1e-5 * expected.abs().max()
    assert parts.logits(volume, coarse).is_contiguous()


@torch.no_grad()
def test_other_shapes_get_memory_of_their_own():
    parts = level()
    for depth in (2, 6, 4):
        volume, coarse = torch.randn(1, 1, depth, 2, 64), torch.randn(1, 12, depth // 2, 1, 32)
        expected = modules_in_turn(parts, volume, coarse)
        assert (parts.logits(volume, coarse) - expected).abs().max() < 1e-5 * expected.abs().max()


@torch.no_grad()
def test_values_far_from_zero_and_constant_ones_lose_no_more_than_float32_must():
    parts = level()
    volume, coarse = 1000 + torch.randn(1, 1, 8, 8, 32), torch.randn(1, 12, 4, 4, 16)
    assert (parts.logits(volume, coarse) - modules_in_turn(parts, volume, coarse)).abs().max() < 2e-3
    assert torch.isfinite(parts.logits(torch.zeros_like(volume), torch.zeros_like(coarse))).all()


@torch.no_grad()
def test_threads_divide_the_planes_and_change_nothing(monkeypatch):
    parts = level()
    volume, coarse = torch.randn(1, 1, 6, 4, 32), torch.randn(1, 12, 3, 2, 16)
    alone = parts.logits(volume, coarse)
    monkeypatch.setattr(rows.torch, "get_num_threads", lambda: 4)
    assert torch.equal(parts.logits(volume, coarse), alone)


def test_gradients_watchers_and_other_precisions_take_the_modules():
    parts = level()
    volume, coarse = torch.randn(1, 1, 2, 2, 32), torch.randn(1, 12, 1, 1, 16)
    assert not parts.takes(volume, coarse)
    with torch.no_grad():
        assert parts.takes(volume, coarse)
        assert not parts.takes(volume.double(), coarse)
        handle = parts.decoder.conv_block.norm2.register_forward_hook(lambda *_: None)
        assert not parts.takes(volume, coarse)
        handle.remove()
        handle = parts.encoder.register_forward_hook(lambda *_: None)
        assert not parts.takes(volume, coarse)


@torch.no_grad()
def test_a_network_uses_it_and_its_copies_do_not_share_memory(monkeypatch):
    network = SwinUNETR(1, 2, feature_size=12, window_size=4, depths=(1, 1, 1, 1)).eval()
    volume = torch.randn(1, 1, 32, 32, 64)
    found = network(volume)
    twin = pickle.loads(pickle.dumps(copy.deepcopy(network)))
    assert twin._memory is not network._memory
    assert torch.equal(twin(volume), found)
    monkeypatch.setattr(finest_level, "lanes", lambda: 0)
    monkeypatch.setattr(swin_unetr.FinestLevel, "logits", None)
    assert (network(volume) - found).abs().max() < 1e-5


def test_a_processor_without_wide_vectors_or_a_missing_package_takes_the_modules(monkeypatch):
    monkeypatch.setattr(vector_code.importlib.util, "find_spec", lambda _: None)
    assert vector_code.lanes.__wrapped__() == 0


def test_an_environment_variable_switches_it_off(monkeypatch):
    assert vector_code.lanes.__wrapped__() > 0
    monkeypatch.setenv("MEDSEGAI_MACHINE_CODE", "0")
    assert vector_code.lanes.__wrapped__() == 0
