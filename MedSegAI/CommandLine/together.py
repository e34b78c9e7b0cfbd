"""A command that torchrun runs in several processes looks as if one ran: one shows progress, and one says an error."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from MedSegAI.CommandLine.errors import UNEXPECTED_EXIT_CODE
from MedSegAI.CommandLine.outcome import Outcome
from MedSegAI.CommandLine.progress import ConsoleReporter
from MedSegAI.Logic.errors import Cancelled, MedSegAIError
from MedSegAI.Logic.reporter import Reporter


@dataclass(frozen=True)
class MuteReporter:
    """Says nothing, but knows when to stop.

    Args:
        whole: Who is asked whether the user wants to stop.
    """

    whole: Reporter

    def progress(self, done: int, total: int, stage: str) -> None:
        """Shown by the first process."""

    def message(self, text: str) -> None:
        """Shown by the first process."""

    def cancelled(self) -> bool:
        """Whether the user asked to stop."""
        return self.whole.cancelled()


def run_together(work: Callable[[Reporter], Outcome], reporter: ConsoleReporter) -> Outcome:
    """Do the work, and let one process of those that do it speak.

    Args:
        work: Does this process's share.
        reporter: Of this process.

    Returns:
        The outcome of the first process, or of the only one.

    Raises:
        SystemExit: in a process that has nothing to say, with its exit code.
        MedSegAIError: what ``work`` raised, in the process that ended first.
    """
    from MedSegAI.Logic.training.distributed.environment import place_from
    from MedSegAI.Logic.training.distributed.one_voice import may_speak

    place = place_from(os.environ)
    # torch, which is not loaded yet, would write warnings of its own to the terminal.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    speaks = place.rank == 0
    try:
        with nullcontext() if place.is_alone else _stop_between_steps(reporter):
            outcome = work(reporter if speaks else MuteReporter(reporter))
    except (Exception, KeyboardInterrupt) as error:
        if may_speak(place):
            raise
        raise SystemExit(_exit_code(error)) from error
    if speaks:
        return outcome
    raise SystemExit(outcome.exit_code)


@contextmanager
def _stop_between_steps(reporter: ConsoleReporter) -> Iterator[None]:
    """While the block runs, SIGINT and SIGTERM only mark ``reporter`` as cancelled.

    The processes then agree to stop after the same step, and keep it. torchrun passes the signal on and ends after half
    a minute whatever has not ended by itself, so nothing hangs.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = {
        number: signal.signal(number, lambda *_: reporter.cancel()) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _exit_code(error: BaseException) -> int:
    if isinstance(error, KeyboardInterrupt):
        return Cancelled.exit_code
    return error.exit_code if isinstance(error, MedSegAIError) else UNEXPECTED_EXIT_CODE
