"""The pretraining loop: unlabelled scans in, weights that a supervised run starts from out."""

from __future__ import annotations

import csv
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.decathlon import read_subset
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.training.budget import Budget
from MedSegAI.Logic.training.optimiser import build_optimiser
from MedSegAI.Logic.training.pretrain.checkpoint import Progress, restore_state, save_state, save_weights
from MedSegAI.Logic.training.pretrain.config import PretrainingConfig
from MedSegAI.Logic.training.pretrain.losses import contrast, hidden_difference
from MedSegAI.Logic.training.pretrain.network import Answers, PretrainingNetwork
from MedSegAI.Logic.training.pretrain.order import Order, Shard
from MedSegAI.Logic.training.pretrain.read_ahead import read_ahead
from MedSegAI.Logic.training.pretrain.scan_folder import list_scans, scans_folder
from MedSegAI.Logic.training.pretrain.stream import ScanStream
from MedSegAI.Logic.training.pretrain.views import Views, views_of_step
from MedSegAI.Logic.training.run_folder import run_folder
from MedSegAI.Logic.training.schedule import cosine
from MedSegAI.Logic.training.torch_setup import set_up_torch

STATE_NAME = "pretraining.pt"
WEIGHTS_NAME = "pretrained.safetensors"
TABLE_NAME = "pretraining.csv"
COLUMNS = ("steps", "seconds", "cpu_seconds", "learning_rate", "loss", "reconstruction", "rotation", "contrastive")
COLUMNS += ("turns_right", "scans_left_out")
_STRIDE_OF_SEEDS = 1_000_003
_SECONDS = 60
_MOST_NAMED = 20


@dataclass(frozen=True)
class PretrainingSummary:
    """What a finished run leaves.

    Args:
        weights: safetensors file to be named as ``initial_weights`` of a training run.
        table: CSV file with a row a checkpoint.
        steps: Steps done.
        seconds, cpu_seconds: Time spent, over all sessions of the run.
        scans: How many scans there are.
        left_out: Those that could not be used, and why, as sentences.
    """

    weights: Path
    table: Path
    steps: int
    seconds: float
    cpu_seconds: float
    scans: int
    left_out: dict[Path, str]


def pretrain(
    config: PretrainingConfig, *, data: Path | None = None, output: Path, reporter: Reporter
) -> PretrainingSummary:
    """Pretrain a network on unlabelled scans, or go on with the run in ``output``.

    Args:
        config: What to look at, and how.
        data: Folder of scans; None looks for ``config.data.folder`` inside what the environment variable MEDSEGAI_DATA
            names.
        output: Folder of the run. If it holds the state of a run of the same configuration, that goes on, and ends
            with the weights of an uninterrupted one where the run is limited by steps.
        reporter: Sees every step and may cancel between them; a cancelled run leaves its last checkpoint.

    Raises:
        InputError: if there are no scans, none of them can be used, or ``output`` holds a run of another configuration.
        StorageError: if ``output`` cannot be written.
        Cancelled: if the reporter asked to stop.
    """
    paths = _chosen_scans(scans_folder(data, name=config.data.folder), config)
    order = Order(len(paths), config.seed, config.data.patches_per_scan)
    stream = ScanStream(paths, config.data, order=order)
    with run_folder(output) as folder, set_up_torch(config.threads):
        return _Run(config, stream, folder=folder, reporter=reporter).to_the_end()


def _chosen_scans(folder: Path, config: PretrainingConfig) -> tuple[Path, ...]:
    if not config.data.split_file:
        return list_scans(folder)
    # By the words of the path: ".." of a link to a folder leads beside the link.
    split = Path(os.path.normpath(folder / config.data.split_file))
    return list_scans(folder, only=read_subset(split, config.data.split_list))


