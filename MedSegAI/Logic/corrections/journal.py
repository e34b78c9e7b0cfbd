"""A case's correction journal as it lies on the disk, checked line by line while it is read."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from MedSegAI.Logic.corrections.entry import Entry, Kind, Status, entry_of_line, hash_of_line
from MedSegAI.Logic.corrections.lock import exclusive
from MedSegAI.Logic.errors import InputError, MedSegAIError

JOURNAL = "journal.jsonl"
_RESTORE = "Restore the file from a backup, or begin a new case folder; nothing was changed."


@dataclass(frozen=True)
class Journal:
    """The entries of one case, in their order; nothing in it is ever taken back, only added to.

    Args:
        folder: The case's folder.
        entries: All complete entries; entry ``n`` is ``entries[n - 1]``.
        torn: What a crash left of a line that was being written, empty where nothing; the next entry moves it aside.
    """

    folder: Path
    entries: tuple[Entry, ...]
    torn: bytes = b""

    @property
    def note(self) -> str:
        """A sentence about a torn last line; empty where there is none."""
        if not self.torn:
            return ""
        return (
            f"The last line of '{self.folder / JOURNAL}' was cut off while it was written; all "
            f"{len(self.entries)} entries before it are complete, and the next entry moves the rest aside."
        )

    @property
    def raters(self) -> tuple[str, ...]:
        """Everybody who corrected, in order of their first entry."""
        return tuple(dict.fromkeys(entry.rater for entry in self.entries if entry.kind is Kind.CORRECTION))

    def entry(self, number: int) -> Entry:
        """The entry with this number.

        Raises:
            InputError: if there is none.
        """
        if not 1 <= number <= len(self.entries):
            raise InputError(
                f"'{self.folder}' has no entry {number}.", advice=f"It has the entries 1 to {len(self.entries)}."
            )
        return self.entries[number - 1]

    def until(self, number: int) -> Journal:
        """The journal as it was after this entry; raises as :meth:`entry`."""
        self.entry(number)
        return replace(self, entries=self.entries[:number], torn=b"")

    def is_withdrawn(self, entry: Entry) -> bool:
        """Whether a later entry withdrew this one."""
        return any(
            later.status is Status.WITHDRAWN and later.parent == entry.number for later in self.entries[entry.number :]
        )

    def status_of(self, entry: Entry) -> Status:
        """The entry's status as it is now."""
        return Status.WITHDRAWN if self.is_withdrawn(entry) else entry.status

    def standing(self, rater: str) -> Entry | None:
        """The rater's latest correction that was not withdrawn: the rater's word on the case; None where none."""
        return next(
            (
                entry
                for entry in reversed(self.entries)
                if entry.kind is Kind.CORRECTION
                and entry.rater == rater
                and self.status_of(entry) is not Status.WITHDRAWN
            ),
            None,
        )

    def latest_base(self) -> Entry | None:
        """The result that a rater starts from who does not name one; None in an empty journal."""
        return next((entry for entry in reversed(self.entries) if entry.kind is Kind.BASE), None)

    def lineage(self, entry: Entry) -> tuple[Entry, ...]:
        """The base that an entry rests on, all corrections on the way, and the entry itself."""
        line = [entry]
        while line[-1].parent is not None:
            line.append(self.entry(line[-1].parent))
        return tuple(reversed(line))


def read_journal(folder: str | os.PathLike[str]) -> Journal:
    """Read a case's journal and check its hash chain.

    A last line that a crash cut off is no error: see :attr:`Journal.torn`.

    Raises:
        InputError: if there is no journal, or an entry was edited, taken out or put in; the sentence names it.
    """
    place = Path(folder).expanduser()
    journal = _read(place)
    if journal.torn:
        # Perhaps somebody is writing that line this very moment.
        try:
            with exclusive(place):
                return _read(place)
        except MedSegAIError:
            return journal
    return journal


def parse_journal(folder: Path, content: bytes) -> Journal:
    """The journal in the bytes of its file; raises as :func:`read_journal`."""
    lines = content.split(b"\n")
    rest = lines.pop()
    entries: list[Entry] = []
    for line in lines:
        _add(entries, line, folder)
    if rest:
        # A line that lacks its line break alone is complete.
        try:
            _add(entries, rest, folder)
        except InputError:
            return Journal(folder, tuple(entries), rest)
    return Journal(folder, tuple(entries))


def _read(folder: Path) -> Journal:
    path = folder / JOURNAL
    try:
        return parse_journal(folder, path.read_bytes())
    except OSError as error:
        raise InputError(
            f"There is no correction journal in '{folder}': {error.strerror}.",
            advice="Name a case's folder, which holds a journal.jsonl.",
        ) from error


def _add(entries: list[Entry], line: bytes, folder: Path) -> None:
    number = len(entries) + 1
    place = f"Entry {number} of '{folder / JOURNAL}'"
    due, stated = hash_of_line(line)
    if due != stated:
        raise InputError(f"{place} was edited: its hash is not that of its content.", advice=_RESTORE)
    try:
        entry = entry_of_line(line)
    except (ValueError, MedSegAIError) as error:
        raise InputError(f"{place} cannot be read: {error}.", advice=_RESTORE) from error
    if entry.number != number or entry.previous != (entries[-1].hash if entries else ""):
        raise InputError(
            f"{place} does not follow the entry before it: an entry was edited, taken out or put in.", advice=_RESTORE
        )
    if entries and not entry.grid.same_frame(entries[0].grid):
        raise InputError(f"{place} lies on another grid than the first entry.", advice=_RESTORE)
    entries.append(entry)
