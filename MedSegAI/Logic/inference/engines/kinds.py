"""Which engines there are, what each needs, and where the code for it lies."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.inference.engines.bounds import EXACT, HALF, Bounds
from MedSegAI.Logic.inference.engines.quiet_openvino import without_telemetry
from MedSegAI.Logic.settings import EngineChoice

if TYPE_CHECKING:
    from MedSegAI.Logic.inference.engines.eager import EagerEngine
    from MedSegAI.Logic.inference.engines.engine import Engine
    from MedSegAI.Logic.models.registry import Model
    from MedSegAI.Logic.reporter import Reporter

    OpenTorch = Callable[[], EagerEngine]
    """Opens the model's network in torch: the engine that all others are compared with and fall back to."""

_HERE = "MedSegAI.Logic.inference.engines"


@dataclass(frozen=True)
class EngineKind:
    """One engine beside torch.

    Args:
        choice: How it is chosen.
        title: What a person calls it.
        packages: The packages that it needs, by the names pip knows; the first one's version is the engine's.
        extra: The extra of MedSegAI that brings them.
        module: The file under ``engines`` that holds ``open_for(model, *, open_torch, reporter)``, which gives the
            engine and raises a sentence where it cannot be had.
        on_gpu: Whether it computes on an NVIDIA GPU; else it computes on the CPU.
        bounds: How far it may be from torch; None where the engine's own record says how accurate it is.
    """

    choice: EngineChoice
    title: str
    packages: tuple[str, ...]
    extra: str
    module: str
    on_gpu: bool = False
    bounds: Bounds | None = EXACT

    @property
    def version(self) -> str | None:
        """Version of the engine's package; None where one of its packages is not installed."""
        versions = [_version_of(package) for package in self.packages]
        return None if None in versions else versions[0]

    def require(self) -> str:
        """The engine's version.

        Raises:
            DependencyError: if a package that it needs is not installed; names the line that installs them.
        """
        if self.version is not None:
            return self.version
        raise DependencyError(
            f"The engine {self.title} is not installed.",
            advice=f"Install it: pip install {' '.join(self.packages)}; or choose the engine 'torch'.",
        )

    def problem(self) -> str:
        """Why the installed packages cannot be used, as a short phrase; empty where they can."""
        try:
            for package in self.packages:
                without_telemetry(package)
        except Exception as error:
            return f"{type(error).__name__}: {error}".splitlines()[0]
        return ""

    def open(self, model: Model, *, open_torch: OpenTorch, reporter: Reporter) -> Engine:
        """The engine for a model, unchecked; raises as the ``open_for`` of its module."""
        self.require()
        return importlib.import_module(f"{_HERE}.{self.module}").open_for(
            model, open_torch=open_torch, reporter=reporter
        )


_KINDS = (
    EngineKind(EngineChoice.OPENVINO, "OpenVINO", ("openvino",), "openvino", "openvino_engine"),
    EngineKind(EngineChoice.OPENVINO_INT8, "OpenVINO int8", ("openvino",), "openvino", "int8_engine", bounds=None),
    EngineKind(EngineChoice.TENSORRT, "TensorRT", ("tensorrt",), "gpu", "tensorrt_engine", on_gpu=True, bounds=HALF),
)


def engine_kinds() -> tuple[EngineKind, ...]:
    """Every engine beside torch that this version has code for."""
    return tuple(kind for kind in _KINDS if importlib.util.find_spec(f"{_HERE}.{kind.module}") is not None)


def offered_engines(*, besides: EngineChoice = EngineChoice.AUTO) -> tuple[tuple[EngineChoice, str], ...]:
    """Choices for a person, each with what it is called: torch, what is installed, and the one chosen already.

    "auto" comes first and has no name: each face has a word for it.
    """
    here = [kind for kind in engine_kinds() if kind.version is not None or kind.choice is besides]
    named = ((EngineChoice.AUTO, ""), (EngineChoice.TORCH, "PyTorch"))
    return (*named, *((kind.choice, kind.title) for kind in here))


def kind_of(choice: EngineChoice) -> EngineKind:
    """The engine that a choice names.

    Raises:
        DependencyError: if this version has no code for it.
    """
    for kind in engine_kinds():
        if kind.choice is choice:
            return kind
    raise DependencyError(
        f"This version of MedSegAI cannot run the engine '{choice.value}'.",
        advice="Choose one that 'medsegai doctor' lists.",
    )


@functools.cache
def _version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
