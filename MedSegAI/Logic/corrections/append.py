"""Adding to a journal so that neither a crash, nor a second writer, nor a full disk can lose or spoil anything.

What an entry points to is on the disk before its line is, and the line is added in one piece at the end of the file:
whatever instant the machine stops at, the journal holds all complete entries. The work is a generator that stops after
each change on the disk, so that a test can end the process at every one of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from MedSegAI.Logic.corrections.case_readme import CASE_README
from MedSegAI.Logic.corrections.entry import Entry, sealed
from MedSegAI.Logic.corrections.journal import JOURNAL, Journal, parse_journal
from MedSegAI.Logic.corrections.label_files import (
    ARRAYS,
    TABLES,
    array_bytes,
    array_name,
    digest_of,
    table_bytes,
    table_name,
)
from MedSegAI.Logic.corrections.lock import exclusive
from MedSegAI.Logic.files.atomic import storage_error
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.volume import Volume

README = "README.txt"
_UNFINISHED = ".unfinished-"
# Windows would otherwise turn line breaks into two characters.
_BINARY = getattr(os, "O_BINARY", 0)
Steps = Generator[str, None, tuple[Entry, ...]]


@dataclass(frozen=True, eq=False)
class NewEntry:
    """An entry that is about to be appended, with what it will point to.

    Args:
        entry: The entry; its ``number``, ``previous``, ``hash``, ``array`` and ``table`` are filled in on the way.
        table: The names of the label values.
        labels: uint8 labels (k, j, i) inside the entry's box, on that part of the grid; None where there is no box.
    """

    entry: Entry
    table: LabelTable
    labels: Volume | None = None


Decision = Callable[[Journal], Sequence[NewEntry]]


def append(folder: str | os.PathLike[str], decide: Decision) -> tuple[Entry, ...]:
    """Append what ``decide`` makes of the journal as it is; nobody else writes between its look and the last line.

    A folder without a journal gets one. What a crash left of a last line is moved into ``journal.jsonl.torn-1``
    (-2, ...).

    Args:
        folder: The case's folder; it and its parents are made where they are missing.
        decide: Gives the entries to append, in order; none appends nothing.

    Returns:
        The entries as appended.

    Raises:
        StorageError: if the disk is full or cannot be written to, or another program holds the folder; the journal is
            as it was, or holds the first of the entries.
        InputError: if an entry of the journal was edited; whatever ``decide`` raises.
    """
    steps = append_steps(Path(folder).expanduser(), decide)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def append_steps(folder: Path, decide: Decision) -> Steps:
    """The work of :func:`append`, yielding what was done after each change on the disk."""
    try:
        yield from _make_folders(folder)
        with exclusive(folder):
            return (yield from _append_locked(folder, decide))
    except OSError as error:
        raise storage_error(error.filename or folder / JOURNAL, error) from error


def _make_folders(folder: Path) -> Generator[str, None, None]:
    for place in (folder, folder / ARRAYS, folder / TABLES):
        if not place.is_dir():
            place.mkdir(parents=True, exist_ok=True)
            _flush_folder(place.parent)
            yield f"made {place.name}"


def _append_locked(folder: Path, decide: Decision) -> Steps:
    path = folder / JOURNAL
    for left_over in (*folder.glob(f"*/{_UNFINISHED}*"), *folder.glob(f"{_UNFINISHED}*")):
        left_over.unlink(missing_ok=True)
        yield "removed what a crash left unfinished"
    content = path.read_bytes() if path.exists() else b""
    journal = parse_journal(folder, content)
    wanted = decide(journal)
    if wanted and not (folder / README).exists():
        yield from _write_whole(folder / README, CASE_README.encode())
    if wanted and journal.torn:
        yield from _move_torn_line_aside(path, journal.torn, whole=len(content) - len(journal.torn))
        content = content[: len(content) - len(journal.torn)]
    done: list[Entry] = []
    previous = journal.entries[-1].hash if journal.entries else ""
    lacks_line_break = bool(content) and not content.endswith(b"\n")
    for number, new in enumerate(wanted, start=len(journal.entries) + 1):
        entry = yield from _write_what_it_points_to(folder, new)
        entry, line = sealed(entry, number=number, previous=previous)
        yield from _add_line(path, b"\n" + line if lacks_line_break else line)
        previous, lacks_line_break = entry.hash, False
        done.append(entry)
    return tuple(done)


def _move_torn_line_aside(path: Path, torn: bytes, *, whole: int) -> Generator[str, None, None]:
    kept = sorted(path.parent.glob(f"{path.name}.torn-*"))
    if not any(other.read_bytes() == torn for other in kept):
        number = next(n for n in range(1, len(kept) + 2) if not path.with_name(f"{path.name}.torn-{n}").exists())
        yield from _write_whole(path.with_name(f"{path.name}.torn-{number}"), torn)
    with path.open("rb+") as file:
        file.truncate(whole)
        yield "cut the torn line off"
        os.fsync(file.fileno())
        yield "flushed the journal without the torn line"


def _write_what_it_points_to(folder: Path, new: NewEntry) -> Generator[str, None, Entry]:
    content = table_bytes(new.table)
    table, array = digest_of(content), None
    yield from _write_whole(folder / table_name(table), content)
    if new.labels is not None:
        content = array_bytes(new.labels)
        array = digest_of(content)
        yield from _write_whole(folder / array_name(array), content)
    return replace(new.entry, table=table, array=array)


def _write_whole(target: Path, content: bytes) -> Generator[str, None, None]:
    """Write a file that is either there as a whole or not at all; one that is there already stays."""
    if target.exists() and target.read_bytes() == content:
        return
    beside = target.with_name(f"{_UNFINISHED}{target.name}")
    try:
        with beside.open("wb") as file:
            yield f"opened {beside.name}"
            file.write(content)
            file.flush()
            yield f"wrote {beside.name}"
            os.fsync(file.fileno())
        yield f"flushed {beside.name}"
        beside.replace(target)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        error.filename = error.filename or str(target)
        raise
    yield f"renamed {target.name}"
    _flush_folder(target.parent)
    yield f"flushed the folder of {target.name}"


def _add_line(path: Path, line: bytes) -> Generator[str, None, None]:
    is_new = not path.exists()
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | _BINARY, 0o666)
    try:
        yield "opened the journal"
        before = os.fstat(handle).st_size
        try:
            _write_all(handle, line)
            yield "wrote the line"
            os.fsync(handle)
        except (OSError, KeyboardInterrupt) as error:
            # What is half there would be a torn line; without it the journal is as it was.
            with suppress(OSError):
                os.ftruncate(handle, before)
            if isinstance(error, OSError):
                error.filename = str(path)
            raise
    finally:
        os.close(handle)
    yield "flushed the journal"
    if is_new:
        _flush_folder(path.parent)
        yield "flushed the journal's folder"


def _write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _flush_folder(folder: Path) -> None:
    """Have the folder's list of names on the disk, where the system offers that."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        # Windows does not open folders.
        return
    try:
        os.fsync(handle)
    except OSError:
        # Some network file systems do not flush folders.
        pass
    finally:
        os.close(handle)
