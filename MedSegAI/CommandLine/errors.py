"""How each way to fail looks on the command line: one sentence, one exit code, nothing else."""

from __future__ import annotations

import datetime
import json
import os
import platform
import sys
import tempfile
import traceback
from pathlib import Path

from MedSegAI.Logic.errors import Cancelled, MedSegAIError

BAD_INPUT_EXIT_CODE = 2
UNEXPECTED_EXIT_CODE = 1


class UsageError(MedSegAIError):
    """The command line itself cannot be understood."""


class UnexpectedError(MedSegAIError):
    """A fault of the program, not of the input."""

    exit_code = UNEXPECTED_EXIT_CODE


def show_error(error: MedSegAIError, *, as_json: bool) -> int:
    """Tell the person (standard error) or the machine (standard output) what went wrong; returns the exit code."""
    if as_json:
        body = {"kind": error.kind, "problem": error.problem, "advice": error.advice, "exit_code": error.exit_code}
        sys.stdout.write(json.dumps({"error": body}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    else:
        sys.stderr.write("medsegai: " + _one_line(str(error)) + "\n")
    return error.exit_code


def as_shown(error: BaseException) -> MedSegAIError:
    """The error a person meets for whatever a command raised; an unexpected one is logged with its traceback."""
    if isinstance(error, KeyboardInterrupt):
        return Cancelled("Cancelled; nothing was left half-written.")
    if isinstance(error, MedSegAIError):
        return error
    if isinstance(error, MemoryError):
        return MedSegAIError(
            "The memory of this machine does not suffice.",
            advice="Close other programs, or give a smaller region with --roi.",
        )
    log = write_traceback(error)
    return UnexpectedError(
        f"Something unexpected went wrong ({type(error).__name__}: {_one_line(str(error)) or 'no message'}).",
        advice=f"Please report it with the log file {log}; it may name your files.",
    )


def write_traceback(error: BaseException) -> Path:
    """Write the traceback and the versions into a new file of the temporary folder; its path, or the null device."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    text = "\n".join(
        [
            f"MedSegAI, {now}, Python {platform.python_version()}, {platform.platform()}",
            "command: " + " ".join(sys.argv),
            "".join(traceback.format_exception(type(error), error, error.__traceback__)),
        ]
    )
    return _write_log(text)


def keep_log(path: Path) -> Path:
    """Copy a log that is about to be removed into a new file of the temporary folder; its path."""
    try:
        return _write_log(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        return _write_log(f"The log could not be read: {error}\n")


def _write_log(text: str) -> Path:
    try:
        handle, name = tempfile.mkstemp(prefix="medsegai-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        sys.stderr.write(text)
        return Path(os.devnull)
    return Path(name)


def _one_line(text: str) -> str:
    return " ".join(text.split())
