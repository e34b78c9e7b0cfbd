"""The one piece of work a session has under way: begun, polled from a face's timer, finished in small steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from MedSegAI.Logic.errors import Cancelled, MedSegAIError, WorkerError
from MedSegAI.Logic.worker.running_job import RunningJob
from MedSegAI.Session.run import Outcome, Run, RunKind

T = TypeVar("T")


class Work:
    """Work under way and what comes after it.

    A result is brought into the scene in steps, one a poll, so that no face stands still for long.

    Args:
        changed: Called whenever the run's state changed.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.run: Run | None = None
        self._changed = changed
        self._job: RunningJob | None = None
        self._finish: Callable[[object], Iterator[None]] | None = None
        self._steps: Iterator[None] | None = None
        self._leave: Callable[[], None] = _do_nothing

    @property
    def is_under_way(self) -> bool:
        """Whether something runs."""
        return self.run is not None and self.run.is_under_way

    def start(
        self,
        kind: RunKind,
        begin: Callable[[Run], RunningJob[T]],
        *,
        finish: Callable[[T], Iterator[None]],
        leave: Callable[[], None] | None = None,
    ) -> Run:
        """Begin a job and return at once.

        Args:
            kind: What is done.
            begin: Starts the job; is given the run as its reporter.
            finish: Takes the result, in steps.
            leave: Takes away what was there only while the work went on; called once it ends, however it does.

        Raises:
            WorkerError: if something else still runs.
            MedSegAIError: if the job cannot be begun; nothing is under way then.
        """
        if self.is_under_way:
            raise WorkerError("Something is still being computed.", advice="Wait for it, or cancel it first.")
        run = Run(kind)
        self._job = begin(run)
        self._finish, self._steps, self.run = finish, None, run
        self._leave = leave or _do_nothing
        self._changed()
        return run

    def poll(self, *, timeout: float = 0.0) -> bool:
        """Take in what was reported, and bring the result one step further; True once nothing is under way."""
        run = self.run
        if run is None or not run.is_under_way:
            return True
        before = _told(run)
        try:
            if self._steps is None:
                if self._job.poll(timeout=timeout):
                    self._steps = self._finish(self._job.result())
                    run.is_finishing = True
            elif next(self._steps, self) is self:
                self._end(Outcome.DONE)
        except Cancelled:
            self._end(Outcome.CANCELLED)
        except MedSegAIError as error:
            self._end(Outcome.FAILED, error=error)
        except Exception as error:
            # A mistake of ours must not leave a face that waits for ever.
            self._end(
                Outcome.FAILED,
                error=MedSegAIError(
                    f"Something unexpected went wrong: {type(error).__name__}: {error}.",
                    advice="Save your work, run again, and please report this if it happens again.",
                ),
            )
        if run.is_under_way and before != _told(run):
            self._changed()
        return not run.is_under_way

    def cancel(self) -> None:
        """Ask to stop; the run then ends within seconds."""
        if self.run is not None and self.run.can_be_cancelled:
            self.run.outcome = Outcome.STOPPING
            self._job.cancel()
            self._changed()

    def abandon(self) -> None:
        """Stop, and throw away what still comes: the case it was for is being closed."""
        if not self.is_under_way:
            return
        if self._steps is None:
            # The worker takes another job only after this one's end, so it is polled till then.
            self._finish = _nothing
            self._leave()
            self.cancel()
        else:
            self._end(Outcome.CANCELLED)

    def _end(self, outcome: Outcome, *, error: MedSegAIError | None = None) -> None:
        self._finish = self._steps = None
        self._leave()
        self.run.end(outcome, error=error)
        self._changed()


def _told(run: Run) -> tuple[object, ...]:
    """What a face shows of it; another value is a reason to show it again."""
    return run.done, run.total, run.stage, len(run.messages), run.parts, run.is_finishing


def _do_nothing() -> None:
    pass


def _nothing(_result: object) -> Iterator[None]:
    raise Cancelled()
