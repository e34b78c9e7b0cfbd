"""What was written and what was not, said whenever a command ends before its last file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from MedSegAI.Logic.errors import Cancelled, MedSegAIError


@dataclass
class WrittenFiles:
    """The files a command was asked for, ticked off one by one.

    Args:
        wanted: Pairs of what a file holds, such as "heat map", and its path; in the order in which they are written.
    """

    wanted: Sequence[tuple[str, Path]]
    done: list[Path] = field(default_factory=list)

    def tick(self, path: Path) -> None:
        """``path`` is complete."""
        self.done.append(path)

    def sentence(self) -> str:
        """What is there and what is missing; empty where nothing was written yet."""
        if not self.done:
            return ""
        written = ", ".join(f"the {what} ('{path}')" for what, path in self.wanted if path in self.done)
        missing = ", ".join(f"the {what} ('{path}')" for what, path in self.wanted if path not in self.done)
        return f"Written: {written}." + (f" Not written: {missing}." if missing else "")

    def as_facts(self) -> dict[str, str]:
        """The written files by what they hold, as JSON values."""
        return {what.replace(" ", "_"): str(path) for what, path in self.wanted if path in self.done}


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
