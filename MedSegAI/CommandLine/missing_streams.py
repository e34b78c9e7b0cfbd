"""A command may be started without standard input, output or error (``>&-``, some services); it works all the same."""

from __future__ import annotations

import os
import sys

_FIRST_ORDINARY_DESCRIPTOR = 3


def open_missing_streams() -> None:
    """Lead each standard stream that the process was started without to the null device.

    Without this the next file that is opened gets the free number, 2 for example, and whatever a C library prints to
    standard error ends up in that file.
    """
    for number in range(_FIRST_ORDINARY_DESCRIPTOR):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is given, which is this one: those before it are open by now.
            os.open(os.devnull, os.O_RDWR)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
