"""The one tree of exceptions that a person may meet.

Every message is a sentence: what is wrong and with what; ``advice`` says what to do about it. The faces show both
and nothing else; the command line then leaves with exit code 2 (130 for :class:`Cancelled`).
"""

from __future__ import annotations


class MedSegAIError(Exception):
    """Something a person can understand and mend.

    Args:
        problem: What is wrong, with which file, node or value, as a sentence.
        advice: What to do about it, as a sentence; may be empty.
    """

    exit_code = 2

    def __init__(self, problem: str, *, advice: str = "") -> None:
        super().__init__(problem, advice)
        self.problem = problem
        self.advice = advice

    @property
    def kind(self) -> str:
        """Name of the error's class, as it travels through the worker's protocol."""
        return type(self).__name__

    def __str__(self) -> str:
        return f"{self.problem} {self.advice}".strip()

    def __reduce__(self) -> tuple:
        return _rebuild, (type(self), self.problem, self.advice)


class InputError(MedSegAIError):
    """An image, folder or configuration cannot be used as it is."""


class RegionError(MedSegAIError):
    """A region of interest does not fit the volume."""


class LabelError(MedSegAIError):
    """A label was named that the model or the segmentation does not have."""


class ModelError(MedSegAIError):
    """A model is missing, broken, tampered with or of the wrong kind."""


class StorageError(MedSegAIError):
    """A result could not be written: disk full, no permission, no such folder."""


class DependencyError(MedSegAIError):
    """A package or system library is missing or unusable."""


class DeviceError(MedSegAIError):
    """The compute device that was asked for cannot be used, or its memory does not suffice."""


class WorkerError(MedSegAIError):
    """The worker process died, hangs or speaks another protocol version."""


class Cancelled(MedSegAIError):
    """The user asked to stop. Not a failure: nothing is shown as an error, nothing is left half-written."""

    exit_code = 130

    def __init__(self, problem: str = "Cancelled.", *, advice: str = "") -> None:
        super().__init__(problem, advice=advice)


def error_from_kind(kind: str, problem: str, *, advice: str = "") -> MedSegAIError:
    """Rebuild an error that crossed a process border; an unknown kind becomes a plain :class:`MedSegAIError`."""
    known = {cls.__name__: cls for cls in MedSegAIError.__subclasses__()}
    return known.get(kind, MedSegAIError)(problem, advice=advice)


def first_line(error: BaseException) -> str:
    """What another library's error says, short enough for a sentence: its first line without a full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _rebuild(cls: type[MedSegAIError], problem: str, advice: str) -> MedSegAIError:
    return cls(problem, advice=advice)
