"""One line of a correction journal: who said what about which voxels, when, and on top of what.

A line is a JSON object whose last member is ``hash``: the SHA-256 of the line's own bytes without that member (and with
the closing brace). ``previous`` is the hash of the line before, so that no line can be changed, taken out or put in
without breaking the chain.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from MedSegAI.Logic.geometry import Box, Grid

FORMAT = 1
_HEX = re.compile(r"[0-9a-f]{64}")
_HASH_MEMBER = b',"hash":"'
_LINE_END = b'"}'


class Kind(str, Enum):
    """What an entry is: the result that raters start from, or one rater's word on it."""

    BASE = "base"
    CORRECTION = "correction"


class Status(str, Enum):
    """How far a rater's correction is. A withdrawn entry withdraws the entry that it names as its parent."""

    DRAFT = "draft"
    FINAL = "final"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Scan:
    """Which scan a case is about: a path, and the SHA-256 of what lay there."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Origin:
    """Which model made the result that a correction rests on; all empty where no model did.

    Args:
        model: Its name.
        version: Its version.
        sha256: Digest of its weights, hex.
    """

    model: str = ""
    version: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Entry:
    """One entry of a case's journal.

    Args:
        kind: A base or a correction.
        parent: Number of the entry that this one changes; None for a base.
        rater: Who made it; empty for a base.
        role: What the rater is, such as "radiologist"; free text.
        time: ISO 8601, UTC.
        status: Draft, final or withdrawn; a base is final.
        comment: Free text.
        started_from: Digest of the labels before, as ``labels_digest`` makes it; empty for a base.
        result: Digest of the labels after.
        origin: The model behind it.
        box: The voxels (k, j, i) that changed; None where none did.
        array: SHA-256 of the file with the labels inside ``box``; None where there is no box.
        table: SHA-256 of the file with the names of the label values.
        grid: The case's grid, LPS mm.
        scan: The scan, where it was named.
        provenance: The full record of how a base came about, as JSON; empty where there is none.
        number: Its place in the journal, from 1; 0 until it is appended.
        previous: Hash of the entry before; empty for the first.
        hash: Its own hash; empty until it is appended.
    """

    kind: Kind
    parent: int | None
    rater: str
    role: str
    time: str
    status: Status
    comment: str
    started_from: str
    result: str
    origin: Origin
    box: Box | None
    array: str | None
    table: str
    grid: Grid
    scan: Scan | None = None
    provenance: str = ""
    number: int = 0
    previous: str = ""
    hash: str = ""

    def to_plain(self) -> dict[str, Any]:
        """The members of the entry's line except ``hash``, in their order."""
        return {
            "format": FORMAT,
            "number": self.number,
            "previous": self.previous,
            "kind": self.kind.value,
            "parent": self.parent,
            "rater": self.rater,
            "role": self.role,
            "time": self.time,
            "status": self.status.value,
            "comment": self.comment,
            "started_from": self.started_from,
            "result": self.result,
            "model": self.origin.model,
            "model_version": self.origin.version,
            "model_sha256": self.origin.sha256,
            "box": None if self.box is None else [list(self.box.start), list(self.box.stop)],
            "array": self.array,
            "table": self.table,
            "grid": self.grid.to_plain(),
            "scan": None if self.scan is None else {"path": self.scan.path, "sha256": self.scan.sha256},
            "provenance": json.loads(self.provenance) if self.provenance else None,
        }


def sealed(entry: Entry, *, number: int, previous: str) -> tuple[Entry, bytes]:
    """The entry at its place in the chain, and its line with the line break."""
    placed = replace(entry, number=number, previous=previous)
    body = json.dumps(placed.to_plain(), ensure_ascii=False, separators=(",", ":")).encode()
    digest = hashlib.sha256(body).hexdigest()
    return replace(placed, hash=digest), body[:-1] + _HASH_MEMBER + digest.encode() + _LINE_END + b"\n"


def hash_of_line(line: bytes) -> tuple[str, str]:
    """The hash that a line should have, and the one that it states (empty where it states none); without line break."""
    at = line.rfind(_HASH_MEMBER)
    stated = line[at + len(_HASH_MEMBER) : -len(_LINE_END)] if at >= 0 and line.endswith(_LINE_END) else b""
    return hashlib.sha256(line[: max(at, 0)] + b"}").hexdigest(), stated.decode("ascii", errors="replace")


def entry_of_line(line: bytes) -> Entry:
    """The entry that a line describes.

    Raises:
        ValueError: if it is not JSON, or a member is missing or of another kind than it must be.
    """
    try:
        return _entry(json.loads(line))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"a member is missing or wrong: {error}") from error


def _entry(plain: dict[str, Any]) -> Entry:
    if plain["format"] != FORMAT:
        raise ValueError(f"it has the format {plain['format']}")
    texts = {key: _text(plain[key]) for key in ("rater", "role", "time", "comment", "started_from", "previous")}
    grid = Grid.from_plain(plain["grid"])
    box = None if plain["box"] is None else _box(plain["box"], grid)
    if (box is None) != (plain["array"] is None):
        raise ValueError("it has a box without labels or labels without a box")
    return Entry(
        kind=Kind(plain["kind"]),
        parent=_parent(plain),
        status=Status(plain["status"]),
        result=_hex(plain["result"]),
        origin=Origin(*(_text(plain[key]) for key in ("model", "model_version", "model_sha256"))),
        box=box,
        array=None if plain["array"] is None else _hex(plain["array"]),
        table=_hex(plain["table"]),
        grid=grid,
        scan=None if plain["scan"] is None else Scan(_text(plain["scan"]["path"]), _hex(plain["scan"]["sha256"])),
        provenance=json.dumps(plain["provenance"], ensure_ascii=False, separators=(",", ":"))
        if plain["provenance"]
        else "",
        number=_number(plain["number"]),
        hash=_hex(plain["hash"]),
        **texts,
    )


def _parent(plain: dict[str, Any]) -> int | None:
    if (plain["kind"] == Kind.BASE.value) != (plain["parent"] is None):
        raise ValueError("a correction has a parent, and a base has none")
    if plain["parent"] is not None and not 1 <= _number(plain["parent"]) < plain["number"]:
        raise ValueError("its parent does not come before it")
    return plain["parent"]


def _box(plain: list, grid: Grid) -> Box:
    start, stop = (tuple(map(_number, corner)) for corner in plain)
    box = Box(start, stop)
    if len(start) != 3 or len(stop) != 3 or box.is_empty or box.clip(grid.shape) != box:
        raise ValueError("its box does not lie in its grid")
    return box


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is no whole number")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no text")
    return value


def _hex(value: object) -> str:
    if not _HEX.fullmatch(_text(value)):
        raise ValueError(f"{value!r} is no SHA-256")
    return value
