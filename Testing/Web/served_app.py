"""The browser app as a person starts it: ``python -m MedSegAI.Web`` in a process of its own, with its real cases."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]
SECONDS_TO_END = 20.0


@dataclass(frozen=True)
class ServedApp:
    """A running gateway and the address that it told."""

    process: subprocess.Popen
    address: str

    @property
    def cases(self) -> list[psutil.Process]:
        """The processes of the open cases."""
        return [each for each in self.everything if "MedSegAI.Web.case" in " ".join(each.cmdline())]

    @property
    def workers(self) -> list[psutil.Process]:
        """The processes that compute for them."""
        return [each for each in self.everything if "start_worker" in " ".join(each.cmdline())]

    @property
    def everything(self) -> list[psutil.Process]:
        """Every process that the gateway has started, directly or not."""
        return psutil.Process(self.process.pid).children(recursive=True)


@contextmanager
def served_app(*options: str, threads: int = 1, **environment: str) -> Iterator[ServedApp]:
    """Serve on a free port of this computer; ``threads`` is what the workers compute with."""
    process = subprocess.Popen(
        [sys.executable, "-m", "MedSegAI.Web", "--no-browser", "--port", "0", *options],
        cwd=REPOSITORY_ROOT,
        env={**os.environ, "OMP_NUM_THREADS": str(threads), "MEDSEGAI_WARM_UP": "0", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        said = process.stdout.readline()
        address = re.search(r"http://\S+/", said)
        assert address, f"the gateway said: {said!r}"
        yield ServedApp(process, address[0])
    finally:
        process.terminate()
        process.wait(SECONDS_TO_END)
        process.stdout.close()
