"""Time that a run has used, over all of its sessions, and how fast it goes."""

from __future__ import annotations

import time
from collections import deque

from MedSegAI.Logic.training.checkpoint import Progress
from MedSegAI.Logic.training.processes import Processes

_STEPS_LOOKED_BACK = 50


class Clock:
    """Goes on from what earlier sessions have used.

    Args:
        progress: How far the run is at the start of this session.
        processes: Whose processor time is counted.
    """

    def __init__(self, progress: Progress, processes: Processes) -> None:
        self._processes = processes
        self._started, self._cpu_started = time.monotonic(), time.process_time()
        self._seconds_before, self._cpu_seconds_before = progress.seconds, progress.cpu_seconds
        self._epoch_started = self._started - progress.epoch_seconds
        self._steps: deque[float] = deque([self._started], maxlen=_STEPS_LOOKED_BACK + 1)

    @property
    def session_seconds(self) -> float:
        """Since this session began."""
        return time.monotonic() - self._started

    @property
    def seconds(self) -> float:
        """Over all sessions."""
        return self._seconds_before + self.session_seconds

    def cpu_seconds(self) -> float:
        """Processor time over all sessions and processes; asked by all processes at once."""
        mine = time.process_time() - self._cpu_started
        return self._cpu_seconds_before + self._processes.mean([mine])[0] * self._processes.count

    @property
    def epoch_seconds(self) -> float:
        """Of the epoch that is going on, over all sessions."""
        return time.monotonic() - self._epoch_started

    def new_epoch(self) -> None:
        """An epoch begins."""
        self._epoch_started = time.monotonic()
        # What lies between epochs, such as a validation, is no part of a step.
        self._steps.clear()
        self._steps.append(self._epoch_started)

    def step_done(self) -> float:
        """A step is done; steps a second, of the last few."""
        self._steps.append(time.monotonic())
        return (len(self._steps) - 1) / max(self._steps[-1] - self._steps[0], 1e-9)
