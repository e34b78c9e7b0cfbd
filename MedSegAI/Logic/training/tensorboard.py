"""A run written for TensorBoard: curves of steps and epochs, and now and then the worst case."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from MedSegAI.Logic.errors import DependencyError
from MedSegAI.Logic.training.watching import StepFacts

_STEPS_BETWEEN = 10


class TensorBoardWatcher:
    """Looks on and writes events; see ``Watcher``.

    Args:
        folder: Where the events go; shown by ``tensorboard --logdir FOLDER``.
        steps_done: Steps of earlier sessions; what a killed one wrote of later steps is not shown any more.

    Raises:
        DependencyError: if the package tensorboard is missing.
    """

    def __init__(self, folder: Path, *, steps_done: int = 0) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise DependencyError(
                "Nothing is written for TensorBoard: its package is not installed.",
                advice="Install it: pip install 'medsegai[training]'.",
            ) from error
        self._writer = SummaryWriter(str(folder), purge_step=steps_done + 1 if steps_done else None)

    def step(self, facts: StepFacts) -> None:
        """Loss, rate and pace of every tenth step."""
        if facts.step % _STEPS_BETWEEN:
            return
        self._writer.add_scalar("step/loss", facts.loss, facts.step)
        self._writer.add_scalar("step/learning_rate", facts.learning_rate, facts.step)
        self._writer.add_scalar("step/steps_per_second", facts.steps_per_second, facts.step)

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Mean loss of an epoch, and where it was validated the Dice of each label and their mean."""
        self._writer.add_scalar("epoch/train_loss", row["train_loss"], row["steps"])
        for name, value in row.items():
            if name.startswith("dice_"):
                self._writer.add_scalar(f"dice/{name.removeprefix('dice_')}", value, row["steps"])
        self._writer.flush()

    def worst_case(self, picture: bytes, *, name: str, step: int) -> None:
        """The picture of the worst case, under one title, so that it can be followed over the steps."""
        from matplotlib.image import imread

        pixels = imread(io.BytesIO(picture), format="png")[..., :3]
        self._writer.add_image("worst_case", pixels, step, dataformats="HWC")
        self._writer.add_text("worst_case/name", name, step)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()
