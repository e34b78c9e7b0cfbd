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

TOKEN_VARIABLE = "MEDSEGAI_TOKEN"

# Longer than a case gives itself: it knows best how to end its worker.
_SECONDS_TO_END = 7.0
_SECONDS_TO_KILL = 2.0
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
        self.state = CaseState.OPENING
        self.port: int | None = None
        self.problem: MedSegAIError | None = None
        self.windows = 0
        self.last_seen = time.monotonic()
        self._folder = folder
        self._started = time.monotonic()
        self._process: asyncio.subprocess.Process | None = None
        self._following: asyncio.Task | None = None
        self._ending = False

    @property
    def url_base(self) -> str:
        """The path that this case is served below."""
        return f"/case/{self.id}/"

    @property
    def pid(self) -> int | None:
        """The number of its process."""
        return self._process.pid if self._process else None

    @property
    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self._started

    @property
    def seconds_without_window(self) -> float:
        """How long nobody has looked at this case; 0 while a window is open."""
        return 0.0 if self.windows else time.monotonic() - self.last_seen

    def seen(self) -> None:
        """Somebody has just looked at this case."""
        self.last_seen = time.monotonic()

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

    async def end(self) -> None:
        """End the process and everything it started, politely at first, and remove its folder."""
        self._ending = True
        if self._process is not None:
            children = self._children()
            self._process.stdin.close()
            try:
                await asyncio.wait_for(self._process.wait(), _SECONDS_TO_END)
            except asyncio.TimeoutError:
                self.kill()
            await asyncio.to_thread(_make_sure_they_end, children)
        if self._following is not None and self._following is not asyncio.current_task():
            await self._following
        await self._forget()

    def kill(self) -> None:
        """End the process and everything it started at once; :meth:`end` still has to be awaited."""
        children = self._children()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    async def _follow(self, seconds_to_start: float) -> None:
        try:
            await asyncio.wait_for(self._read_announcement(), seconds_to_start)
        except asyncio.TimeoutError:
            self.problem = WorkerError(
                f"The case did not start within {seconds_to_start:.0f} seconds, and was ended.",
                advice="The computer may be very busy, or its memory full: close other programs, and try again.",
            )
            self.kill()
        if self.port is not None:
            self.state = CaseState.SERVING
            while await self._process.stdout.read(_LONGEST_LINE):
                pass
        code = await self._process.wait()
        self.state = CaseState.ENDED
        if self.problem is None:
            self.problem = _how_it_ended(code, started=self.port is not None)
        if not self._ending:
            await self._forget()

    async def _read_announcement(self) -> None:
        while self.port is None:
            try:
                line = await self._process.stdout.readline()
            except ValueError:
                # A line longer than any of ours.
                continue
            if not line:
                return
            told = announcement(line)
            if isinstance(told, MedSegAIError):
                self.problem = told
            elif told is not None:
                self.port = told

    async def _forget(self) -> None:
        self.state = CaseState.ENDED
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _children(self) -> list[psutil.Process]:
        if self._process is None or self._process.returncode is not None:
            return []
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

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


def _make_sure_they_end(processes: list[psutil.Process]) -> None:
    for end in (psutil.Process.terminate, psutil.Process.kill):
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                end(process)
        processes = psutil.wait_procs(processes, timeout=_SECONDS_TO_KILL)[1]


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
