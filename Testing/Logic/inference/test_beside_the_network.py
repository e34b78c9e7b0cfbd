"""Work beside the network: a second thread changes no bit, its failures are the caller's, and it never hangs."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.inference import beside_the_network
from MedSegAI.Logic.inference.window_source import ArrayWindows
from MedSegAI.Logic.inference.windows import window_starts
from MedSegAI.Logic.settings import ConfidenceChoice
from Testing.Logic.inference.test_sliding_window import (
    CLASSES,
    WINDOW,
    FunctionEngine,
    PlainEngine,
    RecordingReporter,
    an_image,
    segment,
)

SHAPE = (40, 32, 24)


@pytest.fixture(autouse=True)
def _is_left_in_time() -> None:
    """Whatever a test does, no thread of it stays behind."""
    before = threading.active_count()
    yield
    assert threading.active_count() <= before


@pytest.fixture(params=[1, 2])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(beside_the_network, "_cores", lambda: request.param)
    return request.param


class WhereItIsCut(ArrayWindows):
    """Remembers in which thread windows are cut, and fails at the one it is told."""

    def __init__(self, image: np.ndarray, *, fail_at: int | None = None) -> None:
        super().__init__(image)
        self.threads, self._fail_at = [], fail_at

    def cut(self, start, window, *, fill=0.0):
        self.threads.append(threading.current_thread())
        if len(self.threads) == self._fail_at:
            raise InputError("The file ends early.")
        return super().cut(start, window, fill=fill)


def test_with_two_cores_windows_are_cut_in_a_second_thread(cores):
    source = WhereItIsCut(an_image(SHAPE))
    segment(source)
    here = threading.main_thread()
    assert all((thread is here) == (cores == 1) for thread in source.threads)
    assert len(source.threads) == len(window_starts(SHAPE, WINDOW, overlap=0.5))


@pytest.mark.parametrize("batch", [1, 3])
def test_the_result_has_the_same_bits(monkeypatch, batch):
    found = []
    for count in (1, 2):
        monkeypatch.setattr(beside_the_network, "_cores", lambda count=count: count)
        found.append(segment(an_image(SHAPE), batch=batch, confidence=ConfidenceChoice.PER_VOXEL, skip_below=-0.5))
    np.testing.assert_array_equal(found[0].labels, found[1].labels)
    np.testing.assert_array_equal(found[0].confidence, found[1].confidence)


def test_what_fails_while_cutting_is_raised_here(cores):
    engine = PlainEngine()
    with pytest.raises(InputError, match="ends early"):
        segment(WhereItIsCut(an_image(SHAPE), fail_at=4), engine)
    assert len(engine.batches) <= 3


def test_what_fails_while_writing_is_raised_here(cores):
    class Full:
        shape, dtype = SHAPE, np.dtype(np.uint8)

        def __setitem__(self, k, plane):
            raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        segment(an_image(SHAPE), labels_out=Full())


def test_what_fails_in_the_network_ends_the_run(cores):
    def fail(_windows):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        segment(an_image(SHAPE), FunctionEngine(function=fail))


def test_cancel_is_seen_between_windows(cores):
    engine, reporter = PlainEngine(), RecordingReporter(stop_after=3)
    with pytest.raises(Cancelled):
        segment(an_image(SHAPE), engine, reporter=reporter)
    assert len(engine.batches) == 3


def test_finished_planes_are_told_here_in_order_and_have_their_labels(cores):
    told, image = [], an_image(SHAPE)
    labels = np.full(SHAPE, 255, np.uint8)

    def finished(k: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        assert (labels[:k] < CLASSES).all()
        told.append(k)

    segment(image, labels_out=labels, finished=finished)
    assert told == sorted(set(told))
    assert len(told) > 2
    assert told[-1] == SHAPE[0]


def test_what_is_watched_is_told_here(cores):
    threads = set()
    segment(an_image(SHAPE), watch=lambda _k, _mean: threads.add(threading.current_thread()))
    assert threads == {threading.main_thread()}


def test_after_a_step_down_the_sums_go_on_where_they_were(cores):
    class Stumbling(PlainEngine):
        def predict(self, windows):
            if len(self.batches) == 4 and not self.fallbacks:
                raise torch.OutOfMemoryError("full")
            return super().predict(windows)

        def step_down(self):
            self.fallbacks = ("smaller",)
            return "smaller"

    image, reporter = an_image(SHAPE), RecordingReporter()
    result = segment(image, Stumbling(), reporter=reporter)
    np.testing.assert_array_equal(result.labels, segment(image).labels)
    assert reporter.messages == ["smaller"]
