"""Which engine a run gets, and what is said where it is not the one that was asked for."""

from __future__ import annotations

import copy
import dataclasses
import time

import pytest
import torch

from MedSegAI.Logic.errors import DependencyError, DeviceError, ModelError
from MedSegAI.Logic.inference.device import Device
from MedSegAI.Logic.inference.engines import kinds, openvino_graph
from MedSegAI.Logic.inference.engines import open as opening
from MedSegAI.Logic.inference.engines.engine_cache import keep
from MedSegAI.Logic.inference.engines.kinds import EngineKind, engine_kinds, offered_engines
from MedSegAI.Logic.inference.engines.open import choose_engine, open_engine
from MedSegAI.Logic.inference.engines.openvino_engine import OpenVinoEngine
from MedSegAI.Logic.inference.engines.parity import Parity
from MedSegAI.Logic.inference.engines.verdict import Verdict, place_of_verdict
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import EngineChoice, RunSettings

MANY = 10_000
GOOD = Parity(1.0, 1e-4, 1.0)


@pytest.fixture
def reporter():
    return SilentReporter()


@pytest.fixture
def convert_other_weights(monkeypatch):
    """OpenVINO is given a network whose weights are a little off."""
    real = openvino_graph.openvino_model

    def convert(network, **options):
        other = copy.deepcopy(network)
        with torch.no_grad():
            other.out.conv.conv.bias[1] += 0.3
        return real(other, **options)

    monkeypatch.setattr(openvino_graph, "openvino_model", convert)


def settings(engine: str, device: str = "cpu") -> RunSettings:
    return RunSettings(engine=engine, device=device)


def known_verdict(kind: EngineKind, model, **fields: object) -> Verdict:
    """What an earlier check found."""
    verdict = Verdict(**{"parity": GOOD, "torch_seconds": 1.0, "engine_seconds": 0.5} | fields)
    assert keep(place_of_verdict(kind, model), verdict.to_json().encode())
    return verdict


def refuse_memory(*_given: object, **_options: object) -> None:
    raise torch.OutOfMemoryError("full")


def test_a_short_run_takes_torch_and_checks_nothing(a_model, empty_cache, reporter):
    engine = open_engine(a_model, settings=settings("auto"), reporter=reporter, windows=4)
    assert engine.name == "torch eager"
    assert reporter.messages == []
    assert not empty_cache.exists()


def test_a_long_run_is_checked_once_and_takes_what_the_check_says(a_model, warm_cache, openvino_kind, reporter):
    place = place_of_verdict(openvino_kind, a_model)
    chosen = choose_engine(a_model, settings=settings("auto"), reporter=reporter, windows=MANY)
    assert reporter.messages[0].startswith("Checking once whether OpenVINO gives what torch gives")
    assert reporter.messages[-1].startswith("OpenVINO gives what torch gives (Dice ")
    verdict = Verdict.from_json(place.read_bytes()[32:].decode())
    assert verdict.passes(openvino_kind)
    assert (chosen.choice is EngineChoice.OPENVINO) == verdict.is_faster
    reporter.messages.clear()
    assert choose_engine(a_model, settings=settings("auto"), reporter=reporter, windows=MANY) == chosen
    assert reporter.messages == []


@pytest.mark.parametrize(("seconds", "choice"), [(0.5, "openvino"), (0.95, "torch"), (2.0, "torch")])
def test_auto_takes_it_only_where_it_is_clearly_faster_here(
    a_model, empty_cache, openvino_kind, reporter, seconds, choice
):
    known_verdict(openvino_kind, a_model, engine_seconds=seconds)
    chosen = choose_engine(a_model, settings=settings("auto"), reporter=reporter, windows=MANY)
    assert (chosen.choice.value, chosen.device.name, chosen.fallback) == (choice, "cpu", "")


