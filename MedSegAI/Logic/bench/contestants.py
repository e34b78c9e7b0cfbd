"""The networks that are held against each other: ours in every engine there is, MONAI's with the same weights."""

from __future__ import annotations

import importlib.util
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.bench.measure import Conditions, Parity
from MedSegAI.Logic.errors import DependencyError, MedSegAIError
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.models.card import ModelCard, ModelInput
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import EngineChoice, RunSettings
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.volume import Modality, Unit

if TYPE_CHECKING:
    import torch

    from MedSegAI.Logic.inference.engines.engine import Engine

MONAI, MONAI_FLASH, MONAI_AUTOCAST = "MONAI", "MONAI, flash attention", "MONAI, autocast"
NO_MONAI = "not installed: pip install monai einops"
TORCH = "ours, torch"
_UNTRAINED = "untrained-"
_QUICKLY_BUILT = (EngineChoice.TORCH, EngineChoice.OPENVINO)
Predict = Callable[[np.ndarray], "torch.Tensor"]


def ours(engine: EngineChoice) -> str:
    """The name of ours in an engine."""
    return f"ours, {engine.value}"


def is_installed(*packages: str) -> bool:
    """Whether all of these can be imported; none of them is."""
    return all(importlib.util.find_spec(package) is not None for package in packages)


@contextmanager
def untrained_model(*, feature_size: int, classes: int, window: Sequence[int]) -> Iterator[Model]:
    """A model folder with a Swin-UNETR of MONAI's own form and random weights, always the same; removed afterwards.

    Args:
        feature_size: Of the network.
        classes: Its output channels, background included.
        window: Extent (k, j, i) of its window.
    """
    import torch

    from MedSegAI.Logic.models.weights import build_network, save_model

    arguments = {"in_channels": 1, "out_channels": classes, "feature_size": feature_size}
    card = ModelCard(
        name=f"{_UNTRAINED}{feature_size}",
        title="Untrained network",
        version="1",
        licence="Apache-2.0",
        description="Random weights, for measuring speed.",
        weights_sha256="0" * 64,
        network="SwinUNETR",
        network_arguments=arguments,
        inputs=(ModelInput("scan", Modality.UNKNOWN, Unit.ARBITRARY, Normalisation("none")),),
        spacing_mm=(1.0, 1.0, 1.0),
        window=tuple(window),
        overlap=0.5,
        labels=LabelTable(
            tuple(Label(n, f"label_{n}", f"Label {n}", (n / classes, 0.5, 0.5)) for n in range(1, classes))
        ),
        saliency_layer="decoder2",
    )
    # Weights are drawn on the CPU, whatever other devices there are.
    with torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory(prefix="medsegai-bench-") as folder:
        torch.manual_seed(0)
        network = build_network(card.network, arguments)
        yield save_model(Path(folder) / card.name, card, state=network.state_dict())


@contextmanager
def engines_kept_apart() -> Iterator[None]:
    """While the block runs, engines are built and kept in a folder of their own: the user's are left as they are."""
    variable, before = "MEDSEGAI_CACHE", os.environ.get("MEDSEGAI_CACHE")
    with tempfile.TemporaryDirectory(prefix="medsegai-bench-", ignore_cleanup_errors=True) as folder:
        os.environ[variable] = folder
        try:
            yield
        finally:
            os.environ.pop(variable)
            if before is not None:
                os.environ[variable] = before


@dataclass(frozen=True, eq=False)
class Engines:
    """Ours, ready to run.

    Args:
        ready: Engines by the contestant's name.
        absent: Those that are not here, each with the reason.
    """

    ready: dict[str, Engine]
    absent: dict[str, str]


def open_engines(model: Model, conditions: Conditions) -> Engines:
    """The model in every engine that can run it here; torch always can."""
    from MedSegAI.Logic.inference.engines.open import open_engine

    # Ranges of 8-bit numbers are fitted on real cases, which an untrained network has none of.
    left_out = {EngineChoice.OPENVINO_INT8} if model.card.name.startswith(_UNTRAINED) else set()
    ready: dict[str, Engine] = {}
    absent: dict[str, str] = {}
    for choice in _choices(conditions):
        if choice in left_out:
            continue
        reporter = SilentReporter()
        try:
            settings = RunSettings(device=conditions.device, engine=choice)
            engine = open_engine(model, settings=settings, reporter=reporter)
        except MedSegAIError as error:
            advice = f" {error.advice}" if isinstance(error, DependencyError) else ""
            absent[ours(choice)] = f"not here: {error.problem}{advice}".rstrip(".")
            continue
        if choice is not EngineChoice.TORCH and engine.name.startswith("torch"):
            absent[ours(choice)] = f"not here: {' '.join(reporter.messages).rstrip('.') or 'torch runs in its place'}"
        else:
            ready[ours(choice)] = engine
    return Engines(ready, absent)


