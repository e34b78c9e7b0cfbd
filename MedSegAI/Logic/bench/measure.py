"""What every measure of the benchmark promises: who is held against whom, and whether all give the same answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from MedSegAI.Logic.bench.machine import usable_cores
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.settings import DeviceChoice

Action = Callable[[], Any]
Answers = Mapping[str, Any]


class Unit(str, Enum):
    """What a figure counts."""

    CPU_SECONDS = "CPU seconds"
    WALL_SECONDS = "seconds"
    GPU_SECONDS = "GPU seconds"
    PEAK_MEMORY = "MiB"


@dataclass(frozen=True)
class Conditions:
    """What the user chose for one run of the benchmark.

    Args:
        quick: Tiny sizes and one round: whether all give the same answers, not how fast they are.
        device: Where networks are evaluated, ``CPU`` or ``CUDA``.
        threads: Threads of each contestant; measures of waiting take what a run of the user's takes.
        rounds: How often each contestant is measured, after a round that does not count.

    Raises:
        InputError: for a number out of range; says which and what is allowed.
    """

    quick: bool = False
    device: DeviceChoice = DeviceChoice.CPU
    threads: int = 1
    rounds: int = 5

    def __post_init__(self) -> None:
        cores = usable_cores()
        if not 1 <= self.threads <= cores:
            raise InputError(
                f"{self.threads} threads cannot be measured on this machine of {cores} cores.",
                advice=f"Choose from 1 to {cores}.",
            )
        if not 1 <= self.rounds <= 1000:
            raise InputError(
                f"{self.rounds} rounds are not usable.", advice="Choose from 1 to 1000; 5 are enough for a median."
            )
        if self.device is DeviceChoice.AUTO:
            raise InputError("A benchmark must know where it computes.", advice="Choose the device: cpu or cuda.")

    @property
    def on_gpu(self) -> bool:
        """Whether networks are evaluated on a GPU."""
        return self.device is DeviceChoice.CUDA


@dataclass(frozen=True)
class Parity:
    """How far a contestant's answer lies from the reference's.

    Args:
        what: What the number is, such as "largest difference of logits".
        value: 0 for equal answers, larger for more different ones.
        limit: The largest value that still counts as the same answer; None where the number is only stated.
    """

    what: str
    value: float
    limit: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the answers count as the same; a NaN never does."""
        return self.limit is None or self.value <= self.limit


class Figure(str, Enum):
    """What a target bounds."""

    TIMES_FASTER = "times faster than the reference, at least"
    SHARE = "of the reference's, at most"
    SECONDS = "seconds, at most"


@dataclass(frozen=True)
class Target:
    """What a contestant of ours is meant to reach."""

    contestant: str
    figure: Figure
    bound: float


@dataclass(frozen=True)
class Case:
    """One row group of a measure: a size, a model, a shape.

    Args:
        name: What a person reads, such as "feature size 12, 96 x 96 x 96".
        about: What the measure itself needs to know of it.
        targets: What ours are meant to reach here.
        most_rounds: A case that takes minutes is measured no more often than this; None: as often as asked.
    """

    name: str
    about: Any = None
    targets: tuple[Target, ...] = ()
    most_rounds: int | None = None


@dataclass(frozen=True, eq=False)
class Contest:
    """A case made ready: every contestant is loaded, and only what is to be timed is left to do.

    Args:
        reference: The contestant that the others are held against; it may be absent.
        actions: What each contestant does, by its name; each gives its answer.
        ours: The contestants of this project.
        parity: Given each contestant's answer, how far each lies from what it should be; may leave some out.
        absent: Contestants that cannot take part here, each with the reason.
    """

    reference: str
    actions: Mapping[str, Action]
    ours: frozenset[str]
    parity: Callable[[Answers], Mapping[str, tuple[Parity, ...]]] = field(default=lambda answers: {})
    absent: Mapping[str, str] = field(default_factory=dict)


class Measure(Protocol):
    """One thing that is measured; a file of ``measures`` each."""

    name: str
    """As ``--only`` takes it."""

    title: str
    """What a person reads."""

    compares: str
    """A sentence: what is held against what, and how the answers are compared."""

    unit: Unit
    """What is compared; CPU seconds become GPU seconds where the measure runs on a GPU."""

    uses_network: bool
    """Whether a network is evaluated, so that a GPU could do it."""

    def cases(self, conditions: Conditions) -> tuple[Case, ...]:
        """What is measured under these conditions, in order."""

    def prepare(self, case: Case, conditions: Conditions) -> AbstractContextManager[Contest]:
        """Make a case ready, and take all away again when the block ends.

        Raises:
            MedSegAIError: if the case cannot be measured here; says why.
        """
