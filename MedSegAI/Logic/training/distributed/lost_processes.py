"""What torch says when processes cannot talk to each other, as a sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from MedSegAI.Logic.errors import WorkerError

_PORT_TAKEN = ("EADDRINUSE", "address already in use")
_NOBODY_CAME = ("timed out after", "clients joined", "wait timeout", "failed to connect", "connect timeout")
_PEER_LOST = (
    "connection closed by peer",
    "connection reset by peer",
    "broken pipe",
    "connection refused",
    "socket closed",
    "application timeout caused pair closure",
    "timed out waiting",
    "gloo",
    "nccl",
)


class ProcessLostError(WorkerError):
    """Another process of a training was lost or did not answer in time."""


@contextmanager
def joining_in_sentences(*, count: int, port: str, timeout_seconds: float) -> Iterator[None]:
    """While processes come together, turn torch's errors into sentences.

    Raises:
        WorkerError: if the port is taken, or not all of the ``count`` processes came within the time.
    """
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        text = str(error)
        if _says(text, _PORT_TAKEN):
            raise WorkerError(
                f"The port {port}, at which the processes of this training meet, is taken by another program.",
                advice="Wait for the other training, or give torchrun another --master-port (or --standalone).",
            ) from error
        if _says(text, _NOBODY_CAME) or _says(text, _PEER_LOST):
            raise WorkerError(
                f"The {count} processes of this training did not come together within {timeout_seconds:g} s.",
                advice="Check that torchrun runs on every node with the same --nnodes and an address that all reach.",
            ) from error
        raise


@contextmanager
def losses_in_sentences() -> Iterator[None]:
    """While processes work together, turn the loss of one of them into a sentence.

    Raises:
        ProcessLostError: if another process ended, or did not answer in time.
    """
    try:
        yield
    except RuntimeError as error:
        if not _says(str(error), _PEER_LOST):
            raise
        raise ProcessLostError(
            "Another process of this training ended or no longer answers.",
            advice="What it said itself, if anything, stands above. The run goes on from its last checkpoint: by "
            "itself with torchrun --max-restarts=3, else with --resume.",
        ) from error


def _says(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase.lower() in text.lower() for phrase in phrases)
