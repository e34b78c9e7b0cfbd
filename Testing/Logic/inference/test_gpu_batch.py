"""A GPU computes as many windows at once as surely fit; the CPU one."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.inference import gpu_batch
from MedSegAI.Logic.inference.device import CPU, Device
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.gpu_batch import batch_that_fits, largest_power_of_two
from MedSegAI.Logic.inference.plan import activation_bytes
from MedSegAI.Logic.models.registry import find_model

LIKE_A_GPU = Device("cpu:0", "the CPU in the part of a GPU")
CARD = find_model("hippocampus-mr").card
ONE = activation_bytes(CARD.network_arguments, CARD.window, classes=CARD.class_count)


@pytest.mark.parametrize(
    ("free", "windows", "batch"),
    [(0, 100, 1), (2 * ONE, 100, 1), (4 * ONE, 100, 2), (11 * ONE, 100, 4), (1000 * ONE, 100, 8), (1000 * ONE, 3, 2)],
)
def test_half_of_the_free_memory_is_filled_with_a_power_of_two(monkeypatch, free: int, windows: int, batch: int):
    monkeypatch.setattr(gpu_batch, "free_gpu_memory", lambda device: free if device == LIKE_A_GPU.name else 0)
    engine = EagerEngine(torch.nn.Conv3d(1, 3, 1), device=LIKE_A_GPU)
    assert batch_that_fits(CARD, engine, windows=windows) == batch


def test_on_the_cpu_one_window_is_computed_at_a_time():
    assert batch_that_fits(CARD, EagerEngine(torch.nn.Conv3d(1, 3, 1), device=CPU), windows=100) == 1


def test_powers_of_two():
    assert [largest_power_of_two(n) for n in (0, 1, 2, 3, 4, 7, 8, 9)] == [1, 1, 2, 2, 4, 4, 8, 8]
