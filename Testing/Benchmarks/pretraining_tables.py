"""The table and the picture of ``pretraining_study``, from its JSON files alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from MedSegAI.Logic.agreement.bootstrap import Estimate
from MedSegAI.Logic.files.atomic import write_beside
from Testing.Benchmarks.left_out_readers import mean_with_interval

FRACTIONS = (10, 25, 100)
STARTS = ("scratch", "pretrained")
COLOURS = {"scratch": "0.45", "pretrained": "tab:blue"}
NAMES = {"scratch": "random weights", "pretrained": "pretrained weights"}
Result = Mapping[str, object]


def person_of(name: str) -> str:
    """Whose hippocampus a case is: the cases 2 k - 1 and 2 k are those of one person."""
    return f"person {(int(name.rpartition('_')[2]) + 1) // 2}"


def read_results(folder: Path) -> list[Result]:
    """The supervised runs that were finished."""
    found = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(folder).glob("*-seed*.json")))
    return [result for result in found if "dice" in result]


def case_means(result: Result) -> dict[str, float]:
    """The mean Dice of the labels in each case."""
    return {case: float(np.mean(list(scores.values()))) for case, scores in result["dice"].items()}


def mean_over_seeds(results: Sequence[Result], start: str, percent: int) -> dict[str, float] | None:
    """The mean Dice in each case over the runs of one kind, or None where there is none."""
    runs = [case_means(one) for one in results if (one["start"], one["percent"]) == (start, percent)]
    if not runs:
        return None
    return {case: float(np.mean([scores[case] for scores in runs])) for case in runs[0]}


def estimate(values: Mapping[str, float]) -> Estimate:
    """The mean over the cases, and its 95% interval from drawing people with all their cases."""
    return mean_with_interval(np.array(list(values.values())), [person_of(case) for case in values])


def difference(pretrained: Mapping[str, float], scratch: Mapping[str, float]) -> dict[str, float]:
    """In each case that both have, how much better the pretrained run is."""
    return {case: pretrained[case] - scratch[case] for case in scratch if case in pretrained}


def table(results: Sequence[Result]) -> str:
    """A Markdown table: a row a part of the labels, with the paired difference and its interval."""
    lines = ["| Labels | Cases | Seeds | Random weights | Pretrained weights | Difference (95% interval) |"]
    lines.append("|---|---|---|---|---|---|")
    for percent in FRACTIONS:
        scores = {start: mean_over_seeds(results, start, percent) for start in STARTS}
        here = [result for result in results if result["percent"] == percent]
        count = len(here[0]["training_cases"]) if here else "-"
        seeds = " and ".join(str(sum(one["start"] == start for one in here)) for start in STARTS)
        cells = [f"{estimate(scores[start]).value:.4f}" if scores[start] else "not run" for start in STARTS]
        gain = "not run"
        if all(scores.values()):
            found = estimate(difference(scores["pretrained"], scores["scratch"]))
            interval = "too few people" if found.low is None else f"{found.low:+.4f} to {found.high:+.4f}"
            gain = f"{found.value:+.4f} ({interval})"
        lines.append(f"| {percent}% | {count} | {seeds} | {cells[0]} | {cells[1]} | {gain} |")
    return "\n".join(lines)


def draw(results: Sequence[Result], picture: Path) -> None:
    """Mean Dice against the share of labels for both starts, with the intervals, as a PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for start in STARTS:
        found = {percent: mean_over_seeds(results, start, percent) for percent in FRACTIONS}
        known = {percent: estimate(values) for percent, values in found.items() if values}
        if not known:
            continue
        values = np.array([one.value for one in known.values()])
        ends = [(one.value, one.value) if one.low is None else (one.low, one.high) for one in known.values()]
        around = np.abs(np.array(ends).T - values)
        axes.errorbar(
            list(known), values, yerr=around, marker="o", capsize=4, color=COLOURS[start], label=f"from {NAMES[start]}"
        )
    axes.set(
        xscale="log",
        xlabel="Labelled training cases used (%)",
        ylabel="Mean Dice of 62 validation cases",
        title="Hippocampus, equal processor time for each supervised run",
    )
    axes.set_xticks(FRACTIONS, [str(percent) for percent in FRACTIONS])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    with write_beside(picture) as temporary:
        figure.savefig(temporary, dpi=120, format="png")