def test_who_asks_for_it_gets_it_though_it_is_slower(a_model, empty_cache, openvino_kind, reporter):
    known_verdict(openvino_kind, a_model, engine_seconds=9.0)
    chosen = choose_engine(a_model, settings=settings("openvino", "auto"), reporter=reporter)
    assert chosen.choice is EngineChoice.OPENVINO


def test_an_engine_that_says_something_else_is_never_taken(
    a_model, empty_cache, openvino_kind, convert_other_weights, reporter
):
    with pytest.raises(
        ModelError, match=r"does not give what torch gives: Dice 0\.\d{4}, logits within 0\.3"
    ) as raised:
        open_engine(a_model, settings=settings("openvino"), reporter=reporter)
    assert "at least 0.999 and within 0.02" in raised.value.problem
    assert "'torch'" in raised.value.advice
    automatic = open_engine(a_model, settings=settings("auto"), reporter=reporter, windows=MANY)
    assert automatic.name == "torch eager"
    assert sum(message.startswith("Checking once") for message in reporter.messages) == 1


def test_a_network_that_cannot_be_converted_is_remembered(a_model, empty_cache, openvino_kind, monkeypatch, reporter):
    def refuse(*_given: object, **_options: object) -> None:
        raise RuntimeError("aten::unheard_of")

    monkeypatch.setattr(openvino_graph, "openvino_model", refuse)
    for _twice in range(2):
        with pytest.raises(ModelError, match=r"cannot run this model: .*unheard_of"):
            open_engine(a_model, settings=settings("openvino"), reporter=reporter)
    assert sum(message.startswith("Checking once") for message in reporter.messages) == 1


def test_what_fails_while_it_is_checked_is_not_taken_today(a_model, warm_cache, openvino_kind, monkeypatch, reporter):
    def fail(*_given: object) -> None:
        raise RuntimeError("the primitive failed")

    monkeypatch.setattr(OpenVinoEngine, "_infer", fail)
    assert open_engine(a_model, settings=settings("auto"), reporter=reporter, windows=MANY).name == "torch eager"
    with pytest.raises(ModelError, match=r"cannot run this model: .*primitive failed"):
        open_engine(a_model, settings=settings("openvino"), reporter=reporter)
    assert not place_of_verdict(openvino_kind, a_model).exists()


@pytest.mark.parametrize("content", [b"no JSON", b"null", b'{"parity": null, "from": "the future"}'])
def test_a_verdict_that_cannot_be_read_is_found_again(a_model, warm_cache, openvino_kind, reporter, content):
    keep(place_of_verdict(openvino_kind, a_model), content)
    open_engine(a_model, settings=settings("openvino"), reporter=reporter)
    assert reporter.messages[0].startswith("Checking once")


def test_a_package_that_is_missing_today_is_looked_for_again_tomorrow(
    a_model, empty_cache, openvino_kind, monkeypatch, reporter
):
    def refuse(*_given: object, **_options: object) -> None:
        raise DependencyError("A package is missing.", advice="Install it.")

    with monkeypatch.context() as patch:
        patch.setattr(openvino_graph, "openvino_model", refuse)
        with pytest.raises(ModelError, match="A package is missing"):
            open_engine(a_model, settings=settings("openvino"), reporter=reporter)
    assert not place_of_verdict(openvino_kind, a_model).exists()


def test_without_memory_it_is_torch_and_the_result_says_so(a_model, empty_cache, openvino_kind, monkeypatch, reporter):
    monkeypatch.setattr(openvino_graph, "openvino_model", refuse_memory)
    engine = open_engine(a_model, settings=settings("openvino"), reporter=reporter)
    assert engine.name == "torch eager"
    assert engine.fallbacks == ("The memory does not suffice for OpenVINO: computing with torch.",)
    assert engine.fallbacks[0] in reporter.messages
    automatic = open_engine(a_model, settings=settings("auto"), reporter=reporter, windows=MANY)
    assert (automatic.name, automatic.fallbacks) == ("torch eager", ())
    assert not place_of_verdict(openvino_kind, a_model).exists(), "the memory may be there again tomorrow"


