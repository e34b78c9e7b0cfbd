"""From a model on disk to an engine ready to run."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import torch

from MedSegAI.Logic.errors import DeviceError, ModelError
from MedSegAI.Logic.inference.device import CPU, Device, choose_device
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.engines.kinds import EngineKind, engine_kinds, kind_of
from MedSegAI.Logic.inference.engines.verdict import Verdict, verdict_on
from MedSegAI.Logic.inference.engines.worth import is_enough_work
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import load_network
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import DeviceChoice, EngineChoice, RunSettings


@dataclass(frozen=True)
class ChosenEngine:
    """What the settings come down to on this computer.

    Args:
        choice: The engine; never ``auto``.
        device: Where it computes.
        fallback: Why it is not the one that was asked for, as a sentence; empty where it is.
    """

    choice: EngineChoice
    device: Device
    fallback: str = ""


def open_engine(model: Model, *, settings: RunSettings, reporter: Reporter, windows: int | None = None) -> Engine:
    """The engine that the settings ask for, with the model's weights verified and loaded.

    Args:
        model: The model.
        settings: The engine and the device that the user chose.
        reporter: Told what takes long, what a check found and what is done instead.
        windows: Windows of the run, where they are known; see :func:`choose_engine`.

    Raises:
        ModelError: if the weights are missing, tampered with or do not fit the card, or the engine that was asked for
            does not give what torch gives.
        DeviceError: if a GPU was asked for and cannot be used, or the engine does not compute on the chosen device.
        DependencyError: if the engine that was asked for is not installed.
    """
    chosen = choose_engine(model, settings=settings, reporter=reporter, windows=windows)
    return open_chosen(model, chosen, reporter=reporter)


def open_torch_engine(model: Model, *, device: DeviceChoice, reporter: Reporter) -> EagerEngine:
    """The network in torch, which gives gradients, too; raises as :func:`open_engine`."""
    return _torch_on(model, choose_device(device, reporter=reporter))


def choose_engine(
    model: Model, *, settings: RunSettings, reporter: Reporter, windows: int | None = None
) -> ChosenEngine:
    """What the settings come down to; nothing is loaded, but an engine that was never checked here is checked.

    ``auto`` takes torch on a GPU. On the CPU it takes OpenVINO where it is installed, the run is long enough (see
    ``worth.py``), it gives what torch gives, and it is faster here; else torch. Raises as :func:`open_engine`.
    """
    if settings.engine is EngineChoice.AUTO:
        return _automatic(model, settings.device, reporter, windows)
    if settings.engine is EngineChoice.TORCH:
        return ChosenEngine(EngineChoice.TORCH, choose_device(settings.device, reporter=reporter))
    return _asked_for(model, kind_of(settings.engine), settings.device, reporter)


def open_chosen(model: Model, chosen: ChosenEngine, *, reporter: Reporter) -> Engine:
    """The engine that :func:`choose_engine` found; raises as :func:`open_engine`."""
    if chosen.choice is EngineChoice.TORCH:
        engine = _torch_on(model, chosen.device)
        if chosen.fallback:
            engine.fallbacks = (chosen.fallback,)
        return engine
    try:
        return kind_of(chosen.choice).open(
            model, open_torch=functools.partial(_torch_on, model, chosen.device), reporter=reporter
        )
    except (MemoryError, torch.OutOfMemoryError):
        sentence = _no_memory(kind_of(chosen.choice))
    reporter.message(sentence)
    return open_chosen(model, replace(chosen, choice=EngineChoice.TORCH, fallback=sentence), reporter=reporter)


def _automatic(model: Model, device: DeviceChoice, reporter: Reporter, windows: int | None) -> ChosenEngine:
    chosen = ChosenEngine(EngineChoice.TORCH, choose_device(device, reporter=reporter))
    if chosen.device.is_gpu or not is_enough_work(model.card, windows=windows):
        return chosen
    kind = next((one for one in engine_kinds() if one.choice is EngineChoice.OPENVINO), None)
    if kind is None or kind.version is None:
        return chosen
    try:
        verdict = _verdict(kind, model, chosen.device, reporter)
    except (MemoryError, torch.OutOfMemoryError):
        reporter.message(_no_memory(kind))
        return chosen
    fits = verdict.passes(kind) and verdict.is_faster
    return replace(chosen, choice=kind.choice) if fits else chosen


def _asked_for(model: Model, kind: EngineKind, device: DeviceChoice, reporter: Reporter) -> ChosenEngine:
    kind.require()
    chosen = ChosenEngine(kind.choice, _device_for(kind, device, reporter))
    if kind.bounds is None:
        return chosen
    try:
        verdict = _verdict(kind, model, chosen.device, reporter)
    except (MemoryError, torch.OutOfMemoryError):
        sentence = _no_memory(kind)
        reporter.message(sentence)
        return ChosenEngine(EngineChoice.TORCH, chosen.device, sentence)
    if not verdict.passes(kind):
        raise ModelError(
            f"'{model.card.name}' cannot be run by that engine. {verdict.sentence(kind)}",
            advice="Choose the engine 'torch' or 'auto'.",
        )
    return chosen


def _device_for(kind: EngineKind, device: DeviceChoice, reporter: Reporter) -> Device:
    if kind.on_gpu:
        if device is DeviceChoice.CPU:
            raise DeviceError(
                f"The engine {kind.title} computes on a GPU only.",
                advice="Choose another engine, or the device 'auto'.",
            )
        return choose_device(DeviceChoice.CUDA, reporter=reporter)
    if device is DeviceChoice.CUDA:
        raise DeviceError(
            f"The engine {kind.title} computes on the CPU only.", advice="Choose the engine 'torch' for the GPU."
        )
    return CPU


def _verdict(kind: EngineKind, model: Model, device: Device, reporter: Reporter) -> Verdict:
    open_torch = functools.partial(_torch_on, model, device)
    return verdict_on(kind, model, open_torch=open_torch, reporter=reporter)


def _torch_on(model: Model, device: Device) -> EagerEngine:
    return EagerEngine(load_network(model), device=device)


def _no_memory(kind: EngineKind) -> str:
    return f"The memory does not suffice for {kind.title}: computing with torch."
