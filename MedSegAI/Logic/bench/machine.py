"""The machine that was measured, in words that name nobody's computer, and what else it was doing."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import psutil

from MedSegAI.Logic.provenance import software_versions

CPU_INFO = Path("/proc/cpuinfo")
_GIB = 1 << 30
_WORTH_NAMING = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimd")
_PACKAGES = ("captum", "nnunetv2", "numba", "nncf", "onnxruntime", "openvino", "scipy", "tensorrt")
_BUSY_CORES = 0.25


@dataclass(frozen=True)
class Machine:
    """What decides how fast a computer is.

    Args:
        processor: Its name, as the maker gives it.
        cores: Logical cores that this process may use.
        memory_gib: Main memory.
        system: Operating system and kind of processor.
        instructions: Instruction sets for arithmetic, as far as they are known.
        gpu: Name of the GPU, where the benchmark used one.
    """

    processor: str
    cores: int
    memory_gib: float
    system: str
    instructions: str = ""
    gpu: str = ""

    def words(self) -> str:
        """All of it in one line."""
        parts = [self.processor, f"{self.cores} cores", f"{self.memory_gib:.0f} GiB", self.system, self.gpu]
        return ", ".join(part for part in parts if part)


def this_machine(*, gpu: str = "", cpu_info: Path = CPU_INFO) -> Machine:
    """The machine that this runs on; its name and its user are left out."""
    fields = _cpu_fields(cpu_info)
    known = set(fields.get("flags", fields.get("Features", "")).split())
    return Machine(
        processor=fields.get("model name") or platform.processor() or platform.machine(),
        cores=usable_cores(),
        memory_gib=round(psutil.virtual_memory().total / _GIB, 1),
        system=f"{platform.system()} {platform.machine()}",
        instructions=" ".join(name for name in _WORTH_NAMING if name in known),
        gpu=gpu,
    )


def usable_cores() -> int:
    """Logical cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Versions of Python and of every package that may take part, as far as it is installed."""
    found = software_versions()
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


class OtherPrograms:
    """Counts the cores that other programs keep busy from now on."""

    def __init__(self) -> None:
        self._wall, self._busy, self._own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def cores(self) -> float | None:
        """Cores that other programs have kept busy since, on average; None after too short a time."""
        seconds = time.perf_counter() - self._wall
        if seconds < 0.2:
            return None
        others = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        return round(max(others, 0.0) / seconds, 2)


def busy_sentence(other_cores: float | None) -> str | None:
    """What to tell about other programs; None where there is nothing to tell."""
    if other_cores is None or other_cores < _BUSY_CORES:
        return None
    return (
        f"The machine is busy: other programs keep {other_cores:.1f} of {usable_cores()} cores at work. "
        "Seconds come out longer than they are; ratios suffer less. Measure again when it is quiet."
    )


def look_at_other_programs(seconds: float = 0.5) -> str | None:
    """Watch for a moment; the sentence of :func:`busy_sentence`."""
    others = OtherPrograms()
    time.sleep(seconds)
    return busy_sentence(others.cores())


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0) + getattr(times, "guest", 0.0)
    return sum(times) - idle - getattr(times, "guest_nice", 0.0)


def _own_seconds() -> float:
    """Of this process and of children, also those that are still running."""
    me = psutil.Process()
    own = me.cpu_times()
    total = own.user + own.system + getattr(own, "children_user", 0.0) + getattr(own, "children_system", 0.0)
    for child in me.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


def _cpu_fields(path: Path) -> dict[str, str]:
    """Of the first processor in Linux's list; nothing elsewhere."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, colon, value in pairs if colon}
