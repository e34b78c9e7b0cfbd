"""Windows uploaded ahead are there when they are asked for, and only then."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSegAI.Logic.inference.engines.gpu_copies import UploadAhead
from Testing.Logic.inference.fake_cuda import FakeCuda


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    return FakeCuda().install(monkeypatch)


def windows(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(1, 1, 2, 2, 2)).astype(np.float32)


def test_windows_on_their_way_are_waited_for_and_kept_while_they_are_read(cuda: FakeCuda):
    uploads, coming = UploadAhead("cuda:0"), windows(0)
    uploads.begin(coming)
    assert torch.isnan(cuda.made_aside[0]).all(), "nothing was waited for yet"
    taken = uploads.take(coming)
    np.testing.assert_array_equal(taken.numpy(), coming)
    assert taken.read_by is cuda.default
    assert cuda.uploads == 1


def test_windows_that_nobody_announced_are_copied_at_once(cuda: FakeCuda):
    uploads, announced, wanted = UploadAhead("cuda:0"), windows(0), windows(1)
    uploads.begin(announced)
    np.testing.assert_array_equal(uploads.take(wanted).numpy(), wanted)
    np.testing.assert_array_equal(uploads.take(announced).numpy(), announced)
    assert cuda.uploads == 2


def test_windows_of_equal_values_in_another_array_are_not_taken_for_the_announced_ones(cuda: FakeCuda):
    uploads, announced = UploadAhead("cuda:0"), windows(0)
    uploads.begin(announced)
    uploads.take(announced.copy())
    assert cuda.uploads == 2


def test_windows_that_do_not_fit_ahead_are_copied_when_they_are_needed(cuda: FakeCuda):
    uploads, wanted = UploadAhead("cuda:0"), windows(0)
    cuda.room = 0
    uploads.begin(wanted)
    cuda.room = None
    np.testing.assert_array_equal(uploads.take(wanted).numpy(), wanted)


def test_the_next_windows_may_be_announced_before_the_last_ones_are_taken(cuda: FakeCuda):
    uploads, batches = UploadAhead("cuda:0"), [windows(seed) for seed in range(4)]
    uploads.begin(batches[0])
    for batch, following in zip(batches, [*batches[1:], windows(9)]):
        uploads.begin(following)
        np.testing.assert_array_equal(uploads.take(batch).numpy(), batch)
    assert cuda.uploads == 5
