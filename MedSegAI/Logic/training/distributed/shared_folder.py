"""The folder of a run, where its processes are on several computers that may not share their drives."""

from __future__ import annotations

from pathlib import Path

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.processes import Processes


def is_started(checkpoint: Path, processes: Processes) -> bool:
    """Whether the process that writes has the checkpoint; called by all processes at once.

    torchrun may give its number to another computer whenever it starts the processes anew.

    Raises:
        InputError: in all processes, if only computers have it on which the writer is not: the run would start over.
    """
    here = checkpoint.is_file()
    at_writer = processes.from_writer(checkpoint.is_file)
    if processes.any_of(here) and not at_writer:
        raise InputError(
            f"'{checkpoint}' is on another computer than the one whose process writes now.",
            advice="Give an output folder with -o that all computers share, or copy the run's folder to each of them.",
        )
    return at_writer
