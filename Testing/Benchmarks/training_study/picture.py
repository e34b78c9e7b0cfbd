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
    "ensemble": "several of ours together",
    "shipped": "shipped before",
    "monai": "MONAI's recipe",
    "nnunet": "nnU-Net 2",
}
MARKS = {"ours": "o", "ensemble": "*", "shipped": "s", "monai": "D", "nnunet": "^"}


SHOWN_BELOW_THE_BEST = 0.05
GOAL = 0.89


def draw(recipes: Mapping[str, Recipe], results: Mapping[str, Result], path: Path) -> None:
    """Write a PNG of the results that are there, numbered as in the list beside them; ablations are small and pale.

    What lies far below the best is drawn at the lower edge, and the list says how low it is.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (axes, beside) = plt.subplots(1, 2, figsize=(11, 5), dpi=110, width_ratios=(3, 2))
    there = [recipe for recipe in recipes.values() if recipe.name in results]
    means = {recipe.name: mean_dice(results[recipe.name]) for recipe in there}
    floor = max((mean.value for mean in means.values()), default=GOAL) - SHOWN_BELOW_THE_BEST
    lines: list[str] = []
    for recipe in there:
        mean, minutes = means[recipe.name], results[recipe.name].cpu_minutes
        is_main, is_low = recipe.table == "accuracy", mean.value < floor
        height = floor if is_low else mean.value
        has_interval = is_main and not is_low and mean.low is not None
        axes.errorbar(
            minutes,
            height,
            yerr=[[mean.value - mean.low], [mean.high - mean.value]] if has_interval else None,
            fmt="v" if is_low else MARKS[recipe.trainer],
            color=COLOURS[recipe.trainer],
            markersize=8 if is_main else 4,
            alpha=1.0 if is_main else 0.45,
            elinewidth=0.8,
            clip_on=False,
        )
        if is_main:
            lines.append(f"{len(lines) + 1}  {recipe.name}: {mean.value:.3f}")
            axes.annotate(str(len(lines)), (minutes, height), (6, 4), textcoords="offset points", fontsize=9)
    axes.axhline(GOAL, color="0.6", linestyle=":", linewidth=1)
    axes.annotate("goal", (1.0, GOAL), (0, 2), ("axes fraction", "data"), "offset points", ha="right", color="0.4")
    axes.set(
        xlabel="CPU minutes of training, one thread",
        ylabel="mean Dice of both labels, 62 validation cases",
        ylim=(floor - 0.002, None),
    )
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    named = [trainer for trainer in NAMES if any(each.trainer == trainer for each in there)]
    marks = [plt.Line2D([], [], color=COLOURS[t], marker=MARKS[t], linestyle="", label=NAMES[t]) for t in named]
    beside.legend(handles=marks, loc="lower left", frameon=False)
    beside.text(0, 1, "\n".join(lines), va="top", fontsize=10, linespacing=1.6)
    beside.axis("off")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_beside(path) as temporary:
        figure.savefig(temporary, format="png")
    plt.close(figure)
