"""A picture of how a run went, from its table of epochs."""

from __future__ import annotations

import csv
from pathlib import Path

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.atomic import write_beside

_FIGURE_INCHES = (7.0, 4.0)


def draw_learning_curve(table: Path, picture: Path, *, title: str) -> None:
    """Draw the validation Dice of each label and the training loss against the steps, as a PNG.

    Args:
        table: ``epochs.csv`` of a run.
        picture: Where the PNG goes.
        title: Heading of the picture.

    Raises:
        InputError: if the table is missing or holds no validation.
        StorageError: if the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = _read(table)
    validated = [row for row in rows if row["dice_mean"]]
    labels = [name for name in rows[0] if name.startswith("dice_") and name != "dice_mean"]
    figure = Figure(figsize=_FIGURE_INCHES, layout="constrained")
    FigureCanvasAgg(figure)
    dice = figure.add_subplot()
    steps = [int(row["steps"]) for row in validated]
    for name in labels:
        dice.plot(steps, [float(row[name]) for row in validated], marker=".", label=name.removeprefix("dice_"))
    dice.set(xlabel="Steps", ylabel="Validation Dice", title=title)
    dice.grid(alpha=0.3)
    loss = dice.twinx()
    loss.plot(
        [int(row["steps"]) for row in rows], [float(row["train_loss"]) for row in rows], color="0.6", label="loss"
    )
    loss.set(ylabel="Training loss (Dice + cross-entropy)", yscale="log")
    handles = [handle for axes in (dice, loss) for handle in axes.get_legend_handles_labels()[0]]
    dice.legend(handles=handles, loc="center right", bbox_to_anchor=(1.0, 0.35))
    with write_beside(picture) as temporary:
        figure.savefig(temporary, dpi=120, format="png")


def _read(table: Path) -> list[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
    except OSError as error:
        raise InputError(f"'{table}' cannot be read: {error.strerror}.", advice="Name a run's epochs.csv.") from error
    if not any(row.get("dice_mean") for row in rows):
        raise InputError(f"'{table}' holds no validation yet.", advice="Wait for the run's first validation.")
    return rows
