"""What is known of each epoch of a run: a row of figures, kept in the checkpoint and written as a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from MedSegAI.Logic.files.atomic import write_beside

Row = dict[str, Any]
_COLUMNS = ("epoch", "steps", "seconds", "seconds_per_step", "learning_rate", "train_loss")


def validation_figures(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Mean Dice of each label over all cases, and ``dice_mean`` over all labels; not rounded.

    Args:
        scores: Dice of each label by its name, one mapping a case.
    """
    means = {name: sum(score[name] for score in scores) / len(scores) for name in scores[0]}
    return {f"dice_{name}": mean for name, mean in means.items()} | {"dice_mean": sum(means.values()) / len(means)}


def write_table(path: Path, rows: Sequence[Row], *, label_names: Sequence[str]) -> None:
    """Write the rows as a CSV file; the Dice of an epoch without validation is empty.

    Raises:
        StorageError: if it cannot be written.
    """
    columns = [*_COLUMNS, *(f"dice_{name}" for name in label_names), "dice_mean", "cpu_seconds"]
    with write_beside(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns)
        writer.writeheader()
        writer.writerows(rows)


def epoch_sentence(row: Row, *, label_names: Sequence[str], of_steps: str) -> str:
    """An epoch in one line.

    Args:
        row: Its figures.
        label_names: Labels in their order.
        of_steps: What the run may use, such as "7000".
    """
    text = f"Epoch {row['epoch']}, step {row['steps']}{of_steps}: loss {row['train_loss']:.4f}"
    if "dice_mean" in row:
        scores = ", ".join(f"{name} {row[f'dice_{name}']:.4f}" for name in label_names)
        text += f", validation Dice {row['dice_mean']:.4f} ({scores})"
    return f"{text}; {row['seconds']:.0f} s."
