"""Start one program in several processes that find each other as those of torchrun do, and read what each found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch.distributed import TCPStore


@dataclass(frozen=True)
class Ending:
    """How one process ended.

    Args:
        code: Its exit code.
        found: What it wrote to standard output, as JSON.
        said: Its standard error.
    """

    code: int
    found: Any
    said: str


@contextmanager
def started_together(
    module: str, *arguments: object, count: int, world_size: int | None = None
) -> Iterator[list[subprocess.Popen]]:
    """``python -m module arguments`` in the first ``count`` of ``world_size`` processes, by rank.

    They meet in this process, as those of torchrun meet in torchrun.
    """
    meeting = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(meeting.port), "WORLD_SIZE": str(world_size or count)}
    world["TORCHELASTIC_USE_AGENT_STORE"] = "True"
    processes = [start(module, *arguments, world=world, rank=rank) for rank in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()


def run_together(
    module: str, *arguments: object, count: int, world_size: int | None = None, timeout: float = 90
) -> list[Ending]:
    """Start processes as :func:`started_together` does, and wait for their endings."""
    with started_together(module, *arguments, count=count, world_size=world_size) as processes:
        return [ending_of(process, timeout) for process in processes]


def start(module: str, *arguments: object, world: dict[str, str], rank: int) -> subprocess.Popen:
    """Start one process of a world that ``world`` describes in torchrun's variables."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=os.environ | world | {"RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).resolve().parents[4],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ending_of(process: subprocess.Popen, timeout: float) -> Ending:
    """Wait for a process, and read what it found and said."""
    out, err = process.communicate(timeout=timeout)
    return Ending(process.returncode, json.loads(out) if out.strip() else None, err)
