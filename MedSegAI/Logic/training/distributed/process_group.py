"""The connection between the processes of a training, from their meeting to their parting."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed

from MedSegAI.Logic.errors import DependencyError, DeviceError
from MedSegAI.Logic.training.distributed.environment import Place
from MedSegAI.Logic.training.distributed.lost_processes import joining_in_sentences, losses_in_sentences
from MedSegAI.Logic.training.distributed.one_voice import forget_what_was_said, may_speak


@contextmanager
def connected(place: Place, *, backend: str, timeout_seconds: float, device: torch.device) -> Iterator[None]:
    """Connect this process with the others of its training while the block runs.

    Args:
        place: Which process this is.
        backend: "gloo", "nccl", or "auto": nccl between GPUs, else gloo.
        timeout_seconds: How long a process waits for the others before it gives up.
        device: Where this process computes.

    Raises:
        DeviceError: if nccl was asked for without a GPU.
        DependencyError: if this build of torch lacks the backend.
        WorkerError: if the processes do not come together.
        ProcessLostError: if one of the others ends, or does not answer, while the block runs.
    """
    chosen = _chosen(backend, device)
    port = os.environ.get("MASTER_PORT", "")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    with joining_in_sentences(count=place.count, port=port, timeout_seconds=timeout_seconds):
        patience = datetime.timedelta(seconds=timeout_seconds)
        store, _, _ = next(distributed.rendezvous("env://", timeout=patience))
        distributed.init_process_group(
            # Scores and other objects travel between CPUs; nccl carries what lies on GPUs.
            "cpu:gloo,cuda:nccl" if chosen == "nccl" else "gloo",
            # torchrun keeps one store: what processes left there that are dead by now must not be taken for an answer.
            store=distributed.PrefixStore(f"medsegai/start {place.restarts}", store),
            rank=place.rank,
            world_size=place.count,
            timeout=patience,
        )
        if place.rank == 0:
            forget_what_was_said(place)
        distributed.barrier()
    try:
        with losses_in_sentences():
            yield
    except BaseException:
        may_speak(place)  # Leaves the mark of the first to end before the others notice.
        raise
    finally:
        distributed.destroy_process_group()


def _chosen(backend: str, device: torch.device) -> str:
    chosen = ("nccl" if device.type == "cuda" else "gloo") if backend == "auto" else backend
    if chosen == "nccl" and device.type != "cuda":
        raise DeviceError(
            "distributed.backend is 'nccl', which connects GPUs, but this process computes on the CPU.",
            advice="Write backend: gloo (or auto), or give each process a GPU.",
        )
    if not (distributed.is_available() and getattr(distributed, f"is_{chosen}_available")()):
        raise DependencyError(
            f"This build of torch has no {chosen}, which connects the processes of a training.",
            advice="Install the build of torch for your system from pytorch.org, or train with one process.",
        )
    return chosen
