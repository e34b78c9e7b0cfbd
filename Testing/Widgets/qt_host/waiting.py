"""Letting Qt run inside a test: until something is so, while the main thread's pauses are measured."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

from PySide6 import QtCore, QtWidgets

BEAT_MILLISECONDS = 5


def pump(seconds: float = 0.0) -> None:
    """Let Qt do what is waiting, for at least some seconds."""
    end = time.monotonic() + seconds
    while True:
        QtWidgets.QApplication.processEvents()
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)
        if time.monotonic() >= end:
            return
        time.sleep(0.001)


def pump_until(condition: Callable[[], object], timeout: float = 30.0) -> None:
    """Let Qt run until a condition holds.

    Raises:
        TimeoutError: if it does not within ``timeout`` seconds.
    """
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"Waited {timeout} seconds for {condition}")
        pump(0.001)


class Heartbeat:
    """Measures how long the main thread was kept from Qt: a timer of 5 ms, and the longest time between its ticks.

    On a busy computer a tick comes late because others compute; what this thread itself computed between two ticks
    does not depend on them. What earlier tests left in this process is kept from the garbage collector meanwhile.

    Used as ``with Heartbeat() as heart: ...``; the tick after the block is waited for, so that nothing is missed.
    """

    def __init__(self) -> None:
        self.gaps_ms: list[float] = []
        self.computed_ms: list[float] = []
        self._last = self._last_computed = 0.0
        self._timer = QtCore.QTimer()
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MILLISECONDS)
        self._timer.timeout.connect(self._beat)

    def __enter__(self) -> Heartbeat:
        gc.collect()
        gc.freeze()
        self._last, self._last_computed = time.perf_counter(), time.thread_time()
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        beats = len(self.gaps_ms)
        pump_until(lambda: len(self.gaps_ms) > beats + 1, timeout=10)
        self._timer.stop()
        gc.unfreeze()

    @property
    def longest_ms(self) -> float:
        """The longest time between two ticks in milliseconds; about 5 where nothing blocks."""
        return max(self.gaps_ms, default=0.0)

    @property
    def longest_computed_ms(self) -> float:
        """The most that the main thread computed between two ticks, in milliseconds of its own processor time."""
        return max(self.computed_ms, default=0.0)

    def blocks_over(self, milliseconds: float) -> list[float]:
        """Every gap longer than that, in the order they came."""
        return [gap for gap in self.gaps_ms if gap > milliseconds]

    def _beat(self) -> None:
        now, computed = time.perf_counter(), time.thread_time()
        self.gaps_ms.append((now - self._last) * 1000)
        self.computed_ms.append((computed - self._last_computed) * 1000)
        self._last, self._last_computed = now, computed


def screenshot(widget: QtWidgets.QWidget, path: Path) -> Path:
    """Write what a widget shows as PNG, off-screen."""
    pump()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not widget.grab().save(str(path)):
        raise OSError(f"The picture '{path}' could not be written.")
    return path
