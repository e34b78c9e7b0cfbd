"""Is everything here that MedSegAI needs? Each check says what it found and what to do about it.

Only Logic's own needs are examined here; what Bridge needs (GL, the Slicer core) is examined there and handed in, so
that this module imports neither vtk nor slicer.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from importlib import metadata
from typing import Any

from MedSegAI.Logic.errors import MedSegAIError

OLDEST_PYTHON = (3, 10)
ENOUGH_MEMORY_GIB = 4.0
_PACKAGES = ("numpy", "SimpleITK", "safetensors", "jsonschema", "scipy", "nilearn")
_GIB = 1 << 30


class State(str, Enum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    MISSING = "missing"


@dataclass(frozen=True)
class Check:
    """One thing examined.

    Args:
        name: What was examined, such as "torch".
        state: OK; WARNING where something works less well; MISSING where a part of MedSegAI cannot work.
        found: What was found, as a short phrase.
        advice: What to do, as a sentence; empty where all is well.
        essential: Whether nothing can be segmented without it.
    """

    name: str
    state: State
    found: str
    advice: str = ""
    essential: bool = False

    def to_plain(self) -> dict[str, Any]:
        """The check as JSON values."""
        return {**asdict(self), "state": self.state.value}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Check:
        """The check that :meth:`to_plain` described."""
        return cls(**{**plain, "state": State(plain["state"])})


def examine(*, of_bridge: Sequence[Check] = ()) -> tuple[Check, ...]:
    """Examine Python, packages, torch, the GPU, memory and models; ``of_bridge`` is put before the models.

    Never raises: a check that fails unexpectedly is reported as a warning with the reason.
    """
    first = (check_python, check_packages, check_torch, check_gpu, check_memory, check_engines, check_engine_cache)
    return (*(_guarded(check) for check in first), *of_bridge, *check_models())


def healthy(checks: Sequence[Check]) -> bool:
    """Whether a scan can be segmented: no essential part is missing."""
    return not any(check.essential and check.state is State.MISSING for check in checks)


def check_python() -> Check:
    """The version of Python."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        return Check("Python", State.MISSING, found, f"Install Python {wanted} or newer.", essential=True)
    return Check("Python", State.OK, found, essential=True)


def check_packages() -> Check:
    """The packages that Logic needs besides torch; they are looked up, not imported."""
    found, absent = [], []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            absent.append(package)
    if absent:
        advice = f"Install them: pip install {' '.join(absent)}."
        return Check("packages", State.MISSING, f"missing: {', '.join(absent)}", advice, essential=True)
    return Check("packages", State.OK, ", ".join(found), essential=True)


def check_torch() -> Check:
    """Whether torch can be imported and computes."""
    try:
        import torch

        total = float(torch.ones(4, 4).mm(torch.ones(4, 4)).sum())
    except (ImportError, OSError, RuntimeError) as error:
        advice = "Install it: pip install torch (in 3D Slicer: the PyTorch extension)."
        return Check("torch", State.MISSING, f"cannot be used: {error}", advice, essential=True)
    threads = torch.get_num_threads()
    found = f"{torch.__version__}, {threads} CPU thread{'s' if threads != 1 else ''}"
    if total != 64.0:
        return Check("torch", State.MISSING, f"{found}, computes wrongly", "Install torch again.", essential=True)
    return Check("torch", State.OK, found, essential=True)


def check_gpu() -> Check:
    """Whether a GPU passes its test kernel; the CPU serves where it does not."""
    from MedSegAI.Logic.inference.device import gpu_state

    state = gpu_state()
    if state.usable:
        return Check("GPU", State.OK, state.sentence)
    return Check("GPU", State.MISSING, f"{state.sentence} Everything runs on the CPU.", state.advice)


def check_memory() -> Check:
    """The memory that may be used now, a container's limit included."""
    from MedSegAI.Logic.inference.free_memory import free_memory

    free = free_memory() / _GIB
    found = f"{free:.1f} GiB free"
    if free < ENOUGH_MEMORY_GIB:
        return Check("memory", State.WARNING, found, "Close other programs before you segment a large scan.")
    return Check("memory", State.OK, found)


def check_engines() -> Check:
    """The engines that can evaluate a network here: each is imported."""
    from MedSegAI.Logic.inference.engines.kinds import engine_kinds

    usable, absent, broken = [f"torch {metadata.version('torch')}"], [], []
    for kind in engine_kinds():
        if kind.version is None:
            absent.append(kind)
        elif problem := kind.problem():
            broken.append(f"{kind.title} {kind.version} cannot be used ({problem})")
        else:
            usable.append(f"{kind.title} {kind.version}")
    missing = [f"not installed: {', '.join(kind.title for kind in absent)}"] if absent else []
    found = "; ".join([", ".join(usable), *broken, *missing])
    faster = next((kind for kind in absent if not kind.on_gpu), None)
    if broken:
        return Check("engines", State.WARNING, found, "Install what cannot be used again, or choose the engine torch.")
    if faster is not None:
        advice = f"For more speed on the CPU: pip install {' '.join(faster.packages)}."
        return Check("engines", State.WARNING, found, advice)
    return Check("engines", State.OK, found)


def check_engine_cache() -> Check:
    """Where built engines and what their checks found are kept, and how much that is."""
    from MedSegAI.Logic.inference.engines.engine_cache import cache_bytes, can_keep, engine_cache_folder

    if not can_keep():
        return Check(
            "engine cache",
            State.WARNING,
            f"{engine_cache_folder()} cannot be written to, so engines are built anew for every run",
            "Set the variable MEDSEGAI_CACHE to a folder that you may write to.",
        )
    size = cache_bytes() / (1 << 20)
    return Check("engine cache", State.OK, f"{size:.0f} MiB in {engine_cache_folder()}; may be deleted at any time")


def check_models() -> tuple[Check, ...]:
    """Each installed model: card readable, weights as the card says."""
    from MedSegAI.Logic.models.registry import model_folders, read_model, verify

    checks = []
    for folder in model_folders():
        try:
            model = read_model(folder)
            verify(model)
            checks.append(Check(f"model {folder.name}", State.OK, f"{model.card.title}, version {model.card.version}"))
        except MedSegAIError as error:
            checks.append(Check(f"model {folder.name}", State.WARNING, error.problem, error.advice))
    if not any(check.state is State.OK for check in checks):
        advice = "Fetch MedSegAI again with its models, or import one: medsegai models import."
        checks.append(Check("models", State.MISSING, "no usable model", advice, essential=True))
    return tuple(checks)


def _guarded(check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Exception as error:
        name = check.__name__.removeprefix("check_")
        return Check(name, State.WARNING, f"could not be examined: {error}", "Please report this.")
