"""Pictures of the study: nodules with every reader's outline, and the gain of each way of fusing with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.report.agreement_picture import RATER_COLOURS
from Testing.Benchmarks.nodule_tables import CHOSEN_MM, more_percent
from Testing.Benchmarks.rater_cases import RatedCase
from Testing.Benchmarks.study_tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 6
_FINER = 6
_FEWEST_VOXELS = 300
_SHARE_OF_WINDOW = 0.6


def draw_nodules(cases: Sequence[RatedCase], path: Path) -> list[str]:
    """Six nodules of four readers, from the least to the most agreed upon; their names."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    large = [
        case
        for case in cases
        if len(case.ratings.raters) == 4
        and min(np.count_nonzero(one.labels) for one in case.ratings.ratings) >= _FEWEST_VOXELS
    ]
    ordered = sorted(large, key=mean_dice_of_pairs)
    places = np.unique(np.linspace(0, len(ordered) - 1, SHOWN).round().astype(int)) if ordered else []
    chosen = [ordered[place] for place in places]
    figure = Figure(figsize=(13, 9.4), layout="constrained", facecolor="white")
    for axes, case in zip(figure.subplots(2, 3).flat, chosen):
        _draw_nodule(axes, case)
    for axes in figure.axes[len(chosen) :]:
        axes.axis("off")
    lines = [Line2D([], [], color=colour, lw=1.6, label=f"reader {n}") for n, colour in enumerate(RATER_COLOURS[:4], 1)]
    lines.append(Line2D([], [], color="#ff2020", lw=2.6, label=f"STAPLE ({CHOSEN_MM:g} mm)"))
    lines.append(Line2D([], [], color="white", lw=2.2, ls=(0, (2, 1.6)), label="majority vote"))
    legend = figure.legend(handles=lines, loc="outside lower center", ncols=6, fontsize=11)
    legend.get_frame().set_facecolor("#808080")
    figure.savefig(path, dpi=100)
    return [case.name for case in chosen]


def mean_dice_of_pairs(case: RatedCase) -> float:
    masks = [one.labels > 0 for one in case.ratings.ratings]
    return float(np.mean([dice(first, second) for first, second in combinations(masks, 2)]))


def _draw_nodule(axes: Axes, case: RatedCase) -> None:
    """The slice with the most votes."""
    masks = [one.labels > 0 for one in case.ratings.ratings]
    staple = fuse(case.ratings, settings=FuseSettings(margin_mm=CHOSEN_MM)).labels > 0
    voted = fuse(case.ratings, method=Method.MAJORITY).labels > 0
    k = int(np.argmax(np.sum(masks, axis=(0, 2, 3))))
    rows, columns = _window(np.any(masks, axis=0)[k])
    column_mm, row_mm = case.ratings.grid.spacing[:2]
    extent = (0, column_mm * (columns.stop - columns.start), row_mm * (rows.stop - rows.start), 0)
    axes.imshow(case.image[k, rows, columns], cmap="gray", extent=extent, interpolation="nearest")
    for mask, colour in zip(masks, RATER_COLOURS):
        _outline(axes, mask[k, rows, columns], extent, colors=[colour], linewidths=1.6)
    _outline(axes, staple[k, rows, columns], extent, colors=["#ff2020"], linewidths=2.6)
    _outline(axes, voted[k, rows, columns], extent, colors=["white"], linewidths=2.2, linestyles=[(0, (2, 1.6))])
    axes.set_title(
        f"{case.name}: Dice of pairs {mean_dice_of_pairs(case):.2f}\n"
        f"STAPLE to majority: Dice {dice(staple, voted):.2f}, volume {more_percent(staple, voted):+.0f}%",
        fontsize=10,
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(f"{extent[1]:.0f} mm wide", fontsize=9)


def _window(mask: np.ndarray) -> tuple[slice, slice]:
    """A square of the slice, centred on the mask, of which the mask fills a part."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    half = int(np.ceil(max(np.ptp(rows), np.ptp(columns)) / 2 / _SHARE_OF_WINDOW)) + 2
    middle = (int(rows[[0, -1]].mean()), int(columns[[0, -1]].mean()))
    return tuple(slice(max(0, centre - half), min(size, centre + half + 1)) for centre, size in zip(middle, mask.shape))


def _outline(axes: Axes, mask: np.ndarray, extent: tuple[float, float, float, float], **style: object) -> None:
    """Along the voxels' edges."""
    if mask.any():
        finer = np.pad(np.kron(mask, np.ones((_FINER, _FINER))), 1)
        step_y, step_x = extent[2] / (finer.shape[0] - 2), extent[1] / (finer.shape[1] - 2)
        x = (np.arange(finer.shape[1]) - 0.5) * step_x
        y = (np.arange(finer.shape[0]) - 0.5) * step_y
        axes.contour(x, y, finer, levels=[0.5], **style)


def draw_gains(table: Table, path: Path) -> None:
    """How much better than majority vote each way agrees with a reader left out."""
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys(row["group"] for row in table.rows))
    figure = Figure(figsize=(6.2 * len(groups), 4.4), layout="constrained")
    for axes, group in zip(figure.subplots(1, len(groups), squeeze=False).flat, groups):
        rows = [row for row in table.rows if row["group"] == group and row["more than majority vote"] is not None]
        for place, row in enumerate(reversed(rows)):
            gain = row["more than majority vote"]
            axes.plot(gain.value, place, "o", color="#0072b2")
            if gain.low is not None:
                axes.plot([gain.low, gain.high], [place, place], "-", color="#0072b2", lw=2)
        axes.set_yticks(range(len(rows)), [row["fused from the others"] for row in reversed(rows)])
        axes.axvline(0, color="#555555", lw=1)
        axes.grid(axis="x", alpha=0.3)
        base = next(row["Dice"].value for row in table.rows if row["group"] == group)
        others = int(group.split()[0]) - 1
        axes.set_title(
            f"{rows[0]['nodules']} nodules of {group}: {others} remain\n(majority vote: Dice {base:.3f})", fontsize=11
        )
        axes.set_xlabel("Dice with the reader left out, more than majority vote's\n(mean, 95% interval over patients)")
    figure.savefig(path, dpi=100)
