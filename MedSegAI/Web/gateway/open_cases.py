"""All open cases of one gateway: how many there may be, and when a forgotten one is ended."""

from __future__ import annotations

import asyncio
import logging

from MedSegAI.Logic.errors import InputError, MedSegAIError
from MedSegAI.Web.gateway.app_folder import AppFolder
from MedSegAI.Web.gateway.case_process import Case, CaseState, new_case_id
from MedSegAI.Web.gateway.settings import GatewaySettings

# A case whose window was closed this long ago makes room for a new one; a reload of the page takes a second or two.
SECONDS_BEFORE_MAKING_ROOM = 60.0

_MOST_REMEMBERED = 100
_SECONDS_BETWEEN_LOOKS = 1.0

logger = logging.getLogger(__name__)


class TooManyCasesError(InputError):
    """No further case can be opened now."""


class OpenCases:
    """The cases of one gateway.

    Args:
        settings: How many there may be, and what each opens.
        folder: Where each gets its private folder.
    """

    def __init__(self, settings: GatewaySettings, folder: AppFolder) -> None:
        self._settings = settings
        self._folder = folder
        self._cases: dict[str, Case] = {}
        self._ended: dict[str, MedSegAIError] = {}
        self._spare: Case | None = None
        # Ended, but perhaps not all that they started.
        self._leaving: list[Case] = []
        self._room = asyncio.Lock()

    async def open(self) -> Case:
        """A new case, which may still be starting.

        Raises:
            TooManyCasesError: if as many as allowed are open already.
            WorkerError: if its process cannot be started.
        """
        async with self._room:
            await self._make_room()
            case, self._spare = self._spare, None
            if case is None or case.state is CaseState.ENDED:
                case = await self._start()
            case.seen()
            self._cases[case.id] = case
            await self._start_spare()
        logger.info("case %s opened (%d open)", case.id[:6], len(self._cases))
        return case

    def find(self, case_id: str) -> Case | None:
        """The case of this id that has not ended; None for any other."""
        case = self._cases.get(case_id)
        if case is not None and case.state is CaseState.ENDED:
            self._remember_end(case)
            return None
        return case

    def why_ended(self, case_id: str) -> MedSegAIError | None:
        """Why the case of this id has ended; None where there never was one."""
        return self._ended.get(case_id)

    async def start_spare(self) -> None:
        """Start the spare case, where one is wanted."""
        async with self._room:
            await self._start_spare()

    async def end_forgotten_ones(self) -> None:
        """For ever: end each case that has had no window for too long, and take note of those that died."""
        while True:
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
            for case in list(self._cases.values()):
                if case.state is CaseState.ENDED:
                    self._remember_end(case)
                elif case.seconds_without_window > self._settings.seconds_without_window:
                    await self._end(case, why="its last window was closed long ago")
            self._leaving = [case for case in self._leaving if not case.is_gone]

    async def end_all(self) -> None:
        """End every case, all at the same time."""
        await asyncio.gather(*(case.end() for case in self._all()))
        self._cases.clear()
        self._spare = None

    def kill_all(self) -> None:
        """Do not wait any longer for cases that are ending."""
        for case in self._all():
            case.kill()

    def _all(self) -> list[Case]:
        return [*self._cases.values(), *self._leaving, *([self._spare] if self._spare else [])]

    async def _start(self) -> Case:
        case_id = new_case_id()
        case = Case(folder=self._folder.make_case_folder(case_id), case_id=case_id)
        await case.start(
            self._settings.case_command,
            scan=self._settings.scan,
            seconds_to_start=self._settings.seconds_to_start,
        )
        return case

    async def _start_spare(self) -> None:
        if self._settings.keep_spare and self._spare is None and len(self._cases) < self._settings.most_cases:
            self._spare = await self._start()

    async def _make_room(self) -> None:
        for case in list(self._cases.values()):
            if case.state is CaseState.ENDED:
                self._remember_end(case)
        if len(self._cases) < self._settings.most_cases:
            return
        longest = max(self._cases.values(), key=lambda case: case.seconds_without_window)
        if longest.seconds_without_window < SECONDS_BEFORE_MAKING_ROOM:
            raise TooManyCasesError(
                f"{len(self._cases)} cases are open, and this server keeps no more at once.",
                advice=f"Close the window of one and try again after {SECONDS_BEFORE_MAKING_ROOM:.0f} seconds, or "
                "start MedSegAI with a larger --most-cases.",
            )
        await self._end(longest, why="its window was closed, and its place was needed for another case")

    async def _end(self, case: Case, *, why: str) -> None:
        error = MedSegAIError(f"This case was ended: {why}.", advice="What had not been downloaded is lost.")
        self._remember(case, error)
        await case.end(error)

    def _remember_end(self, case: Case) -> None:
        self._remember(case, case.why_ended)

    def _remember(self, case: Case, why: MedSegAIError) -> None:
        self._cases.pop(case.id, None)
        self._leaving.append(case)
        self._ended[case.id] = why
        logger.info("case %s: %s", case.id[:6], why)
        while len(self._ended) > _MOST_REMEMBERED:
            self._ended.pop(next(iter(self._ended)))
