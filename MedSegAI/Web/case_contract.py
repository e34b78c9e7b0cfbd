"""What the gateway and the process of one case have agreed on; both ends import it.

The gateway starts ``python -m MedSegAI.Web.case --port 0 --url-base /case/ID/ [SCAN]`` and

- gives the case's secret in the environment, never on the command line, which every user of the computer can read;
- reads standard output until the line of :func:`announce_ready`, which says the port;
- keeps standard input open: its end means that the gateway is gone, however it ended;
- gives every case a private folder of its own (``TMPDIR``), and removes it after the case;
- sends the secret along with every HTTP request, in a header that no browser can set through the gateway.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import stat
import sys
import threading
import time
from pathlib import Path

SECRET_VARIABLE = "MEDSEGAI_CASE_SECRET"
FOLDER_VARIABLE = "MEDSEGAI_CASE_FOLDER"
SECRET_HEADER = "X-MedSegAI-Case-Secret"

_STANDARD_INPUT = 0
_SECONDS_TO_END = 5.0


def announce_ready(*, port: int) -> None:
    """Write the one line that tells the gateway: this case serves on ``port`` of 127.0.0.1."""
    sys.stdout.write(json.dumps({"ready": True, "port": port}) + "\n")
    sys.stdout.flush()


def announced_port(line: bytes) -> int | None:
    """The port in a line of a case's standard output; None where it is any other line."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    ready = isinstance(said, dict) and said.get("ready") is True
    return said["port"] if ready and isinstance(said.get("port"), int) else None


def end_with_gateway() -> None:
    """From now on end this process as soon as the gateway is gone: politely (SIGTERM), and for certain after 5 s.

    Does nothing where standard input is not a pipe, such as in a terminal. The private folder is removed at the end.
    """
    mode = os.fstat(_STANDARD_INPUT).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return
    atexit.register(_remove_folder)
    threading.Thread(target=_end_after_input, name="gateway watch", daemon=True).start()


def _end_after_input() -> None:
    # Not through sys.stdin: its lock would be held while the interpreter ends.
    with contextlib.suppress(OSError):
        while os.read(_STANDARD_INPUT, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_SECONDS_TO_END)
    _kill_children()
    _remove_folder()
    os._exit(1)


def _kill_children() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def _remove_folder() -> None:
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
        # The gateway's own folder around it: the last case to end takes it away.
        with contextlib.suppress(OSError):
            Path(folder).parent.rmdir()
