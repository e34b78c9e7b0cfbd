"""The training loop: batches in, weights, checkpoints and a CSV table out.

Loss: soft Dice over the batch plus cross-entropy. Optimiser: AdamW (Loshchilov and Hutter 2019) with linear warm-up
and cosine decay. The weights that count are an exponential moving average of the trained ones.
"""

from __future__ import annotations

import copy
import csv
import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import make_folder, write_beside
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.training.batches import batch_of_step, seed_of_step, steps_per_epoch
from MedSegAI.Logic.training.checkpoint import Progress, load_checkpoint, restore, save_checkpoint
from MedSegAI.Logic.training.config import OptimiserConfig, TrainingConfig
from MedSegAI.Logic.training.initial_weights import load_fitting_weights
from MedSegAI.Logic.training.loss import dice_cross_entropy
from MedSegAI.Logic.training.opening import open_sets, with_teachers
from MedSegAI.Logic.training.training_set import TrainingSet, ValidationSet

CHECKPOINT_NAME = "last.pt"
BEST_NAME = "best.pt"
TABLE_NAME = "epochs.csv"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingSummary:
    """What a finished run leaves.

    Args:
        checkpoint: State at the last step.
        best_checkpoint: State at the best validation.
        table: CSV file with a row an epoch.
        steps: Steps done.
        seconds: Time spent training and validating, over all sessions of the run.
        best_dice: Best mean Dice of a validation.
        stopped_early: Whether the run ended because validation no longer improved.
    """

    checkpoint: Path
    best_checkpoint: Path
    table: Path
    steps: int
    seconds: float
    best_dice: float
    stopped_early: bool


def train(config: TrainingConfig, *, data: Path | None = None, output: Path, reporter: Reporter) -> TrainingSummary:
    """Train a network, or go on with the run in ``output``.

    Args:
        config: What to train on what, and how.
        data: Folder with imagesTr and labelsTr; None looks for ``config.data.folder`` inside what the environment
            variable MEDSEGAI_DATA names.
        output: Folder of the run. If it holds a checkpoint of the same configuration, the run goes on from there and
            ends with the weights of an uninterrupted one.
        reporter: Sees every epoch and may cancel between steps; a cancelled run leaves a checkpoint.

    Raises:
        InputError: if the data cannot be used, or ``output`` holds a run of another configuration.
        StorageError: if ``output`` cannot be written.
        Cancelled: if the reporter asked to stop.
    """
    with _set_up_torch(config.threads):
        learned, watched = open_sets(config, data)
        learned = with_teachers(learned, config)
        return _Run(config, learned, watched, folder=make_folder(output), reporter=reporter).to_the_end()


