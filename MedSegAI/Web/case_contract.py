"""What the gateway and the process of one case have agreed on.

The gateway starts ``python -m MedSegAI.Web.case --port 0 --url-base /case/ID/ [SCAN]`` and

- gives the case's secret in the environment, never on the command line, which every user of the computer can read;
- reads the lines of standard output: ``{"ready": {"port": 12345}}`` when the case serves on that port of 127.0.0.1, at
  the root (the gateway takes ``/case/ID/`` off), or ``{"error": {"problem": "...", "advice": "..."}}``;
- keeps standard input open: its end means that the case has to end, with everything that it started;
- gives every case a private temporary folder of its own (``TMPDIR``), and removes it after the case;
- sends the secret along with every HTTP request and WebSocket, in a header that no browser can set through it.
"""

from __future__ import annotations

import json

from MedSegAI.Logic.errors import MedSegAIError

SECRET_VARIABLE = "MEDSEGAI_CASE_SECRET"
FOLDER_VARIABLE = "MEDSEGAI_CASE_FOLDER"
SECRET_HEADER = "X-MedSegAI-Case-Secret"


def announcement(line: bytes) -> int | MedSegAIError | None:
    """The port, or the error, that a line of a case's standard output tells; None for any other line."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    ready, error = said.get("ready"), said.get("error")
    if isinstance(ready, dict) and isinstance(ready.get("port"), int):
        return ready["port"]
    if isinstance(error, dict):
        return MedSegAIError(str(error.get("problem", "")), advice=str(error.get("advice", "")))
    return None
