"""How the batch of a step is divided: over processes, and within each over parts that fit into its memory.

The batch is the same whatever the number of processes: those samples that one process would see. So a configuration
means the same on two cores and on eight GPUs, and a run may go on with another number of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from MedSegAI.Logic.errors import InputError

# Far from what differs between the seeds of steps, and odd.
_STRIDE_OF_PARTS = 1_000_000_007


@dataclass(frozen=True)
class Part:
    """Some samples of a step's batch that go through the network together.

    Args:
        places: Their places in the batch, 0 to the batch's size - 1.
        number: Which part of the batch this is, counted over all processes.
    """

    places: range
    number: int

    def seed(self, seed_of_step: int) -> int:
        """The seed of what is random in the network for these samples, such as stochastic depth.

        Each part has its own, or all processes would drop the same branches. The first part has the step's.
        """
        return seed_of_step + self.number * _STRIDE_OF_PARTS


def parts_of_batch(batch_size: int, *, rank: int, count: int, accumulate: int) -> tuple[Part, ...]:
    """The parts that process ``rank`` of ``count`` learns from in a step, ``accumulate`` of them.

    Raises:
        InputError: if the batch cannot be divided into equal parts.
    """
    number_of_parts = count * accumulate
    if batch_size % number_of_parts:
        above = -(-batch_size // number_of_parts) * number_of_parts
        raise InputError(
            f"A batch of {batch_size} (batch_size, over all processes) cannot be divided equally over {count} "
            f"{'process' if count == 1 else 'processes'} with {accumulate} "
            f"{'part' if accumulate == 1 else 'parts'} each (distributed.accumulate).",
            advice=f"Give a multiple of {number_of_parts}, such as --set batch_size={above}.",
        )
    size = batch_size // number_of_parts
    mine = range(rank * accumulate, (rank + 1) * accumulate)
    return tuple(Part(range(number * size, (number + 1) * size), number) for number in mine)
