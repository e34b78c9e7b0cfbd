"""Keeps the protocol's lines clean: what libraries print goes to standard error."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def claim_standard_streams() -> tuple[TextIO, TextIO]:
    """Take the process's standard input and output for the protocol and leave harmless ones in their place.

    Afterwards file descriptor 0 is empty and file descriptor 1, with ``sys.stdout``, leads to standard error, so that
    neither Python nor a C library nor a child process can read or write the protocol's lines.

    Returns:
        The real standard input and output as UTF-8 text; the output is flushed after each line.
    """
    sys.stdout.flush()
    lines_in = os.fdopen(os.dup(0), "r", encoding="utf-8", errors="replace")
    lines_out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return lines_in, lines_out
