"""One run in progress: steps, epochs, validations, checkpoints, until a limit or patience is reached."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from MedSegAI.Logic.errors import Cancelled, MedSegAIError
from MedSegAI.Logic.models.weights import build_network
from MedSegAI.Logic.reporter import Reporter, SilentReporter
from MedSegAI.Logic.training.batches import steps_per_epoch
from MedSegAI.Logic.training.budget import Budget
from MedSegAI.Logic.training.checkpoint import Checkpoint, Progress, load_checkpoint, refuse_another_configuration
from MedSegAI.Logic.training.clock import Clock
from MedSegAI.Logic.training.config import TrainingConfig
from MedSegAI.Logic.training.config_tables.early_stopping import VALIDATION_DICE
from MedSegAI.Logic.training.early_stopping import Watch
from MedSegAI.Logic.training.history import Row, epoch_sentence, validation_figures
from MedSegAI.Logic.training.initial_weights import load_fitting_weights
from MedSegAI.Logic.training.learner import Learner
from MedSegAI.Logic.training.processes import Processes
from MedSegAI.Logic.training.record import Record
from MedSegAI.Logic.training.run_folder import BEST_NAME, CHECKPOINT_NAME, REPORT_NAME, TABLE_NAME
from MedSegAI.Logic.training.schedule import rate_of_step
from MedSegAI.Logic.training.summary import TrainingSummary
from MedSegAI.Logic.training.training_set import TrainingSet, ValidationSet
from MedSegAI.Logic.training.watching import StepFacts

_log = logging.getLogger(__name__)


class Run:
    """Holds the parts that change from step to step; every process of a run has one.

    Args:
        config: What is trained on what, and how.
        learned, watched: What is learned from, and what the run is watched with.
        folder: Of the run; if it holds a checkpoint, the run goes on from there.
        reporter: Hears of steps and epochs, and may ask to stop.
        processes: Who trains together.
        record: Writes the run's files; None in a process that does not write.

    Raises:
        InputError: if the folder holds a run of another configuration.
    """

    def __init__(
        self,
        config: TrainingConfig,
        learned: TrainingSet,
        watched: ValidationSet,
        *,
        folder: Path,
        reporter: Reporter,
        processes: Processes,
        record: Record | None,
    ) -> None:
        self.config, self.learned, self.watched, self.processes = config, learned, watched, processes
        self.folder, self.record, self._asked = folder, record, reporter
        self.reporter = reporter if record else SilentReporter()
        self.budget, self.epoch_steps = Budget.of(config), steps_per_epoch(len(learned), config)
        self.label_names = [name for _, name in sorted(config.data.labels.items())]
        self.progress, self._steady = Progress(), True
        torch.manual_seed(config.seed)
        network = build_network(config.network.name, config.network.arguments)
        kept = processes.from_writer(lambda: _checkpoint_in(folder))
        if kept is not None:
            refuse_another_configuration(kept, config)
        elif config.initial_weights:
            self.reporter.message(load_fitting_weights(network, Path(config.initial_weights)))
        self.learner = Learner(network, config, processes)
        if kept is not None:
            self.learner.load(kept)
            self.progress = kept.progress
            self.reporter.message(f"Going on from step {self.progress.step} of {self.budget.sentence}.")
        self._saved_seconds = 0.0

    def to_the_end(self) -> TrainingSummary:
        """Train until a limit or patience is reached; what a stopped run has reached is kept and reported.

        Raises:
            InputError: if the loss is no longer a number.
            StorageError: if a file cannot be written.
            Cancelled: if the reporter asked to stop.
        """
        self.clock = Clock(self.progress, self.processes)
        if self.record:
            self.record.begin(self.progress, self.reporter)
        try:
            self._loop()
        except (MedSegAIError, KeyboardInterrupt) as stop:
            self._leave(stop)
            raise
        finally:
            if self.record:
                self.record.close()
        if self.record:
            self.record.report(self.learner.average, self.progress, ending=self._ending())
        self.processes.barrier()
        return self._summary()

    def _loop(self) -> None:
        while True:
            # An epoch may be left to be ended from the session before.
            if self.progress.epoch_losses and self._epoch_is_over():
                self._end_epoch()
            if self._is_used_up() or self._watch().is_over(self.config.early_stopping):
                return
            if self.processes.any_of(self._asked.cancelled()):
                self._note_time()
                self._save(CHECKPOINT_NAME)
                raise Cancelled()
            self._step()
            if self._checkpoint_is_due():
                self._note_time()
                self._save(CHECKPOINT_NAME)

    def _step(self) -> None:
        progress, step = self.progress, self.progress.step
        rate = self._rate(step)
        loss = self.learner.leave_gradients(self.learned, step)
        with self._changing():
            self.learner.move(step, rate=rate)
            progress.step += 1
            progress.epoch_losses.append(loss)
        if self.budget.cpu_seconds is not None:
            self._note_time()
        self._tell(loss, rate)

    def _tell(self, loss: float, rate: float) -> None:
        pace, progress = self.clock.step_done(), self.progress
        if not self.record:
            return
        expected = self.budget.expected_steps(progress.step, progress.cpu_seconds)
        self.reporter.progress(progress.step, expected, "training")
        facts = StepFacts(
            progress.step,
            expected,
            math.ceil(progress.step / self.epoch_steps),
            loss,
            rate,
            pace,
            (expected - progress.step) / pace,
            progress.best_dice if progress.best_scores else None,
        )
        self.record.step(facts)

    def _end_epoch(self) -> None:
        self._note_time()
        progress = self.progress
        row = self._row()
        epoch = row["epoch"]
        scores = self._scores() if epoch % self.config.validation.every_epochs == 0 or self._is_used_up() else []
        is_best = False
        with self._changing():
            if scores:
                figures = validation_figures(scores)
                row |= {name: round(value, 5) for name, value in figures.items()}
                is_best = self._take_in(figures["dice_mean"], scores)
            progress.history.append(row)
            progress.epoch_losses, progress.epoch_seconds = [], 0.0
        self.clock.new_epoch()
        progress.seconds = self.clock.seconds
        if is_best:
            self._save(BEST_NAME)
        self._save(CHECKPOINT_NAME)
        if self.record:
            self.record.epoch(progress.history)
            if scores and epoch % self.config.keeping.picture_epochs == 0:
                self.record.picture(self.learner.average, scores, step=progress.step)
        sentence = epoch_sentence(row, label_names=self.label_names, of_steps=self._of_steps())
        self.reporter.message(sentence)
        _log.info(sentence)

    def _row(self) -> Row:
        progress, losses = self.progress, self.progress.epoch_losses
        return {
            "epoch": math.ceil(progress.step / self.epoch_steps),
            "steps": progress.step,
            "seconds": round(progress.seconds, 1),
            "seconds_per_step": round(progress.epoch_seconds / len(losses), 4),
            "learning_rate": self._rate(progress.step - 1),
            "train_loss": round(sum(losses) / len(losses), 5),
            "cpu_seconds": round(progress.cpu_seconds, 1),
        }

    def _scores(self) -> list[dict[str, float]]:
        return self.processes.spread(
            len(self.watched), lambda indices: self.watched.score(self.learner.average, indices)
        )

    def _take_in(self, dice: float, scores: list[dict[str, float]]) -> bool:
        """Remember a validation; whether it was the best."""
        progress, rules = self.progress, self.config.early_stopping
        losses = progress.epoch_losses
        value = dice if rules.monitor == VALIDATION_DICE else sum(losses) / len(losses)
        watch = self._watch().after(value, rules)
        progress.watch_best, progress.watch_since = watch.best, watch.since
        if dice <= progress.best_dice:
            return False
        progress.best_dice, progress.best_step, progress.best_scores = dice, progress.step, scores
        return True

    def _leave(self, stop: BaseException) -> None:
        """Keep what a stopped run has reached, and report on it."""
        if not self.record:
            return
        # Whatever goes wrong here must not hide what stopped the run.
        with suppress(MedSegAIError):
            if isinstance(stop, KeyboardInterrupt) and self._steady and self.processes.count == 1:
                self._note_time()
                self._save(CHECKPOINT_NAME)
            by_fault = isinstance(stop, MedSegAIError) and not isinstance(stop, Cancelled)
            why = f"Stopped by an error: {stop.problem}" if by_fault else "Stopped on request"
            ending = f"{why.rstrip('.')}, after {self.progress.step} steps; --resume goes on."
            self.record.report(self.learner.average, self.progress, ending=ending)

    def _note_time(self) -> None:
        progress, clock = self.progress, self.clock
        progress.seconds, progress.epoch_seconds = clock.seconds, clock.epoch_seconds
        progress.cpu_seconds = clock.cpu_seconds()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """While the block runs, weights and progress do not belong together; an interruption then keeps neither."""
        self._steady = False
        yield
        self._steady = True

    def _rate(self, step: int) -> float:
        return rate_of_step(step, self.config, epoch_steps=self.epoch_steps, cpu_seconds=self.progress.cpu_seconds)

    def _watch(self) -> Watch:
        return Watch(self.progress.watch_best, self.progress.watch_since)

    def _is_used_up(self) -> bool:
        return self.budget.is_used_up(self.progress.step, self.progress.cpu_seconds)

    def _epoch_is_over(self) -> bool:
        return self.progress.step % self.epoch_steps == 0 or self._is_used_up()

    def _checkpoint_is_due(self) -> bool:
        minutes = self.config.keeping.checkpoint_minutes
        due = bool(minutes) and self.clock.session_seconds - self._saved_seconds > 60 * minutes
        return self.processes.any_of(due) if minutes else False

    def _save(self, name: str) -> None:
        if self.record:
            self.record.save(name, self.learner.state(self.progress))
        if name == CHECKPOINT_NAME:
            self._saved_seconds = self.clock.session_seconds

    def _of_steps(self) -> str:
        return f" of {self.budget.steps}" if self.budget.steps is not None else ""

    def _ending(self) -> str:
        rules = self.config.early_stopping
        if self._is_used_up():
            return f"Ended as planned: {self.budget.sentence} done."
        return (
            f"Stopped early: {rules.monitor} did not improve by more than {rules.min_delta:g} in {rules.patience} "
            "validations in a row."
        )

    def _summary(self) -> TrainingSummary:
        progress, folder = self.progress, self.folder
        return TrainingSummary(
            checkpoint=folder / CHECKPOINT_NAME,
            best_checkpoint=folder / BEST_NAME,
            table=folder / TABLE_NAME,
            report=folder / REPORT_NAME,
            steps=progress.step,
            seconds=progress.seconds,
            cpu_seconds=progress.cpu_seconds,
            best_dice=progress.best_dice,
            stopped_early=not self._is_used_up(),
        )


def _checkpoint_in(folder: Path) -> Checkpoint | None:
    path = folder / CHECKPOINT_NAME
    return load_checkpoint(path) if path.is_file() else None
