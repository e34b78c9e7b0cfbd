"""A shape that comes often is recorded and replayed, to the same numbers; what cannot be recorded is computed."""

from __future__ import annotations

import pytest
import torch

from MedSegAI.Logic.inference.engines.cuda_graphs import SEEN_BEFORE_RECORDING, RecordedForward
from MedSegAI.Logic.networks.swin_unetr import SwinUNETR
from Testing.Logic.inference.fake_cuda import FakeCuda


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    return FakeCuda().install(monkeypatch)


def plus_its_mean(batch: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        return (batch + batch.mean()).relu()


def test_a_shape_is_recorded_once_it_came_often_and_replayed_from_then_on(cuda: FakeCuda):
    recorded = RecordedForward(plus_its_mean)
    draw = torch.Generator().manual_seed(0)
    batches = [torch.randn(2, 1, 4, 4, 4, generator=draw) for _ in range(SEEN_BEFORE_RECORDING + 3)]
    results = [recorded(batch) for batch in batches]
    # None of the earlier results was changed by a later replay.
    for batch, result in zip(batches, results, strict=True):
        torch.testing.assert_close(result, plus_its_mean(batch))
    (graph,) = cuda.graphs
    assert graph.replays == 3


def test_the_last_smaller_batch_gets_no_graph_of_its_own(cuda: FakeCuda):
    recorded = RecordedForward(plus_its_mean)
    for _ in range(SEEN_BEFORE_RECORDING + 1):
        recorded(torch.ones(4, 1, 2, 2, 2))
    torch.testing.assert_close(recorded(torch.ones(3, 1, 2, 2, 2)), torch.full((3, 1, 2, 2, 2), 2.0))
    assert len(cuda.graphs) == 1


def test_our_network_can_be_recorded(cuda: FakeCuda):
    """Where it runs as on a GPU: autocast, so none of the paths for the CPU is taken."""
    torch.manual_seed(0)
    network = SwinUNETR(1, 3, feature_size=12, window_size=2).eval()

    def forward(batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, cache_enabled=False):
            return network(batch).float()

    recorded = RecordedForward(forward)
    batches = [torch.randn(1, 1, 64, 32, 32) for _ in range(2)]
    for _ in range(SEEN_BEFORE_RECORDING):
        recorded(batches[0])
    for batch in batches:
        torch.testing.assert_close(recorded(batch), forward(batch))
    assert [graph.replays for graph in cuda.graphs] == [2]


def test_a_network_that_reads_a_number_back_is_computed_without_a_graph_and_says_why(cuda: FakeCuda):
    recorded = RecordedForward(lambda batch: batch * float(batch.max()))
    for _ in range(SEEN_BEFORE_RECORDING + 3):
        torch.testing.assert_close(recorded(torch.full((1, 2), 3.0)), torch.full((1, 2), 9.0))
    assert cuda.graphs == []
    assert recorded.refusal == (
        "The GPU could not record the network as a graph "
        "(CUDA error: operation not permitted when stream is capturing): computed without."
    )


def test_a_lack_of_memory_while_recording_is_no_lack_of_memory_for_the_windows(cuda: FakeCuda, monkeypatch):
    class NoRoom:
        def __init__(self) -> None:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(torch.cuda, "CUDAGraph", NoRoom)
    recorded = RecordedForward(plus_its_mean)
    for _ in range(SEEN_BEFORE_RECORDING + 1):
        torch.testing.assert_close(recorded(torch.ones(1, 2)), torch.full((1, 2), 2.0))
    assert "memory does not suffice to record" in recorded.refusal
    assert not recorded.holds_memory


def test_what_was_recorded_can_be_given_up(cuda: FakeCuda):
    recorded = RecordedForward(plus_its_mean)
    for _ in range(SEEN_BEFORE_RECORDING + 1):
        recorded(torch.ones(1, 2))
    assert recorded.holds_memory
    recorded.forget(why="Too much.")
    for _ in range(SEEN_BEFORE_RECORDING + 1):
        recorded(torch.ones(1, 2))
    assert not recorded.holds_memory
    assert recorded.refusal == "Too much."
