"""What learns in a run: the network, the moving average of its weights, and how they take a step."""

from __future__ import annotations

import copy
import math
from functools import partial

import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.batches import Batch, sample_at, seed_of_step, together
from MedSegAI.Logic.training.checkpoint import Checkpoint, Progress
from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.distributed.parts import Part
from MedSegAI.Logic.training.distributed.placement import on_device
from MedSegAI.Logic.training.distributed.whole_batch_gradient import leave_gradients
from MedSegAI.Logic.training.loss_kinds import loss_of
from MedSegAI.Logic.training.optimiser import build_optimiser
from MedSegAI.Logic.training.precision import precision_of
from MedSegAI.Logic.training.processes import Processes
from MedSegAI.Logic.training.training_set import TrainingSet

_SMALLEST_SCALE = 1.0


class Learner:
    """A network in training; every process of a run has an equal one.

    Args:
        network: Fresh, on the CPU; becomes the one that learns.
        config: Of the run.
        processes: Who trains together, and where this one computes.

    Raises:
        DeviceError: if the configuration's precision needs another device.
    """

    def __init__(self, network: nn.Module, config: TrainingConfig, processes: Processes) -> None:
        self.config, self.processes = config, processes
        self.precision = precision_of(config, processes.device)
        # Channels last makes a training step of the small network about 15% faster on a CPU.
        self.network = network.to(processes.device, memory_format=torch.channels_last_3d).train()
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimiser = build_optimiser(self.network, config.optimiser)
        self.loss = loss_of(config)
        self._wrapped = processes.wrap(self.network)

    def leave_gradients(self, samples_from: TrainingSet, step: int) -> float:
        """Compute the gradients of the batch of step 0, 1, 2...; the weights stay as they are.

        Args:
            samples_from: What is learned from.
            step: Steps done before.

        Returns:
            The loss of the whole batch, the same in every process.

        Raises:
            InputError: if the loss is no longer a number.
        """
        self.optimiser.zero_grad()
        loss = leave_gradients(
            self._wrapped,
            [partial(self._sums, part, self._batch(samples_from, part, step), step) for part in self._parts()],
            loss_of_sums=self.loss.of_sums,
            total_over_processes=self.processes.total,
            factor=self.processes.gradient_factor * self.precision.scale(),
        )
        value = float(loss)
        self._refuse_no_number(value, step)
        return value

    def move(self, step: int, *, rate: float) -> None:
        """Move the weights along the gradients, and their average after them.

        Args:
            step: Steps done before.
            rate: Learning rate.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.precision.update(self.network, self.optimiser, gradient_norm=self.config.optimiser.gradient_norm)
        self._update_average(step)

    def state(self, progress: Progress) -> Checkpoint:
        """Everything that a checkpoint keeps; the tensors are those that go on learning."""
        return Checkpoint(
            self.config,
            progress,
            self.network.state_dict(),
            self.average.state_dict(),
            self.optimiser.state_dict(),
            self.precision.state_dict(),
        )

    def load(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint of an equal configuration."""
        self.network.load_state_dict(checkpoint.network)
        self.average.load_state_dict(checkpoint.average)
        self.optimiser.load_state_dict(checkpoint.optimiser)
        self.precision.load_state_dict(checkpoint.scaler)

    def _parts(self) -> tuple[Part, ...]:
        return self.processes.parts_of_step(self.config.batch_size)

    def _batch(self, samples_from: TrainingSet, part: Part, step: int) -> Batch:
        first = step * self.config.batch_size
        samples = [sample_at(samples_from, self.config, first + place) for place in part.places]
        return on_device(together(samples), self.processes.device)

    def _sums(self, part: Part, batch: Batch, step: int) -> Tensor:
        torch.manual_seed(part.seed(seed_of_step(self.config, step)))
        with self.precision.lowered():
            logits = self._wrapped(batch.images.to(memory_format=torch.channels_last_3d))
        return self.loss.sums(logits, batch.targets, batch.weights)

    def _update_average(self, step: int) -> None:
        # The average forgets the random start faster than it forgets what was learned later.
        decay = min(self.config.optimiser.average_decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for average, current in zip(self.average.parameters(), self.network.parameters()):
                average.lerp_(current, 1 - decay)
            for average, current in zip(self.average.buffers(), self.network.buffers()):
                average.copy_(current)

    def _refuse_no_number(self, loss: float, step: int) -> None:
        # float16 overflows now and then; its scale is lowered then, and the step left out.
        if math.isfinite(loss) or self.precision.scaler.get_scale() > _SMALLEST_SCALE:
            return
        raise InputError(
            f"The loss is no longer a number at step {step + 1}.",
            advice="Lower optimiser.learning_rate, or check the images for extreme values.",
        )
