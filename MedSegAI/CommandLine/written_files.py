"""What was written and what was not, said whenever a command ends before its last file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from MedSegAI.Logic.errors import Cancelled, MedSegAIError


@dataclass
class WrittenFiles:
    """The files a command was asked for, ticked off one by one.

    Args:
        wanted: What each file holds, such as "heat map", and its path; in the order in which they are written.
    """

    wanted: Mapping[str, Path]
    done: list[str] = field(default_factory=list)

    def write(self, what: str, writer: Callable[[Path], object]) -> None:
        """Have one of the wanted files written, and tick it off once it is complete."""
        writer(self.wanted[what])
        self.done.append(what)

    def sentence(self) -> str:
        """What is there and what is missing; empty where nothing was written yet."""
        if not self.done:
            return ""
        missing = [what for what in self.wanted if what not in self.done]
        return f"Written: {self._named(self.done)}." + (f" Not written: {self._named(missing)}." if missing else "")

    def as_facts(self) -> dict[str, str]:
        """The written files by what they hold, as JSON values."""
        return {what.replace(" ", "_"): str(self.wanted[what]) for what in self.done}

    def _named(self, whats: list[str]) -> str:
        return ", ".join(f"{what} '{self.wanted[what]}'" for what in whats)


@contextmanager
def told_what_was_written(files: WrittenFiles) -> Iterator[None]:
    """An error inside the block says which files are complete and which are missing."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Cancelled(advice=files.sentence()) from stop
    except MedSegAIError as error:
        if not files.done:
            raise
        raise type(error)(error.problem, advice=f"{error.advice} {files.sentence()}".strip()) from error
