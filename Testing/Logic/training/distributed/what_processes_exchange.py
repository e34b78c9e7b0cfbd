"""Run in each of several processes by the tests: use everything that connected processes offer, and print it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import InputError, MedSegAIError
from MedSegAI.Logic.training.config_tables.distributed import DistributedConfig
from MedSegAI.Logic.training.distributed.open_processes import open_processes
from MedSegAI.Logic.training.distributed.parts import parts_of_batch
from MedSegAI.Logic.training.distributed.shared_folder import is_started
from MedSegAI.Logic.training.distributed.whole_batch_gradient import leave_gradients
from MedSegAI.Logic.training.loss import loss_of_sums, loss_sums
from MedSegAI.Logic.training.processes import Processes

BATCH = 8


def images_and_labels() -> tuple[Tensor, Tensor]:
    """A batch whose samples have classes of very different size."""
    images = torch.randn(BATCH, 1, 4, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    thresholds = torch.linspace(-1, 2, BATCH).view(BATCH, 1, 1, 1)
    return images, (images[:, 0] > thresholds).long() + (images[:, 0] > thresholds + 1)


class WithSleepingPart(nn.Module):
    """A network of which a part takes no part in the step."""

    def __init__(self) -> None:
        super().__init__()
        self.used = nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.InstanceNorm3d(4), nn.GELU(), nn.Conv3d(4, 3, 1))
        self.asleep = nn.Linear(2, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.used(images)


def gradient(processes: Processes, *, accumulate: int) -> list[float]:
    """The loss and the gradient of the whole batch, as this process has it after a step in so many parts."""
    torch.manual_seed(processes.rank)  # The writer's weights count, whatever the others start with.
    network = processes.wrap(WithSleepingPart().double())
    images, labels = images_and_labels()

    def sums(places: range) -> Tensor:
        where = slice(places.start, places.stop)
        return loss_sums(network(images[where]), labels[where], background="excluded")

    mine = parts_of_batch(BATCH, rank=processes.rank, count=processes.count, accumulate=accumulate)
    parts = [partial(sums, part.places) for part in mine]
    loss = leave_gradients(
        network,
        parts,
        loss_of_sums=loss_of_sums,
        total_over_processes=processes.total,
        factor=processes.gradient_factor,
    )
    gradients = [parameter.grad.flatten() for parameter in network.parameters() if parameter.grad is not None]
    return [float(loss), *torch.cat(gradients).tolist()]


def answer(processes: Processes) -> str:
    """What only the writer can read."""
    if not processes.is_writer:
        raise AssertionError("asked another process")
    return "read by the writer"


def refuse() -> str:
    raise InputError("The writer found nothing.", advice="Look again.")


def sentence_of(work: Callable[[], object]) -> str:
    """What the work refuses, as a sentence."""
    try:
        work()
    except InputError as error:
        return str(error)
    raise AssertionError("nothing was refused")


def started(processes: Processes, folder: Path) -> list:
    """Whether a run is taken as started whose checkpoint nobody, everybody, or only the second process has."""
    at_second = folder / ("there" if processes.rank == 1 else "nowhere")
    found = [is_started(folder / name, processes) for name in ("nowhere", "there")]
    return [*found, sentence_of(partial(is_started, at_second, processes))] if processes.count > 1 else found


def exchange(processes: Processes, folder: Path) -> dict:
    """One of everything."""
    refused = sentence_of(partial(processes.from_writer, refuse))
    processes.barrier()
    return {
        "writer": processes.is_writer,
        "gradient": gradient(processes, accumulate=1),
        "gradient in parts": gradient(processes, accumulate=2),
        "places": [list(part.places) for part in processes.parts_of_step(BATCH)],
        "mean": processes.mean([processes.rank, 10.0 * processes.rank]),
        "spread": processes.spread(5, lambda indices: [f"{index} by {processes.rank}" for index in indices]),
        "any": [processes.any_of(processes.rank == 1), processes.any_of(False)],
        "from writer": processes.from_writer(partial(answer, processes)),
        "refused": refused,
        "started": started(processes, folder),
    }


def main(folder: str, timeout_seconds: str = "60") -> int:
    config = DistributedConfig(accumulate=2, timeout_seconds=float(timeout_seconds))
    try:
        with open_processes(config, device="cpu") as processes:
            sys.stdout.write(json.dumps(exchange(processes, Path(folder))))
    except MedSegAIError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
