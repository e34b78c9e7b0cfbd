"""Dice against CPU minutes: every recipe a point with its interval."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from MedSegAI.Logic.files.atomic import write_beside
from Testing.Benchmarks.training_study.accuracy_tables import mean_dice
from Testing.Benchmarks.training_study.recipes import Recipe
from Testing.Benchmarks.training_study.results import Result

COLOURS = {
    "ours": "tab:blue",
    "ensemble": "tab:blue",
    "shipped": "tab:purple",
    "monai": "tab:orange",
    "nnunet": "tab:red",
}
NAMES = {
    "ours": "our trainer",
    "ensemble": "two of ours together",
    "shipped": "shipped before",
    "monai": "MONAI's recipe",
    "nnunet": "nnU-Net 2",
}
MARKS = {"ours": "o", "ensemble": "*", "shipped": "s", "monai": "D", "nnunet": "^"}


def draw(recipes: Mapping[str, Recipe], results: Mapping[str, Result], path: Path) -> None:
    """Write a PNG of the results that are there; ablations are small and pale."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5.5), dpi=110)
    named: set[str] = set()
    there = [recipe for recipe in recipes.values() if recipe.name in results]
    for recipe in sorted(there, key=lambda recipe: mean_dice(results[recipe.name]).value):
        mean, is_main = mean_dice(results[recipe.name]), recipe.table == "accuracy"
        minutes = results[recipe.name].cpu_minutes
        ends = None if mean.low is None else [[mean.value - mean.low], [mean.high - mean.value]]
        axes.errorbar(
            minutes,
            mean.value,
            yerr=ends if is_main else None,
            fmt=MARKS[recipe.trainer],
            color=COLOURS[recipe.trainer],
            markersize=8 if is_main else 4,
            alpha=1.0 if is_main else 0.45,
            capsize=3,
            label=NAMES[recipe.trainer] if recipe.trainer not in named and is_main else None,
        )
        if is_main:
            named.add(recipe.trainer)
            axes.annotate(recipe.name, (minutes, mean.value), (7, -3), textcoords="offset points", fontsize=8)
    axes.axhline(0.89, color="0.6", linestyle=":", linewidth=1)
    axes.annotate(
        "goal",
        (0.005, 0.89),
        (0, 2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=8,
        color="0.4",
    )
    axes.set_xlabel("CPU minutes of training, one thread")
    axes.set_ylabel("mean Dice of both labels, 62 validation cases")
    axes.set_xlim(left=0)
    if named:
        axes.legend(loc="lower right", frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_beside(path) as temporary:
        figure.savefig(temporary, format="png")
    plt.close(figure)
