"""The table ``distributed``: how several processes train together, and how much goes through the network at once."""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need, need_one_of


@dataclass(frozen=True)
class DistributedConfig:
    """How a step is divided. What it computes stays the same: the loss is always that of the whole batch.

    Args:
        backend: What connects processes that torchrun started: "gloo", "nccl" (between GPUs only), or "auto", which
            takes nccl between GPUs and gloo between CPUs. Of no effect where one process trains.
        accumulate: Parts into which each process divides its share of a batch, one after another, so that larger
            batches fit into its memory. All parts but one go through the network once more, without gradient.
        timeout_seconds: How long a process waits for the others before it ends with a sentence.
    """

    backend: str = "auto"
    accumulate: int = 1
    timeout_seconds: float = 600.0

    def __post_init__(self) -> None:
        need_one_of(self.backend, ("auto", "gloo", "nccl"), "distributed.backend")
        need(self.accumulate >= 1, f"distributed.accumulate is {self.accumulate}", "give 1 or more parts")
        need(
            self.timeout_seconds > 0,
            f"distributed.timeout_seconds is {self.timeout_seconds:g}",
            "give a positive number of seconds",
        )