class _Run:
    """One run in progress; holds the parts that change from step to step."""

    def __init__(self, config: PretrainingConfig, stream: ScanStream, *, folder: Path, reporter: Reporter) -> None:
        self.config, self.stream, self.folder, self.reporter = config, stream, folder, reporter
        torch.manual_seed(config.seed)
        self.network = PretrainingNetwork(config).to(memory_format=torch.channels_last_3d).train()
        self.optimiser = build_optimiser(self.network, config.optimiser)
        minutes = config.cpu_minutes
        self.budget = Budget(config.total_steps, None if minutes is None else _SECONDS * minutes)
        self.progress = Progress()
        self.told = 0
        if (folder / STATE_NAME).is_file():
            self.progress = restore_state(folder / STATE_NAME, config, network=self.network, optimiser=self.optimiser)
            reporter.message(f"Going on from step {self.progress.step} of {self.budget.sentence}.")

    def to_the_end(self) -> PretrainingSummary:
        config, progress = self.config, self.progress
        self.clocks = (time.monotonic() - progress.seconds, time.process_time() - progress.cpu_seconds)
        rows: list[dict[str, float]] = []

        def make(step: int) -> Views:
            return views_of_step(self.stream, config, step, shard=Shard())

        with read_ahead(make, start=progress.step) as batches:
            while not self._is_over():
                # Only whole stretches between checkpoints are kept: a partial one is run again, with the same views.
                raise_if_cancelled(self.reporter)
                rows.append(self._step(next(batches), progress.step))
                progress.step += 1
                self._look_at_clocks()
                expected = self.budget.expected_steps(progress.step, progress.cpu_seconds)
                self.reporter.progress(progress.step, expected, "pretraining")
                self._tell_what_was_left_out()
                if progress.step % config.checkpoint_steps == 0 or self._is_over():
                    self._keep(rows)
                    rows = []
        return self._summary()

    def _step(self, views: Views, step: int) -> dict[str, float]:
        torch.manual_seed(self.config.seed * _STRIDE_OF_SEEDS + step)
        rules = self.config.optimiser
        for group in self.optimiser.param_groups:
            group["lr"] = self._learning_rate()
        self.optimiser.zero_grad()
        answers = self.network(views.shown.to(memory_format=torch.channels_last_3d))
        losses = self._losses(answers, views)
        loss = sum(getattr(self.config.tasks, name) * value for name, value in losses.items())
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), rules.gradient_norm)
        self.optimiser.step()
        right = (answers.turns.detach().argmax(dim=1) == views.turns).float().mean()
        row = {"loss": float(loss.detach()), **{name: float(value.detach()) for name, value in losses.items()}}
        if not math.isfinite(row["loss"]):
            raise InputError(
                f"The loss is no longer a number at step {step + 1}.",
                advice="Lower optimiser.learning_rate, or check the scans for extreme values.",
            )
        return row | ({"turns_right": float(right)} if self.config.tasks.rotation else {})

    def _losses(self, answers: Answers, views: Views) -> dict[str, Tensor]:
        """The loss of each task that counts, by its name in the configuration."""
        tasks = self.config.tasks
        losses = {}
        if tasks.reconstruction:
            losses["reconstruction"] = hidden_difference(answers.reconstruction, views.images, views.masks)
        if tasks.rotation:
            losses["rotation"] = nn.functional.cross_entropy(answers.turns, views.turns)
        if tasks.contrastive:
            losses["contrastive"] = contrast(answers.embedding, temperature=tasks.temperature)
        return losses

    def _learning_rate(self) -> float:
        """Up in a straight line, then down half a cosine with the share of the budget that is used."""
        rules, step = self.config.optimiser, self.progress.step
        if step < rules.warm_up_steps:
            return rules.learning_rate * (step + 1) / rules.warm_up_steps
        return cosine(self.budget.share(step, self.progress.cpu_seconds), rules)

    def _is_over(self) -> bool:
        return self.budget.is_used_up(self.progress.step, self.progress.cpu_seconds)

    def _look_at_clocks(self) -> None:
        self.progress.seconds = time.monotonic() - self.clocks[0]
        self.progress.cpu_seconds = time.process_time() - self.clocks[1]

    def _tell_what_was_left_out(self) -> None:
        """Each scan once, and no more than a few: the table counts them all."""
        for number, reason in enumerate(list(self.stream.left_out.values())[self.told :], start=self.told + 1):
            if number <= _MOST_NAMED:
                self.reporter.message(f"Left out: {reason}")
            elif number == _MOST_NAMED + 1:
                self.reporter.message("More scans are left out; the table counts them.")
            self.told = number

    def _keep(self, rows: list[dict[str, float]]) -> None:
        """Weights, table and state; the state last, so that what it says was written is there."""
        progress = self.progress
        means = {name: round(sum(row[name] for row in rows) / len(rows), 5) for name in rows[0]}
        row = {
            "steps": progress.step,
            "seconds": round(progress.seconds, 1),
            "cpu_seconds": round(progress.cpu_seconds, 1),
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            **means,
            "scans_left_out": len(self.stream.left_out),
        }
        progress.history.append(row)
        with write_beside(self.folder / TABLE_NAME) as temporary, temporary.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, COLUMNS)
            writer.writeheader()
            writer.writerows(progress.history)
        save_weights(self.folder / WEIGHTS_NAME, self.network.pretrained_state())
        save_state(
            self.folder / STATE_NAME,
            self.config,
            progress=progress,
            network=self.network,
            optimiser=self.optimiser,
        )
        self.reporter.message(_sentence(row))

    def _summary(self) -> PretrainingSummary:
        progress = self.progress
        return PretrainingSummary(
            weights=self.folder / WEIGHTS_NAME,
            table=self.folder / TABLE_NAME,
            steps=progress.step,
            seconds=progress.seconds,
            cpu_seconds=progress.cpu_seconds,
            scans=len(self.stream.paths),
            left_out=dict(self.stream.left_out),
        )


def _sentence(row: dict[str, Any]) -> str:
    parts = [f"{name} {row[name]:.4f}" for name in ("reconstruction", "rotation", "contrastive") if name in row]
    return f"Step {row['steps']}: loss {row['loss']:.4f} ({', '.join(parts)}); {row['seconds']:.0f} s."
