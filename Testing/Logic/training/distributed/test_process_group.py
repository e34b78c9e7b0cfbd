"""Which backend connects processes, and what is said where it cannot."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.errors import DependencyError, DeviceError, InputError
from MedSegAI.Logic.training.config_tables.distributed import DistributedConfig
from MedSegAI.Logic.training.distributed import process_group
from MedSegAI.Logic.training.distributed.environment import Place
from MedSegAI.Logic.training.distributed.lost_processes import (
    ProcessLostError,
    joining_in_sentences,
    losses_in_sentences,
)
from MedSegAI.Logic.training.distributed.process_group import connected

SECOND_OF_TWO = Place(rank=1, count=2, local_rank=1)


def test_nccl_between_cpus_is_refused():
    with (
        pytest.raises(DeviceError, match=r"distributed.backend is 'nccl', which connects GPUs"),
        connected(SECOND_OF_TWO, backend="nccl", timeout_seconds=1, device=torch.device("cpu")),
    ):
        pass


def test_a_torch_without_the_backend_is_told(monkeypatch):
    monkeypatch.setattr(process_group.distributed, "is_gloo_available", lambda: False)
    with (
        pytest.raises(DependencyError, match="This build of torch has no gloo"),
        connected(SECOND_OF_TWO, backend="auto", timeout_seconds=1, device=torch.device("cpu")),
    ):
        pass


def test_an_error_that_has_nothing_to_do_with_others_stays_what_it_is():
    with pytest.raises(RuntimeError, match="mat1 and mat2"), losses_in_sentences():
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    with (
        pytest.raises(ValueError, match="something else"),
        joining_in_sentences(count=2, port="1", timeout_seconds=1),
    ):
        raise ValueError("something else")


def test_a_peer_that_hangs_is_lost_after_the_time():
    with pytest.raises(ProcessLostError, match="ended or no longer answers"), losses_in_sentences():
        raise RuntimeError("[unbound_buffer.cc:78] Timed out waiting 4000ms for recv operation to complete")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("backend", "mpi", "distributed.backend is 'mpi'"),
        ("accumulate", 0, "distributed.accumulate is 0"),
        ("timeout_seconds", 0.0, "distributed.timeout_seconds is 0"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(field, value, sentence):
    with pytest.raises(InputError, match=sentence):
        DistributedConfig(**{field: value})
