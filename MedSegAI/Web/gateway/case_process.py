"""One case: its process, from the start to the end of everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

import psutil

from MedSegAI.Logic.errors import MedSegAIError, WorkerError
from MedSegAI.Logic.worker.busy_computer import sharing_environment
from MedSegAI.Web.case_contract import FOLDER_VARIABLE, SECRET_VARIABLE, announcement
from MedSegAI.Web.gateway.last_one_out import processes_of

TOKEN_VARIABLE = "MEDSEGAI_TOKEN"

# Longer than a case gives itself: it knows best how to end its worker.
_SECONDS_TO_END = 7.0
_SECONDS_TO_KILL = 2.0
_SECONDS_BETWEEN_LOOKS = 0.05
_LONGEST_LINE = 2**20
# Options of trame and wslink that are set for another program must not open our port to others.
_FOREIGN_VARIABLES = ("TRAME_", "WSLINK_")


class CaseState(Enum):
    """How far a case has come."""

    OPENING = "opening"
    SERVING = "serving"
    ENDED = "ended"


class Case:
    """One case and its process.

    Args:
        folder: Private folder of this case; removed at its end.
        case_id: The part of the address that nobody can guess; lower-case, as trame makes addresses so.
    """

    def __init__(self, *, folder: Path, case_id: str) -> None:
        self.id = case_id
        self.secret = secrets.token_urlsafe(32)
        self.port: int | None = None
        self.windows = 0
        self._folder = folder
        self._problem: MedSegAIError | None = None
        self._started = time.monotonic()
        self._last_seen = self._started
        self._process: asyncio.subprocess.Process | None = None
        self._following: asyncio.Task | None = None

    @property
    def state(self) -> CaseState:
        """How far it has come, at this very moment."""
        if self._process is None or self._process.returncode is not None:
            return CaseState.ENDED
        return CaseState.OPENING if self.port is None else CaseState.SERVING

    @property
    def url_base(self) -> str:
        """The path that this case is served below."""
        return f"/case/{self.id}/"

    @property
    def why_ended(self) -> MedSegAIError:
        """Why it has ended, in words for the person who had it open."""
        if self._problem is not None or self._process is None:
            return self._problem or WorkerError("This case was not started.")
        return _how_it_ended(self._process.returncode or 0, started=self.port is not None)

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left of it: no process, no file."""
        return self._following is None or self._following.done()

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started

    @property
    def seconds_without_window(self) -> float:
        """How long nobody has looked at this case; 0 while a window is open."""
        return 0.0 if self.windows else time.monotonic() - self._last_seen

    def seen(self) -> None:
        """Somebody has just looked at this case."""
        self._last_seen = time.monotonic()

    async def start(self, command: Sequence[str], *, scan: Path | None, seconds_to_start: float) -> None:
        """Start the process, and follow it from then on.

        Raises:
            WorkerError: if it cannot be started at all.
        """
        arguments = [*command, "--port", "0", "--url-base", self.url_base, *([str(scan.absolute())] if scan else [])]
        try:
            self._process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=self._environment(),
                limit=_LONGEST_LINE,
                # Ctrl-C in the terminal is for the gateway, which then ends its cases in order.
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerError(
                f"The process of a case could not be started: {error.strerror}.",
                advice="Close other programs, and try again.",
            ) from error
        self._following = asyncio.create_task(self._follow(seconds_to_start))

    async def end(self, why: MedSegAIError | None = None) -> None:
        """End the process and everything it started, politely at first; nothing of it is left afterwards."""
        if self._process is None or self._following is None:
            return
        self._problem = self._problem or why
        self._process.stdin.close()
        await asyncio.wait({self._following}, timeout=_SECONDS_TO_END)
        self.kill()
        await self._following

    def kill(self) -> None:
        """End the process at once; :meth:`end` still has to be awaited."""
        if self.state is not CaseState.ENDED:
            self._process.kill()

    async def has_ended(self, *, within: float) -> bool:
        """Whether the process, which no longer answers, ends within so many seconds."""
        deadline = time.monotonic() + within
        while self.state is not CaseState.ENDED and time.monotonic() < deadline:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        return self.state is CaseState.ENDED

    async def _follow(self, seconds_to_start: float) -> None:
        reading = asyncio.create_task(self._read_lines())
        # Not wait(): that waits for the end of the pipes too, which whatever the case has started may hold open.
        while self.state is not CaseState.ENDED:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            if self.state is CaseState.OPENING and self.age > seconds_to_start:
                self._problem = _too_slow(seconds_to_start)
                self.kill()
        await asyncio.to_thread(_end_what_is_left, self._folder)
        await asyncio.wait({reading}, timeout=_SECONDS_TO_KILL)
        reading.cancel()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    async def _read_lines(self) -> None:
        while True:
            try:
                line = await self._process.stdout.readline()
            except ValueError:
                # A line longer than any of ours.
                continue
            if not line:
                return
            told = announcement(line)
            if isinstance(told, MedSegAIError):
                self._problem = told
            elif told is not None and self.port is None:
                self.port = told

    def _environment(self) -> dict[str, str]:
        ours = {
            name: value
            for name, value in sharing_environment().items()
            if not name.startswith(_FOREIGN_VARIABLES) and name != TOKEN_VARIABLE
        }
        private = {SECRET_VARIABLE: self.secret, FOLDER_VARIABLE: str(self._folder), "TMPDIR": str(self._folder)}
        return ours | private | {"PYTHONUNBUFFERED": "1"}


def new_case_id() -> str:
    """A part of an address that nobody can guess, of letters that survive being made lower-case."""
    return secrets.token_hex(16)


def _end_what_is_left(folder: Path) -> None:
    """A worker ends by itself when its case is gone; whatever else the case has started is killed."""
    deadline = time.monotonic() + _SECONDS_TO_KILL
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def _too_slow(seconds_to_start: float) -> MedSegAIError:
    return WorkerError(
        f"The case did not start within {seconds_to_start:.0f} seconds, and was ended.",
        advice="The computer may be very busy, or its memory full: close other programs, and try again.",
    )


def _how_it_ended(code: int, *, started: bool) -> MedSegAIError:
    if not started:
        return WorkerError(
            "The case could not be opened: its process ended while it was starting.",
            advice="The terminal that MedSegAI was started in shows why.",
        )
    if code < 0:
        return WorkerError(
            f"This case has ended: its process was killed (signal {-code}).",
            advice="Most often the computer's memory ran out. What had not been downloaded is lost.",
        )
    return WorkerError("This case has ended.", advice="What had not been downloaded is lost.")