def test_memory_that_went_since_the_check_is_a_fallback_too(a_model, empty_cache, openvino_kind, monkeypatch, reporter):
    known_verdict(openvino_kind, a_model)
    monkeypatch.setattr(openvino_graph, "openvino_model", refuse_memory)
    engine = open_engine(a_model, settings=settings("openvino"), reporter=reporter)
    assert engine.name == "torch eager" and len(engine.fallbacks) == 1


def test_what_is_not_installed_is_said_with_the_line_that_installs_it(a_model, empty_cache, monkeypatch, reporter):
    monkeypatch.setattr(kinds, "_version_of", lambda package: None)
    with pytest.raises(DependencyError, match="OpenVINO is not installed") as raised:
        open_engine(a_model, settings=settings("openvino"), reporter=reporter)
    assert "pip install openvino" in raised.value.advice
    automatic = open_engine(a_model, settings=settings("auto"), reporter=reporter, windows=MANY)
    assert automatic.name == "torch eager"
    assert reporter.messages == []


def test_what_this_version_has_no_code_for_is_said(a_model, monkeypatch, reporter):
    monkeypatch.setattr(kinds, "_KINDS", ())
    with pytest.raises(DependencyError, match="cannot run the engine 'tensorrt'"):
        open_engine(a_model, settings=settings("tensorrt"), reporter=reporter)


def test_an_engine_and_a_device_that_do_not_go_together_are_refused(a_model, openvino_kind, monkeypatch, reporter):
    with pytest.raises(DeviceError, match="OpenVINO computes on the CPU only"):
        open_engine(a_model, settings=settings("openvino", "cuda"), reporter=reporter)
    monkeypatch.setattr(kinds, "_KINDS", (dataclasses.replace(openvino_kind, on_gpu=True),))
    with pytest.raises(DeviceError, match="OpenVINO computes on a GPU only"):
        open_engine(a_model, settings=settings("openvino", "cpu"), reporter=reporter)


def test_on_a_gpu_auto_is_torch(a_model, empty_cache, openvino_kind, monkeypatch, reporter):
    monkeypatch.setattr(opening, "choose_device", lambda choice, reporter: Device("cuda:0", "cuda:0 (a card)"))
    known_verdict(openvino_kind, a_model)
    chosen = choose_engine(a_model, settings=settings("auto", "auto"), reporter=reporter, windows=MANY)
    assert (chosen.choice, chosen.device.description) == (EngineChoice.TORCH, "cuda:0 (a card)")


def test_a_person_is_offered_what_is_installed_and_what_was_chosen(monkeypatch):
    monkeypatch.setattr(kinds, "_version_of", lambda package: None)
    assert [choice.value for choice, _ in offered_engines()] == ["auto", "torch"]
    chosen = offered_engines(besides=EngineChoice.OPENVINO)
    assert chosen[-1] == (EngineChoice.OPENVINO, "OpenVINO")


def test_every_engine_has_a_file_with_what_opens_it():
    for kind in engine_kinds():
        module = __import__(f"MedSegAI.Logic.inference.engines.{kind.module}", fromlist=["open_for"])
        assert callable(module.open_for)


def test_opening_a_built_engine_is_quick(a_model, warm_cache, openvino_kind, reporter):
    known_verdict(openvino_kind, a_model)
    started = time.process_time()
    open_engine(a_model, settings=settings("openvino"), reporter=reporter)
    assert time.process_time() - started < 2.0


def test_without_machine_code_torch_is_slower_and_the_engine_is_checked_again(a_model, openvino_kind, monkeypatch):
    with_code = place_of_verdict(openvino_kind, a_model)
    monkeypatch.setattr("MedSegAI.Logic.networks.vector_code.lanes", lambda: 99)
    assert place_of_verdict(openvino_kind, a_model) != with_code
