"""Weights come from safetensors or a checkpoint of tensors, fit the card, and bring no code along."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model, file_sha256, find_model
from MedSegAI.Logic.models.weights import (
    build_network,
    import_checkpoint,
    load_network,
    load_state,
    read_checkpoint,
)


def test_weights_survive_as_half_precision(a_model: Model, a_network: torch.nn.Module):
    loaded = load_network(a_model).state_dict()
    assert not load_network(a_model).training
    for key, value in a_network.state_dict().items():
        assert loaded[key].dtype == value.dtype
        torch.testing.assert_close(loaded[key], value, rtol=1e-3, atol=1e-4)


def test_tampered_weights_are_refused(a_model: Model):
    content = bytearray(a_model.weights_path.read_bytes())
    content[-1] ^= 1
    a_model.weights_path.write_bytes(content)
    with pytest.raises(ModelError, match="changed or damaged"):
        load_network(a_model)


def test_a_file_that_is_not_safetensors_is_refused_even_with_the_right_digest(a_model: Model):
    a_model.weights_path.write_bytes(b"not tensors")
    card = dataclasses.replace(a_model.card, weights_sha256=file_sha256(a_model.weights_path))
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        load_network(Model(a_model.folder, card))


def test_a_network_of_an_unknown_class_is_refused():
    with pytest.raises(ModelError, match="no network 'VNet'"):
        build_network("VNet", {})


def test_network_arguments_that_do_not_fit_are_refused():
    with pytest.raises(ModelError, match="do not fit SwinUNETR"):
        build_network("SwinUNETR", {"in_channels": 1, "out_channels": 2, "colour": "blue"})


def test_weights_of_another_size_are_refused_by_key(a_network: torch.nn.Module):
    other = build_network("SwinUNETR", {"in_channels": 1, "out_channels": 5, "feature_size": 12})
    with pytest.raises(ModelError, match=r"out\.conv\.conv\.weight .* instead of"):
        load_state(a_network, other.state_dict(), source="The weights")


def test_missing_weights_are_counted(a_network: torch.nn.Module):
    with pytest.raises(ModelError, match="more"):
        load_state(a_network, {}, source="The weights")


@pytest.mark.parametrize("wrap", ["plain", "state_dict", "data-parallel"])
def test_a_monai_checkpoint_imports_unchanged(the_card: ModelCard, tmp_path: Path, wrap: str):
    from monai.networks.nets import SwinUNETR

    torch.manual_seed(2)
    state = SwinUNETR(**the_card.network_arguments).state_dict()
    wrapped = {"plain": state, "state_dict": {"state_dict": state, "epoch": 3}}.get(
        wrap, {f"module.{key}": value for key, value in state.items()}
    )
    torch.save(wrapped, tmp_path / "model.pt")
    model = import_checkpoint(tmp_path / "model.pt", the_card, folder=tmp_path / "imported")
    loaded = load_network(find_model(model.folder)).state_dict()
    torch.testing.assert_close(loaded["out.conv.conv.weight"], state["out.conv.conv.weight"], rtol=1e-3, atol=1e-4)


class Surprise:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.path,))


def test_a_checkpoint_with_code_in_it_is_refused_and_not_run(tmp_path: Path):
    torch.save({"state_dict": Surprise(tmp_path / "was-here")}, tmp_path / "evil.pt")
    with pytest.raises(ModelError, match="checkpoint of tensors: it holds Python objects, not only tensors"):
        read_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "was-here").exists()


def test_a_checkpoint_without_tensors_is_refused(tmp_path: Path):
    torch.save({"epoch": 3}, tmp_path / "empty.pt")
    with pytest.raises(ModelError, match="no state dictionary"):
        read_checkpoint(tmp_path / "empty.pt")


def test_a_missing_checkpoint_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="cannot be read: No such file or directory") as caught:
        read_checkpoint(tmp_path / "nowhere.pt")
    assert caught.value.advice == "Check the path."


def test_a_torn_checkpoint_is_refused(tmp_path: Path):
    (tmp_path / "torn.pt").write_bytes(b"torn")
    with pytest.raises(ModelError, match="checkpoint of tensors: it is none, or it is damaged"):
        read_checkpoint(tmp_path / "torn.pt")


def test_others_may_read_a_saved_model(a_model: Model):
    assert a_model.weights_path.stat().st_mode & 0o044 == 0o044
