"""The processes of a run, as this process was started: alone, or by torchrun beside others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from MedSegAI.Logic.settings import DeviceChoice
from MedSegAI.Logic.training.config_tables.distributed import DistributedConfig
from MedSegAI.Logic.training.distributed.connected_processes import ConnectedProcesses
from MedSegAI.Logic.training.distributed.environment import place_from
from MedSegAI.Logic.training.distributed.placement import training_device
from MedSegAI.Logic.training.distributed.process_group import connected
from MedSegAI.Logic.training.processes import OneProcess, Processes


@contextmanager
def open_processes(config: DistributedConfig, *, device: str) -> Iterator[Processes]:
    """Connect with the other processes of this run, where there are any, while the block runs.

    Args:
        config: How they are connected and how a step is divided.
        device: "auto", "cpu" or "cuda".

    Raises:
        InputError: if the environment says contradictory things.
        DeviceError: if the device, or the backend on it, cannot be used.
        WorkerError: if the processes do not come together, or one of them is lost.
    """
    place = place_from(os.environ)
    where = training_device(DeviceChoice(device), local_rank=place.local_rank)
    if place.is_alone:
        yield OneProcess(device=where, accumulate=config.accumulate)
        return
    with connected(place, backend=config.backend, timeout_seconds=config.timeout_seconds, device=where):
        yield ConnectedProcesses(place, device=where, accumulate=config.accumulate)
