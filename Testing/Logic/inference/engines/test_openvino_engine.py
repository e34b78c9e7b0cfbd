"""The network as OpenVINO runs it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import DeviceError, ModelError
from MedSegAI.Logic.inference.engines import openvino_engine, openvino_graph
from MedSegAI.Logic.inference.engines.bounds import EXACT
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.engines.engine_cache import engine_cache_folder, keep
from MedSegAI.Logic.inference.engines.openvino_engine import open_for
from MedSegAI.Logic.inference.engines.parity import check_windows
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import SilentReporter

pytest.importorskip("openvino", reason="openvino is not installed")


class OutOfMemory:
    """An infer request of a computer whose memory is full."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def infer(self, *_given: object, **_options: object) -> None:
        raise self.error


@pytest.fixture
def opened(a_model, warm_cache):
    return open_for(a_model, open_torch=lambda: EagerEngine(load_network(a_model)), reporter=SilentReporter())


def test_it_is_an_engine_that_names_its_version_and_precision(opened):
    assert isinstance(opened, Engine)
    assert opened.name.startswith("OpenVINO 20") and opened.name.endswith(", float32")
    assert (opened.device_name, opened.logits_device, opened.fallbacks) == ("cpu", "cpu", ())


def test_several_windows_at_once_are_each_what_torch_says(opened, a_model):
    windows = check_windows(a_model.card, count=3)
    logits = opened.predict(windows)
    expected = EagerEngine(load_network(a_model)).predict(windows).numpy()
    assert logits.shape == expected.shape and logits.dtype == np.float32
    # The deepest norm of so small a window divides by the spread of two voxels, which makes rounding larger.
    assert np.abs(logits - expected).max() < EXACT.largest_logit_difference < expected.std() / 10


def test_what_was_given_before_is_not_written_over(opened, a_model):
    windows = check_windows(a_model.card)
    first = opened.predict(windows[:1])
    kept = first.copy()
    opened.predict(windows[1:])
    assert np.array_equal(first, kept)


def test_windows_in_another_layout_and_type_are_taken(opened, a_model):
    windows = check_windows(a_model.card)
    apart = np.asfortranarray(windows.astype(np.float64))
    assert np.array_equal(opened.predict(apart), opened.predict(windows))


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("std::bad_alloc")], ids=["python", "openvino"])
def test_without_memory_it_goes_on_in_torch_and_says_so(opened, a_model, error):
    windows = check_windows(a_model.card)
    opened._request = OutOfMemory(error)
    with pytest.raises(torch.OutOfMemoryError):
        opened.predict(windows)
    sentence = opened.step_down()
    assert opened.fallbacks == (sentence,)
    assert "going on with torch" in sentence
    assert torch.equal(opened.predict(windows), EagerEngine(load_network(a_model)).predict(windows))
    # From here on it is torch's ladder: fewer windows at once, and then nothing more to give up.
    assert "at most 1 windows" in opened.step_down()
    assert len(opened.fallbacks) == 2
    with pytest.raises(DeviceError, match="does not suffice"):
        opened.step_down()


def test_any_other_failure_is_a_sentence(opened, a_model):
    opened._request = OutOfMemory(RuntimeError("Check failed\nsomething in a kernel."))
    with pytest.raises(DeviceError, match="something in a kernel") as raised:
        opened.predict(check_windows(a_model.card))
    assert "'torch'" in raised.value.advice


def test_it_is_built_once_and_again_where_what_was_kept_cannot_be_used(built, a_model, empty_cache, monkeypatch):
    class Compiled:
        """What takes seconds to compile, as it was written."""

        def export_model(self) -> io.BytesIO:
            return io.BytesIO(built)

    monkeypatch.setattr(openvino_engine, "_built", lambda *_given: Compiled())

    def told_when_opened() -> list[str]:
        reporter = SilentReporter()
        open_for(a_model, open_torch=lambda: EagerEngine(load_network(a_model)), reporter=reporter)
        return reporter.messages

    (told,) = told_when_opened()
    assert told.startswith("Preparing the faster engine for 'Hippocampus in T1 MR'")
    assert told_when_opened() == []
    (kept,) = engine_cache_folder().glob("*.network")
    content = kept.read_bytes()
    kept.write_bytes(content[: len(content) // 2])
    assert len(told_when_opened()) == 1
    assert told_when_opened() == []
    # Whole, but not what OpenVINO takes.
    keep(kept, b"of another version")
    assert len(told_when_opened()) == 1
    assert told_when_opened() == []


def test_a_network_that_cannot_be_converted_is_told_with_its_name(a_model, empty_cache, monkeypatch):
    def refuse(*_given: object, **_options: object) -> None:
        raise RuntimeError("No conversion rule found for operations: aten::unheard_of")

    monkeypatch.setattr(openvino_graph, "openvino_model", refuse)
    with pytest.raises(ModelError, match=r"'small-model': No conversion .* aten::unheard_of\."):
        open_for(a_model, open_torch=lambda: EagerEngine(load_network(a_model)), reporter=SilentReporter())


def test_tampered_weights_are_refused_though_the_engine_is_built_already(opened, a_model):
    original = a_model.weights_path.read_bytes()
    a_model.weights_path.write_bytes(original[:-1] + b"\x01")
    try:
        with pytest.raises(ModelError, match="changed or damaged"):
            open_for(a_model, open_torch=lambda: EagerEngine(load_network(a_model)), reporter=SilentReporter())
    finally:
        a_model.weights_path.write_bytes(original)
