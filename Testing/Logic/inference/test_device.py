"""A GPU counts only once a kernel on it gave the right numbers; every other state has a sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from MedSegAI.Logic.errors import DeviceError
from MedSegAI.Logic.inference import device
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import DeviceChoice

has_gpu = torch.cuda.is_available()
without_gpu = pytest.mark.skipif(has_gpu, reason="this machine has a GPU")


def test_the_cpu_is_taken_when_asked_for_and_nothing_is_said():
    reporter = SilentReporter()
    assert device.choose_device(DeviceChoice.CPU, reporter=reporter) == device.CPU
    assert reporter.messages == []


@without_gpu
def test_auto_falls_back_to_the_cpu_and_says_why():
    reporter = SilentReporter()
    chosen = device.choose_device(DeviceChoice.AUTO, reporter=reporter)
    assert not chosen.is_gpu
    assert reporter.messages[0].startswith("Computing on the CPU: ")


@without_gpu
def test_a_gpu_that_was_asked_for_and_is_missing_is_refused_with_advice():
    with pytest.raises(DeviceError, match="GPU cannot be used") as refused:
        device.choose_device(DeviceChoice.CUDA, reporter=SilentReporter())
    assert refused.value.advice


@pytest.mark.skipif(not has_gpu, reason="needs a GPU")
def test_a_working_gpu_passes_and_is_named():
    state = device.gpu_state()
    assert state.usable, state.sentence
    assert device.choose_device(DeviceChoice.CUDA, reporter=SilentReporter()).description.startswith("cuda:0 (")


@without_gpu
def test_a_build_with_cuda_but_no_driver_says_so(monkeypatch):
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    assert "driver" in device.gpu_state().sentence


@without_gpu
def test_a_gpu_whose_kernel_cannot_run_is_not_usable(monkeypatch):
    """Here torch itself fails: it claims a GPU and has none, so the test kernel raises for real."""
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    state = device.gpu_state()
    assert not state.usable
    assert "test convolution on the GPU failed" in state.sentence
    assert "driver" in state.advice


def test_the_test_kernel_passes_where_it_computes_rightly():
    state = device._tested("cpu")
    assert state.usable
    assert state.sentence == "cpu passed its test convolution."


@pytest.mark.parametrize("wrong", [lambda x: x + 0.5, lambda x: x * float("nan")])
def test_a_device_that_computes_wrong_numbers_is_not_usable(monkeypatch, wrong):
    right, calls = device._convolve, []

    def first_call_wrong(image, kernel):
        calls.append(image)
        return wrong(right(image, kernel)) if len(calls) == 1 else right(image, kernel)

    monkeypatch.setattr(device, "_convolve", first_call_wrong)
    state = device._tested("cpu")
    assert not state.usable
    assert "wrong numbers" in state.sentence


def test_a_usable_gpu_is_chosen(monkeypatch):
    usable = device.GpuState(True, "passed", description="cuda:0 (a card)")
    monkeypatch.setattr(device, "gpu_state", lambda: usable)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (7, 5))
    chosen = device.choose_device(DeviceChoice.AUTO, reporter=SilentReporter())
    assert (chosen.name, chosen.description, chosen.is_gpu) == ("cuda:0", "cuda:0 (a card)", True)


@pytest.mark.parametrize(
    ("capability", "precisions"),
    [((6, 1), ()), ((7, 0), ("float16",)), ((8, 6), ("float16", "bfloat16")), ((12, 0), ("float16", "bfloat16"))],
)
def test_half_precisions_are_those_that_the_gpu_is_fast_in(monkeypatch, capability, precisions):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: capability)
    assert device.half_precisions("cuda:0") == precisions


def test_a_missing_torch_is_a_state_and_not_a_crash(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    state = device.gpu_state()
    assert not state.usable
    assert "torch cannot be loaded" in state.sentence


def test_importing_the_module_leaves_torch_out():
    modules = "MedSegAI.Logic.inference.device, MedSegAI.Logic.inference.windows, MedSegAI.Logic.inference.plan"
    code = f"import sys, {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
