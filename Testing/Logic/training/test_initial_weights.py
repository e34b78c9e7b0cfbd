"""A network takes over what fits of another's weights, and says how much that was."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.initial_weights import load_fitting_weights


class Two(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(3, 4), nn.Linear(4, classes)


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_tensors_that_fit_are_taken_and_the_rest_stays_random(tmp_path, ending):
    path, given, network = tmp_path / f"weights{ending}", Two(2).state_dict(), Two(5)
    before = network.head.weight.clone()
    save_file(given, path) if ending == ".safetensors" else torch.save({"state_dict": given}, path)
    said = load_fitting_weights(network, path)
    assert said == f"Starting from '{path}': 2 of 4 tensors fit. Random at the start: head."
    assert torch.equal(network.body.weight, given["body.weight"])
    assert torch.equal(network.head.weight, before)


def test_weights_of_which_nothing_fits_are_refused(tmp_path):
    save_file({"other": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"No tensor in '.*other.safetensors' fits Two"):
        load_fitting_weights(Two(2), tmp_path / "other.safetensors")


def test_a_file_that_is_no_safetensors_is_refused(tmp_path):
    (tmp_path / "torn.safetensors").write_bytes(b"torn")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        load_fitting_weights(Two(2), tmp_path / "torn.safetensors")