@contextmanager
def _set_up_torch(threads: int) -> Iterator[None]:
    """Give torch so many threads for a while; they round differently, so whoever computes next gets its own back."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    # Denormal numbers, met where weights decay towards zero, are many times slower than zeros.
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)


def learning_rate(step: int, total_steps: int, config: OptimiserConfig) -> float:
    """Rate of step 0, 1, 2...: linear from near zero, then a half cosine down to ``final_fraction`` of the peak."""
    if step < config.warm_up_steps:
        return config.learning_rate * (step + 1) / config.warm_up_steps
    share = (step - config.warm_up_steps) / max(total_steps - config.warm_up_steps, 1)
    falling = 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    return config.learning_rate * (config.final_fraction + (1 - config.final_fraction) * falling)


class _Run:
    """One run in progress; holds the parts that change from step to step."""

    def __init__(
        self,
        config: TrainingConfig,
        learned: TrainingSet,
        watched: ValidationSet,
        *,
        folder: Path,
        reporter: Reporter,
    ) -> None:
        self.config, self.learned, self.watched = config, learned, watched
        self.folder, self.reporter = folder, reporter
        self.epoch_steps = steps_per_epoch(len(learned), config)
        torch.manual_seed(config.seed)
        # Channels last makes a training step of the small network about 15% faster on a CPU.
        network = build_network(config.network.name, config.network.arguments)
        going_on = (folder / CHECKPOINT_NAME).is_file()
        if config.initial_weights and not going_on:
            reporter.message(load_fitting_weights(network, Path(config.initial_weights)))
        self.network = network.to(memory_format=torch.channels_last_3d).train()
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimiser = _optimiser(self.network, config.optimiser)
        self.progress = Progress()
        if going_on:
            self.progress = restore(load_checkpoint(folder / CHECKPOINT_NAME), config, **self._parts())
            reporter.message(f"Going on from step {self.progress.step} of {config.total_steps}.")

    def to_the_end(self) -> TrainingSummary:
        started = time.monotonic() - self.progress.seconds
        losses: list[float] = []
        epoch_started = time.monotonic()
        while not self._is_over() and not self._patience_is_over():
            # Only whole epochs are kept: a partial one is run again, with the same batches.
            raise_if_cancelled(self.reporter)
            losses.append(self._step(self.progress.step))
            self.progress.step += 1
            self.reporter.progress(self.progress.step, self.config.total_steps, "training")
            if self.progress.step % self.epoch_steps == 0 or self._is_over():
                self.progress.seconds = time.monotonic() - started
                self._end_epoch(losses, time.monotonic() - epoch_started)
                self.progress.seconds = time.monotonic() - started
                losses, epoch_started = [], time.monotonic()
                self._save(CHECKPOINT_NAME)
        return self._summary()

    def _step(self, step: int) -> float:
        torch.manual_seed(seed_of_step(self.config, step))
        batch = batch_of_step(self.learned, self.config, step)
        rules = self.config.optimiser
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(step, self.config.total_steps, rules)
        self.optimiser.zero_grad()
        logits = self.network(batch.images.to(memory_format=torch.channels_last_3d))
        background = self.config.dice_background
        loss = dice_cross_entropy(logits, batch.targets, background=background, weights=batch.weights)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), rules.gradient_norm)
        self.optimiser.step()
        self._update_average(step)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise InputError(
                f"The loss is no longer a number at step {step + 1}.",
                advice="Lower optimiser.learning_rate, or check the images for extreme values.",
            )
        return value

    def _update_average(self, step: int) -> None:
        # The average forgets the random start faster than it forgets what was learned later.
        decay = min(self.config.optimiser.average_decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for average, current in zip(self.average.parameters(), self.network.parameters()):
                average.lerp_(current, 1 - decay)

    def _end_epoch(self, losses: Sequence[float], seconds: float) -> None:
        progress, config = self.progress, self.config
        epoch = math.ceil(progress.step / self.epoch_steps)
        row: dict[str, Any] = {
            "epoch": epoch,
            "steps": progress.step,
            "seconds": round(progress.seconds, 1),
            "seconds_per_step": round(seconds / len(losses), 4),
            "learning_rate": learning_rate(progress.step - 1, config.total_steps, config.optimiser),
            "train_loss": round(sum(losses) / len(losses), 5),
        }
        if epoch % config.validation.every_epochs == 0 or self._is_over():
            row |= self._validate()
        progress.history.append(row)
        self._write_table()
        self.reporter.message(_sentence(row, config))
        _log.info(_sentence(row, config))

    def _validate(self) -> dict[str, float]:
        scores = self.watched.score(self.average, range(len(self.watched)))
        means = {name: sum(score[name] for score in scores) / len(scores) for name in scores[0]}
        mean = sum(means.values()) / len(means)
        progress = self.progress
        if mean > progress.best_dice:
            progress.best_dice, progress.validations_without_better = mean, 0
            self._save(BEST_NAME)
        else:
            progress.validations_without_better += 1
        return {f"dice_{name}": round(score, 5) for name, score in means.items()} | {"dice_mean": round(mean, 5)}

    def _is_over(self) -> bool:
        return self.progress.step >= self.config.total_steps

    def _patience_is_over(self) -> bool:
        patience = self.config.validation.patience
        return bool(patience) and self.progress.validations_without_better >= patience

    def _parts(self) -> dict[str, Any]:
        return {"network": self.network, "average": self.average, "optimiser": self.optimiser}

    def _save(self, name: str) -> None:
        save_checkpoint(self.folder / name, self.config, progress=self.progress, **self._parts())

    def _write_table(self) -> None:
        columns = [
            *("epoch", "steps", "seconds", "seconds_per_step", "learning_rate", "train_loss"),
            *(f"dice_{name}" for _, name in sorted(self.config.data.labels.items())),
            "dice_mean",
        ]
        with write_beside(self.folder / TABLE_NAME) as temporary, temporary.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, columns)
            writer.writeheader()
            writer.writerows(self.progress.history)

    def _summary(self) -> TrainingSummary:
        progress = self.progress
        return TrainingSummary(
            checkpoint=self.folder / CHECKPOINT_NAME,
            best_checkpoint=self.folder / BEST_NAME,
            table=self.folder / TABLE_NAME,
            steps=progress.step,
            seconds=progress.seconds,
            best_dice=progress.best_dice,
            stopped_early=self._patience_is_over() and not self._is_over(),
        )


def _optimiser(network: nn.Module, config: OptimiserConfig) -> torch.optim.AdamW:
    """AdamW that leaves biases, norms and relative position tables undecayed, as Swin was trained (Liu et al. 2021)."""
    decayed, kept = [], []
    for name, parameter in network.named_parameters():
        is_weight = parameter.ndim > 1 and "relative_position_bias_table" not in name
        (decayed if is_weight else kept).append(parameter)
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": kept, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, fused=True)


def _sentence(row: dict[str, Any], config: TrainingConfig) -> str:
    text = f"Epoch {row['epoch']}, step {row['steps']} of {config.total_steps}: loss {row['train_loss']:.4f}"
    if "dice_mean" in row:
        scores = ", ".join(f"{name} {row[f'dice_{name}']:.4f}" for _, name in sorted(config.data.labels.items()))
        text += f", validation Dice {row['dice_mean']:.4f} ({scores})"
    return f"{text}; {row['seconds']:.0f} s."
