"""What every face shows of work under way, and of work that has ended."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import Enum

from MedSegAI.Logic.errors import MedSegAIError


class RunKind(str, Enum):
    """What is being done."""

    EXAMINE = "examine"
    SEGMENT = "segment"
    EXPLAIN = "explain"
    PREPARE = "prepare"
    """A scan is brought into shape."""
    ALIGN = "align"
    """A scan is moved onto another one."""
    RECORD = "record"
    """A rater's correction goes into the journal."""
    SHOW = "show"
    """Raters' corrections are read to be shown."""
    FUSE = "fuse"
    REFINE = "refine"
    """A label is mended near the expert's strokes."""


class Outcome(str, Enum):
    """How a run stands."""

    RUNNING = "running"
    STOPPING = "stopping"
    """The user asked to stop; the worker has not answered yet."""
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass
class Run:
    """One piece of work; it is the reporter that the worker's messages reach.

    Args:
        kind: What is being done.
        outcome: How it stands.
        stage: What is being done right now, a short noun phrase; empty until the worker says so.
        done: Finished steps of ``total``; 0 of 0 while nothing is known.
        total: All steps of the present stage.
        messages: Every sentence so far: the memory plan, fallbacks taken, warnings.
        parts: How often something more of a growing result was shown.
        is_finishing: Whether all is computed, and only the result's way into the scene is left.
        error: What it failed with.
        started: Monotonic seconds.
        ended: Monotonic seconds; None while it runs.
    """

    kind: RunKind
    outcome: Outcome = Outcome.RUNNING
    stage: str = ""
    done: int = 0
    total: int = 0
    messages: list[str] = field(default_factory=list)
    parts: int = 0
    is_finishing: bool = False
    error: MedSegAIError | None = None
    started: float = field(default_factory=time.monotonic)
    ended: float | None = None
    _counting_since: tuple[float, int] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return self.outcome in (Outcome.RUNNING, Outcome.STOPPING)

    @property
    def can_be_cancelled(self) -> bool:
        """Whether asking to stop would do something."""
        return self.outcome is Outcome.RUNNING and not self.is_finishing

    @property
    def percent(self) -> int:
        """Finished part of the present stage, 0 to 100."""
        return 100 * self.done // self.total if self.total else 0

    @property
    def seconds(self) -> float:
        """How long it has run, or ran."""
        return (time.monotonic() if self.ended is None else self.ended) - self.started

    @property
    def seconds_left(self) -> float | None:
        """How long it will still take by the pace of its steps so far; None where that is not known yet."""
        if self._counting_since is None or not self.is_under_way:
            return None
        since, before = self._counting_since
        finished = self.done - before
        if finished <= 0:
            return None
        return (time.monotonic() - since) / finished * (self.total - self.done)

    def progress(self, done: int, total: int, stage: str) -> None:
        """Remember how far the work is."""
        # The steps of one stage take equally long; another total is another stage. A part's name may change meanwhile.
        if self._counting_since is None or total != self.total or done < self.done:
            self._counting_since = (time.monotonic(), done)
        self.done, self.total, self.stage = done, total, stage

    def message(self, text: str) -> None:
        """Remember a sentence."""
        self.messages.append(text)

    def cancelled(self) -> bool:
        """Whether the user asked to stop."""
        return self.outcome is Outcome.STOPPING

    def end(self, outcome: Outcome, *, error: MedSegAIError | None = None) -> None:
        """Note that it is over."""
        self.outcome, self.error, self.ended = outcome, error, time.monotonic()
