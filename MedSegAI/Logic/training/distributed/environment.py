"""Which of several processes this one is, as torchrun says it in environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from MedSegAI.Logic.errors import InputError

_NEEDED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
_ADVICE = "Start it with 'torchrun --nproc_per_node=N -m MedSegAI.CommandLine train CONFIG.yaml'."


@dataclass(frozen=True)
class Place:
    """One process among those that train together.

    Args:
        rank: Its number, 0 to ``count - 1``, over all computers.
        count: Processes on all computers.
        local_rank: Its number on its own computer, which is the number of its GPU.
        restarts: How often torchrun has started the processes anew because one of them was lost.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    restarts: int = 0

    @property
    def is_alone(self) -> bool:
        """Whether this process was started without torchrun and has nobody to talk to."""
        return self.count == 1


def place_from(variables: Mapping[str, str]) -> Place:
    """The place that torchrun's variables name; without any of them, that of a process on its own.

    Raises:
        InputError: if some of the variables are missing or no numbers, or if SLURM started several copies without
            torchrun, each of which would train on its own and write into the same folder.
    """
    given = [name for name in ("RANK", "WORLD_SIZE") if variables.get(name)]
    if not given:
        _refuse_copies(variables)
        return Place()
    missing = [name for name in _NEEDED if not variables.get(name)]
    if missing:
        raise InputError(
            f"The environment variable {given[0]} says that several processes train together, but "
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set.",
            advice=_ADVICE,
        )
    rank, count, local_rank, restarts = (
        _number(variables, name) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "TORCHELASTIC_RESTART_COUNT")
    )
    _number(variables, "MASTER_PORT")
    if rank >= count:
        raise InputError(f"RANK is {rank}, but WORLD_SIZE says that there are {count} processes.", advice=_ADVICE)
    return Place(rank, count, local_rank, restarts)


def _refuse_copies(variables: Mapping[str, str]) -> None:
    copy = variables.get("SLURM_PROCID", "0")
    if copy != "0":
        raise InputError(
            f"This is copy {copy} of several that SLURM started, and they do not know of each other.",
            advice="Start torchrun with srun, once a computer: docs/training-distributed.md has the lines.",
        )


def _number(variables: Mapping[str, str], name: str) -> int:
    text = variables.get(name, "0")
    if not text.isdecimal():
        raise InputError(f"The environment variable {name} is '{text}', which is no whole number.", advice=_ADVICE)
    return int(text)
