"""What the worker process and its parent say to each other: one JSON object a line, UTF-8, in both directions.

The parent sends jobs and cancels on the worker's standard input; closing it ends the worker. The worker answers on its
standard output. Arrays never travel in lines: they lie as ``.npy`` files in a folder that both know, see
:mod:`MedSegAI.Logic.worker.handover`.
"""

from __future__ import annotations

import functools
import json
import types
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from MedSegAI.Logic.errors import WorkerError

PROTOCOL_VERSION = 3
"""Counted up whenever a line's meaning changes; a parent refuses a worker of another version."""

_LONGEST_QUOTE = 80


@dataclass(frozen=True)
class Job:
    """Parent to worker: do this.

    Args:
        job: Number of the job; every answer carries it.
        kind: Name of a task (:mod:`MedSegAI.Logic.worker.jobs`), such as "segment".
        folder: Absolute path of an existing folder for the result's arrays.
        arguments: What the task needs, as JSON values.
        in_parts: Whether parts of the result are wanted as soon as they are finished.
    """

    type: ClassVar[str] = "job"
    job: int
    kind: str
    folder: str
    arguments: dict[str, Any]
    in_parts: bool = False


@dataclass(frozen=True)
class Cancel:
    """Parent to worker: stop this job at the next window."""

    type: ClassVar[str] = "cancel"
    job: int


@dataclass(frozen=True)
class Ready:
    """Worker to parent, once, first: the process has started."""

    type: ClassVar[str] = "ready"
    protocol: int
    process: int
    versions: dict[str, Any]


@dataclass(frozen=True)
class Accepted:
    """Worker to parent: the job has been taken up."""

    type: ClassVar[str] = "accepted"
    job: int


@dataclass(frozen=True)
class Progress:
    """Worker to parent: ``done`` of ``total`` steps of ``stage`` are finished."""

    type: ClassVar[str] = "progress"
    job: int
    done: int
    total: int
    stage: str


@dataclass(frozen=True)
class Message:
    """Worker to parent: a sentence worth showing."""

    type: ClassVar[str] = "message"
    job: int
    text: str


@dataclass(frozen=True)
class Part:
    """Worker to parent: a part of the result, which may still change; the parent removes its file.

    Args:
        job: Number of the job.
        array: Path of the ``.npy`` file with the part's uint8 labels (k, j, i).
        box: Where it lies on the scan's grid: first voxel and the one beyond the last, each (k, j, i).
    """

    type: ClassVar[str] = "part"
    job: int
    array: str
    box: list[list[int]]


@dataclass(frozen=True)
class Result:
    """Worker to parent: the job is done; ``values`` are JSON values that name the arrays' files."""

    type: ClassVar[str] = "result"
    job: int
    values: dict[str, Any]


@dataclass(frozen=True)
class JobCancelled:
    """Worker to parent: the job stopped as asked."""

    type: ClassVar[str] = "cancelled"
    job: int


@dataclass(frozen=True)
class Failed:
    """Worker to parent: the job failed, or (``job`` None) a line was not understood.

    Args:
        job: Number of the job, or None.
        kind: Class of the error in :mod:`MedSegAI.Logic.errors`.
        problem: What is wrong, as a sentence.
        advice: What to do about it.
    """

    type: ClassVar[str] = "error"
    job: int | None
    kind: str
    problem: str
    advice: str = ""


ToWorker = Job | Cancel
ToParent = Ready | Accepted | Progress | Message | Part | Result | JobCancelled | Failed
_CLASSES = {cls.type: cls for cls in (*get_args(ToWorker), *get_args(ToParent))}


def encode(message: ToWorker | ToParent) -> str:
    """The message as one line, newline included."""
    return json.dumps({"type": message.type, **asdict(message)}, ensure_ascii=False, separators=(",", ":")) + "\n"


def decode(line: str) -> ToWorker | ToParent:
    """The message of one line.

    Raises:
        WorkerError: if the line is not JSON, of an unknown type, or lacks, adds or mistypes a field.
    """
    try:
        values = json.loads(line)
    except ValueError:
        raise _refusal(line, "it is not JSON") from None
    if not isinstance(values, dict) or "type" not in values:
        raise _refusal(line, 'it is not an object with a "type"')
    cls = _CLASSES.get(str(values.pop("type")))
    if cls is None:
        raise _refusal(line, "its type is unknown")
    known = {each.name for each in fields(cls)}
    required = {each.name for each in fields(cls) if each.default is MISSING}
    if not required <= set(values) <= known:
        raise _refusal(line, f"its fields must be {', '.join(sorted(known))}")
    for name, value in values.items():
        if not _fits(value, _hints(cls)[name]):
            raise _refusal(line, f'its field "{name}" has the wrong type')
    return cls(**values)


def check_version(ready: Ready) -> None:
    """Refuse a worker that speaks another version of the protocol.

    Raises:
        WorkerError: naming both versions.
    """
    if ready.protocol != PROTOCOL_VERSION:
        raise WorkerError(
            f"The worker speaks version {ready.protocol} of the protocol, this program version {PROTOCOL_VERSION}.",
            advice="Both must come from the same installation of MedSegAI: restart the program, or install it again.",
        )


@functools.cache
def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits(value, choice) for choice in get_args(hint))
    wanted = get_origin(hint) or hint
    # JSON's true is not a number, though Python's is.
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def _refusal(line: str, why: str) -> WorkerError:
    shown = line.strip()
    if len(shown) > _LONGEST_QUOTE:
        shown = shown[:_LONGEST_QUOTE] + "..."
    return WorkerError(
        f"The line {shown!r} is not part of the worker's protocol: {why}.",
        advice="Run again; if it happens again, report it with the worker's log.",
    )
