"""What the command line shows while it works: bars on a terminal, JSON lines for machines, silence in a pipe."""

from __future__ import annotations

import json
import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress


class ConsoleReporter:
    """A :class:`~MedSegAI.Logic.reporter.Reporter` that writes to standard error only.

    On a terminal each stage has a bar with done/total and the time left; elsewhere only messages are written. Use it
    as a context manager, so that no bar stays behind.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._cancelled = threading.Event()
        self._bars = None
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> ConsoleReporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def progress(self, done: int, total: int, stage: str) -> None:
        """Move the bar of ``stage``; a new stage gets a new bar. Not shown where nobody watches."""
        if not self._stream.isatty():
            return
        bars = self._open_bars()
        if stage not in self._tasks:
            self._take_away_unfinished(bars)
            self._tasks[stage] = bars.add_task(stage, total=total, detail="")
        bars.update(self._tasks[stage], completed=done, total=total)

    def detail(self, stage: str, text: str, *, facts: dict[str, Any]) -> bool:
        """Write a few words beside the bar of ``stage``, in place of the last ones.

        Args:
            stage: Whose bar.
            text: What a person reads.
            facts: The same for machines.

        Returns:
            Whether somebody can see it; not where nobody watches.
        """
        if self._bars is None or stage not in self._tasks:
            return False
        self._bars.update(self._tasks[stage], detail=text)
        return True

    def message(self, text: str) -> None:
        """Write one sentence, above the bars where there are any."""
        if self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            self._stream.write(text + "\n")
            self._stream.flush()

    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ask the running work to stop; safe in a signal handler."""
        self._cancelled.set()

    def close(self) -> None:
        """Take the bars off the terminal."""
        if self._bars is not None:
            self._bars.stop()
        self._bars = None
        self._tasks = {}

    def _take_away_unfinished(self, bars: Progress) -> None:
        """A part of a longer job ends before the job's total: its bar would look stuck beside that of the next part."""
        unfinished = [task for task in bars.tasks if not task.finished]
        for task in unfinished:
            bars.remove_task(task.id)
            del self._tasks[task.description]

    def _open_bars(self):  # noqa: ANN202 - rich is imported only where a terminal watches
        if self._bars is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            self._bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(elapsed_when_finished=True),
                TextColumn("{task.fields[detail]}"),
                console=Console(file=self._stream),
            )
            self._bars.start()
        return self._bars


class JsonReporter(ConsoleReporter):
    """The same for machines: one JSON object a line on standard error."""

    def progress(self, done: int, total: int, stage: str) -> None:
        """Write ``{"progress": {"stage", "done", "total"}}``."""
        self._write({"progress": {"stage": stage, "done": done, "total": total}})

    def detail(self, stage: str, text: str, *, facts: dict[str, Any]) -> bool:
        """Write ``{stage: facts}``."""
        self._write({stage: facts})
        return True

    def message(self, text: str) -> None:
        """Write ``{"message": text}``."""
        self._write({"message": text})

    def _write(self, line: dict[str, object]) -> None:
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._stream.flush()