def _choices(conditions: Conditions) -> list[EngineChoice]:
    """Torch, and every engine that this version has code for and that computes on the device.

    Some take minutes to build, so a quick run has no other than OpenVINO.
    """
    from MedSegAI.Logic.inference.engines.kinds import engine_kinds

    there = [EngineChoice.TORCH, *(kind.choice for kind in engine_kinds() if kind.on_gpu == conditions.on_gpu)]
    return [choice for choice in there if not conditions.quick or choice in _QUICKLY_BUILT]


def monai_networks(model: Model, conditions: Conditions) -> dict[str, torch.nn.Module]:
    """MONAI's own Swin-UNETR with the model's weights, as it comes and with flash attention; empty without MONAI."""
    if not is_installed("monai", "einops"):
        return {}
    from monai.networks.nets.swin_unetr import SwinUNETR

    from MedSegAI.Logic.models.weights import load_network

    state = load_network(model).state_dict()
    found = {}
    for name, flash in ((MONAI, False), (MONAI_FLASH, True)):
        network = SwinUNETR(**model.card.network_arguments, use_flash_attention=flash).eval()
        network.load_state_dict(state)
        found[name] = network.to(conditions.device.value)
    return found


def monai_predictions(model: Model, conditions: Conditions) -> dict[str, Predict]:
    """MONAI's networks as functions of windows (n, channels, k, j, i); on a GPU also in half precision, as ours."""
    networks = monai_networks(model, conditions)
    found = {name: _predict(network, conditions) for name, network in networks.items()}
    if networks and conditions.on_gpu:
        found[MONAI_AUTOCAST] = _predict(networks[MONAI_FLASH], conditions, half=True)
    return found


def _predict(network: torch.nn.Module, conditions: Conditions, *, half: bool = False) -> Predict:
    import torch

    device = conditions.device.value

    def predict(windows: np.ndarray) -> torch.Tensor:
        with torch.inference_mode(), torch.autocast(device, dtype=torch.float16, enabled=half):
            return network(torch.as_tensor(windows, device=device)).float()

    return predict


def smooth_image(shape: Sequence[int], *, seed: int = 0) -> np.ndarray:
    """(1, k, j, i) float32: blobs some eight voxels wide and noise, about of unit scatter; always the same."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=[math.ceil(n / 8) for n in shape]).astype(np.float32)
    fine = np.kron(coarse, np.ones((8, 8, 8), np.float32))[tuple(slice(n) for n in shape)]
    return (fine + 0.1 * rng.normal(size=tuple(shape)).astype(np.float32))[None]


def logits_parity(found: object, expected: object, *, exact: bool) -> tuple[Parity, ...]:
    """How far logits lie from the reference's, and how far the labels that follow from them do.

    Args:
        found: Logits (n, classes, k, j, i).
        expected: The reference's.
        exact: Whether the contestant computes in float32 and must give the same numbers.
    """
    ours_, theirs = as_array(found), as_array(expected)
    off = float(np.abs(ours_ - theirs).max() / theirs.std())
    difference = Parity("logits off by (standard deviations)", off, 1e-3 if exact else None)
    return (difference, *labels_parity(ours_.argmax(1), theirs.argmax(1), limit=1e-3 if exact else None))


def labels_parity(found: np.ndarray, expected: np.ndarray, *, limit: float | None) -> tuple[Parity, ...]:
    """One minus the mean Dice over the labels of the reference; the background counts only where it has no other."""
    labels = [label for label in np.unique(expected) if label] or [0]
    scores = [dice(found == label, expected == label) for label in labels]
    return (Parity("1 - Dice", float(1 - np.mean(scores)), limit),)


def as_array(logits: object) -> np.ndarray:
    """A tensor on any device, or an array, as an array of this process."""
    return np.asarray(logits.cpu() if hasattr(logits, "cpu") else logits)
