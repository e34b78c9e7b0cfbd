"""How a batch tells how far it is: a bar where somebody watches, a line now and then for a log file."""

from __future__ import annotations

import time

from MedSegAI.Logic.batch.case_record import CaseRecord, CaseStatus
from MedSegAI.Logic.reporter import Reporter

STAGE = "cases"
_SECONDS_BETWEEN_LINES = 60.0


class ToldProgress:
    """Counts the cases of one run.

    Args:
        reporter: Told of each case that ended.
        total: Cases to be done in this run.
    """

    def __init__(self, reporter: Reporter, *, total: int) -> None:
        self._reporter = reporter
        self._total = total
        self._ended = 0
        self._failed = 0
        self._started = self._last_line = time.monotonic()

    def ended(self, record: CaseRecord) -> None:
        """Count one more case; a failure is told at once, the rest about once a minute."""
        self._ended += 1
        if record.status is CaseStatus.FAILED:
            self._failed += 1
            self._reporter.message(f"{record.case} failed: {record.sentence}")
        self._reporter.progress(self._ended, self._total, STAGE)
        now = time.monotonic()
        if now - self._last_line >= _SECONDS_BETWEEN_LINES and self._ended < self._total:
            self._last_line = now
            self._reporter.message(self.sentence(seconds=now - self._started))

    def sentence(self, *, seconds: float) -> str:
        """How far the run is after ``seconds``, and how long it will still take at this pace."""
        left = seconds / max(1, self._ended) * (self._total - self._ended)
        failed = f", {self._failed} of them failed" if self._failed else ""
        return f"{self._ended} of {self._total} cases{failed}; about {_duration(left)} left."


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
