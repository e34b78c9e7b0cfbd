"""Files that are written beside the main thread, and what a panel says of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import qt
from slicer.i18n import tr as _

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Logic.worker.background_task import BackgroundTask
from MedSegAI.Widgets.problem_line import problems_shown_in

Writer = Callable[[str | os.PathLike[str]], object]
"""Writes to a path; a tuple that it gives back holds sentences for the user."""


class BackgroundWriting:
    """Writes one thing at a time.

    Args:
        note: Says what is being written, and where it lies then.
        problem: Says why something could not be written.
        begun: Called once something is being written; :meth:`poll` wants to be called from then on.
    """

    def __init__(self, note: qt.QLabel, problem: qt.QLabel, *, begun: Callable[[], None]) -> None:
        self._note, self._problem, self._begun = note, problem, begun
        self._task: BackgroundTask | None = None
        self._told = ""

    @property
    def is_under_way(self) -> bool:
        """Whether something is being written."""
        return self._task is not None

    def begin(self, path: Path, writer: Writer, *, told: str) -> None:
        """Begin to write; ``told`` is what the note says once that is done, before what the writer itself says."""
        self._told = told
        self._task = BackgroundTask(lambda _stopped: writer(path), name="writing a file")
        self._note.setText(_("Saving {path}").format(path=path))
        self._begun()

    def poll(self, *, timeout: float = 0.0) -> bool:
        """Wait up to ``timeout`` seconds for what is being written; True where it ended now, which is told."""
        if self._task is None or not self._task.wait(timeout=timeout):
            return False
        task, self._task = self._task, None
        self._note.setText("")
        said: object = None
        with problems_shown_in(self._problem):
            try:
                said = task.result()
            except MedSegAIError:
                raise
            except Exception as error:
                # A mistake of ours: whoever waits for the file must hear that there is none.
                raise MedSegAIError(_("Nothing was saved: {reason}.").format(reason=repr(error))) from error
            self._note.setText("\n".join([self._told, *(said if isinstance(said, tuple) else ())]))
        return True
