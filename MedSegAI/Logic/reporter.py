"""How long work tells what it is doing and learns that it should stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from MedSegAI.Logic.errors import Cancelled


@runtime_checkable
class Reporter(Protocol):
    """What the library needs of whoever watches it; each face brings its own."""

    def progress(self, done: int, total: int, stage: str) -> None:
        """``done`` of ``total`` steps of ``stage`` (a short noun phrase such as "segmenting") are finished."""

    def message(self, text: str) -> None:
        """A sentence worth showing: a plan, a fallback taken, a warning."""

    def cancelled(self) -> bool:
        """Whether the user asked to stop; asked between windows, so it must be cheap."""


@dataclass
class SilentReporter:
    """Keeps the messages, shows nothing, never cancels."""

    messages: list[str] = field(default_factory=list)

    def progress(self, done: int, total: int, stage: str) -> None:
        """Ignore progress."""

    def message(self, text: str) -> None:
        """Remember ``text``."""
        self.messages.append(text)

    def cancelled(self) -> bool:
        """Never."""
        return False


@dataclass(frozen=True)
class PartReporter:
    """Shows one part of a longer job under its own name.

    Args:
        whole: Who watches the longer job.
        stage: Name of this part.
        before: Steps of the parts before this one.
        total: Steps of the longer job; None where this part is all of it.
    """

    whole: Reporter
    stage: str
    before: int = 0
    total: int | None = None

    def progress(self, done: int, total: int, stage: str) -> None:
        """``done`` steps of this part are finished; the part's stage, and total, give way to the whole's."""
        self.whole.progress(self.before + done, self.total or total, self.stage)

    def message(self, text: str) -> None:
        """Pass the sentence on."""
        self.whole.message(text)

    def cancelled(self) -> bool:
        """Whether the user asked to stop."""
        return self.whole.cancelled()


def raise_if_cancelled(reporter: Reporter) -> None:
    """Raise :class:`Cancelled` when the user asked to stop."""
    if reporter.cancelled():
        raise Cancelled()
