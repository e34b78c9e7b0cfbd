"""What a run leaves in its folder and tells those who watch it; only the process that writes has one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from torch import nn

from MedSegAI.Logic.errors import DependencyError, MedSegAIError
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.training.checkpoint import Checkpoint, Progress, load_checkpoint, save_checkpoint
from MedSegAI.Logic.training.config import TrainingConfig, config_as_mapping
from MedSegAI.Logic.training.history import Row, write_table
from MedSegAI.Logic.training.run_folder import BEST_NAME, CONFIG_NAME, EVENTS_NAME, REPORT_NAME, TABLE_NAME
from MedSegAI.Logic.training.run_report import write_run_report
from MedSegAI.Logic.training.tensorboard import TensorBoardWatcher
from MedSegAI.Logic.training.training_set import ValidationSet
from MedSegAI.Logic.training.watching import StepFacts, Watcher
from MedSegAI.Logic.training.worst_cases import WorstCase, case_names, show_worst_cases


class Record:
    """Files of a run and its watchers.

    Args:
        folder: Of the run.
        config: Of the run.
        watched: Validation cases.
        watchers: Who looks on.
    """

    def __init__(
        self, folder: Path, config: TrainingConfig, watched: ValidationSet, watchers: Sequence[Watcher]
    ) -> None:
        self.folder, self.config, self.watched, self.watchers = folder, config, watched, tuple(watchers)
        self.label_names = [name for _, name in sorted(config.data.labels.items())]

    def begin(self, progress: Progress, reporter: Reporter) -> None:
        """Write the configuration, defaults and changes included, and the table of a run that goes on.

        TensorBoard looks on, too, where the configuration wants it and it is installed; else a sentence says so.

        Raises:
            StorageError: if it cannot be written.
        """
        import yaml

        with write_beside(self.folder / CONFIG_NAME) as temporary:
            text = yaml.safe_dump(config_as_mapping(self.config), sort_keys=False, allow_unicode=True)
            temporary.write_text(text, encoding="utf-8")
        if progress.history:
            write_table(self.folder / TABLE_NAME, progress.history, label_names=self.label_names)
        if self.config.keeping.tensorboard:
            try:
                self.watchers += (TensorBoardWatcher(self.folder / EVENTS_NAME, steps_done=progress.step),)
            except DependencyError as missing:
                reporter.message(str(missing))

    def step(self, facts: StepFacts) -> None:
        """Tell the watchers of a step."""
        for watcher in self.watchers:
            watcher.step(facts)

    def epoch(self, rows: Sequence[Row]) -> None:
        """Write the table of epochs, and tell the watchers of the last one.

        Raises:
            StorageError: if it cannot be written.
        """
        write_table(self.folder / TABLE_NAME, rows, label_names=self.label_names)
        for watcher in self.watchers:
            watcher.epoch(rows[-1])

    def save(self, name: str, checkpoint: Checkpoint) -> None:
        """Write a checkpoint.

        Raises:
            StorageError: if it cannot be written.
        """
        save_checkpoint(self.folder / name, checkpoint)

    def picture(self, network: nn.Module, scores: Sequence[dict[str, float]], *, step: int) -> None:
        """Show the watchers the worst case of a validation."""
        if not self.watchers:
            return
        for case in show_worst_cases(self.watched, network, scores, count=1):
            for watcher in self.watchers:
                watcher.worst_case(case.picture, name=case.name, step=step)

    def report(self, network: nn.Module, progress: Progress, *, ending: str) -> None:
        """Write the report of the run as it stands.

        Args:
            network: Any network of the run, in evaluation mode; gets the best weights.
            progress: How far the run is.
            ending: A sentence: what ended it.

        Raises:
            StorageError: if it cannot be written.
        """
        names = case_names(self.watched)
        pictures: list[WorstCase] = []
        if progress.best_scores and self.config.keeping.worst_cases:
            # The report is written even where the best weights were taken away.
            with suppress(MedSegAIError):
                network.load_state_dict(load_checkpoint(self.folder / BEST_NAME).average)
                count = self.config.keeping.worst_cases
                pictures = show_worst_cases(self.watched, network, progress.best_scores, count=count)
        write_run_report(
            self.folder / REPORT_NAME, self.config, progress, ending=ending, case_names=names, worst_cases=pictures
        )

    def close(self) -> None:
        """The run is over."""
        for watcher in self.watchers:
            watcher.close()
