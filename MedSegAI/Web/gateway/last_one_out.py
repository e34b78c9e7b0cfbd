"""A small process that outlives a killed gateway: it ends what the cases left, and removes the app's folder.

A gateway that ends in order leaves it nothing to do. Standard input is a pipe from the gateway: its end is the sign.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from MedSegAI.Web.case_contract import FOLDER_VARIABLE

# Cases see the end of their own pipe at the same time, and know best how to end.
_SECONDS_FOR_CASES = 8.0
_SECONDS_BETWEEN_LOOKS = 0.2


def start(folder: Path) -> subprocess.Popen:
    """Start the process for the app's ``folder``; end it by closing its standard input."""
    return subprocess.Popen(
        [sys.executable, "-m", "MedSegAI.Web.gateway.last_one_out", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def main(arguments: Sequence[str]) -> int:
    """Wait for the end of standard input, then for the cases; then clean up."""
    folder = Path(arguments[0])
    sys.stdin.buffer.read()
    deadline = time.monotonic() + _SECONDS_FOR_CASES
    while folder.exists() and processes_of(folder) and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    for process in processes_of(folder):
        with contextlib.suppress(psutil.Error):
            process.kill()
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def processes_of(folder: Path) -> list[psutil.Process]:
    """The processes of this user that belong to a case whose private folder is ``folder``, or lies in it."""
    found = []
    for process in psutil.process_iter():
        # Other users' processes do not tell; some are gone by now, or ended and not yet waited for by their parent.
        with contextlib.suppress(psutil.Error, OSError):
            case_folder = process.environ().get(FOLDER_VARIABLE)
            if case_folder and Path(case_folder).is_relative_to(folder):
                found.append(process)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
