"""The nodule tables in their document and as CSV, and Dice against click error as a picture, from files of results."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from MedSegAI.Logic.evaluation.intervals import Bootstrap, Mean, mean_of
from MedSegAI.Logic.evaluation.paired import paired_difference
from Testing.Benchmarks.nodule_scores import CLICK_ERRORS, CONSENSUS, FIGURES, OTHERS, Row, read_rows
from Testing.Benchmarks.nodule_variants import BASE, VARIANTS

START, END = "<!-- tables: written by Testing.Benchmarks.nodule_model -->", "<!-- end of tables -->"
PLAIN = ("sphere", "sphere-true-size", "sphere-true-place")
RIVALS = ("unet", "monai-swin-unetr")
SOURCES = {"cubes": "cubes (whole, 3D)", "slices": "marked slices"}
_HEADS = ("Dice", "Sensitivity", "Specificity", "HD95 mm", "PPV", "NPV")
_CURVES = ("sphere", "sphere-true-size", "unet", "monai-swin-unetr", BASE.name, "no-click-channel", "shipped")


def write_report(results: Path, document: Path) -> None:
    """Put the tables into a Markdown document, between its two marks, and the curve into ``pictures`` beside it.

    The CSV table, with every figure, goes to the results.
    """
    found = {path.stem: read_rows(path) for path in sorted(results.glob("*.json"))}
    order = [name for name in (*PLAIN, *(v.name for v in VARIANTS), "shipped") if name in found]
    titles = {name: str(facts["title"]) for name, (_, facts) in found.items()}
    rows = {name: rows for name, (rows, _) in found.items()}
    parts = [
        "### Against the consensus of all readers",
        _main_table(order, titles, rows),
        "### A fourth radiologist and each way, against the consensus of the same three others",
        _radiologist_table(order, titles, rows),
        "### What each change does: mean Dice with the consensus, minus that of our recipe",
        _change_table([name for name in order if name not in PLAIN], titles, rows),
    ]
    before, _, rest = document.read_text(encoding="utf-8").partition(START)
    tables = "\n\n".join(parts)
    document.write_text(f"{before}{START}\n\n{tables}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    _write_csv(results / "table.csv", order, titles, rows)
    (document.parent / "pictures").mkdir(exist_ok=True)
    draw_curve(rows, titles, document.parent / "pictures" / "nodule-click-error.png")


def _main_table(order: Sequence[str], titles: dict[str, str], rows: dict[str, list[Row]]) -> str:
    lines = [_line("Measured on", "Way", *_HEADS, "Nothing found"), _line(*["---"] * (len(_HEADS) + 3))]
    for source, called in SOURCES.items():
        for name in order:
            mine = chosen(rows[name], source, CONSENSUS)
            figures = [_cell(_mean(mine, figure), 1 if figure == "hd95_mm" else 3) for figure in FIGURES]
            missed = f"{sum(row.missed for row in mine)} of {sum(row.clicks for row in mine)}"
            lines.append(_line(called, titles[name], *figures, missed))
    return "\n".join(lines)


def _radiologist_table(order: Sequence[str], titles: dict[str, str], rows: dict[str, list[Row]]) -> str:
    heads = ("Measured on", "Way", "Dice", *_HEADS[1:], "Dice minus the radiologist's", "p")
    lines = [_line(*heads), _line(*["---"] * len(heads))]
    for source, called in SOURCES.items():
        reader = chosen(rows.get("radiologist", []), source, OTHERS)
        lines.append(_line(called, "The fourth radiologist", *_figures(reader), "", ""))
        subjects = {row.case: row.patient for row in reader}
        for name in order:
            mine = chosen(rows[name], source, OTHERS)
            paired = paired_difference(by_case(mine), by_case(reader), subjects=subjects)
            gain = _cell(Mean(paired.difference, paired.low, paired.high), 3)
            lines.append(_line(called, titles[name], *_figures(mine), gain, _p(paired.p_value)))
    return "\n".join(lines)


def _change_table(names: Sequence[str], titles: dict[str, str], rows: dict[str, list[Row]]) -> str:
    lines = [_line("Way", *(f"{called}, difference | p" for called in SOURCES.values())), _line(*["---"] * 5)]
    if BASE.name not in rows:
        return "Rivals and ablations have not been trained yet."
    for name in names:
        cells = []
        for source in SOURCES:
            base, mine = (chosen(rows[one], source, CONSENSUS) for one in (BASE.name, name))
            subjects = {row.case: row.patient for row in base}
            paired = paired_difference(by_case(mine), by_case(base), subjects=subjects)
            cells += [_cell(Mean(paired.difference, paired.low, paired.high), 3), _p(paired.p_value)]
        if name != BASE.name:
            lines.append(_line(titles[name], *cells))
    return "\n".join(lines)


def draw_curve(rows: dict[str, list[Row]], titles: dict[str, str], path: Path) -> None:
    """Mean Dice with the consensus on the cubes against the click's error."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name in _CURVES:
        if name in rows:
            mine = chosen(rows[name], "cubes", CONSENSUS)
            means = [mean_of([row.dice for row in mine if row.error == error]).value for error in CLICK_ERRORS]
            axes.plot(CLICK_ERRORS, means, "--o" if name in PLAIN else "-o", label=titles[name], markersize=4)
    axes.set(xlabel="Click error, share of the nodule's radius", ylabel="Mean Dice, 24 cubes", ylim=(0, 1))
    axes.set_xticks(CLICK_ERRORS)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="lower left")
    figure.savefig(path, dpi=110)


def _write_csv(path: Path, order: Sequence[str], titles: dict[str, str], rows: dict[str, list[Row]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["name", "way", "measured_on", "against", "figure", "mean", "low", "high", "rows"])
        for name in [*order, *(["radiologist"] if "radiologist" in rows else [])]:
            for source in SOURCES:
                for against in (CONSENSUS, OTHERS):
                    for figure in FIGURES:
                        mean = _mean(chosen(rows[name], source, against), figure)
                        if mean.value is not None:
                            numbers = ["" if end is None else f"{end:.4f}" for end in (mean.value, mean.low, mean.high)]
                            writer.writerow([name, titles[name], source, against, figure, *numbers, mean.cases])


def chosen(rows: Sequence[Row], source: str, against: str) -> list[Row]:
    """The rows of one set against one reference."""
    return [row for row in rows if row.source == source and row.against == against]


def _mean(rows: Sequence[Row], figure: str) -> Mean:
    return mean_of(
        [getattr(row, figure) for row in rows], subjects=[row.patient for row in rows], bootstrap=Bootstrap()
    )


def _figures(rows: Sequence[Row]) -> list[str]:
    return [_cell(_mean(rows, figure), 1 if figure == "hd95_mm" else 3) for figure in FIGURES]


def by_case(rows: Sequence[Row]) -> dict[str, float]:
    """Mean Dice of each nodule over its clicks."""
    names = dict.fromkeys(row.case for row in rows)
    return {name: float(np.mean([row.dice for row in rows if row.case == name])) for name in names}


def _cell(mean: Mean, digits: int) -> str:
    if mean.value is None:
        return "-"
    if mean.low is None:
        return f"{mean.value:.{digits}f}"
    return f"{mean.value:.{digits}f} ({mean.low:.{digits}f} to {mean.high:.{digits}f})"


def _p(value: float | None) -> str:
    return "-" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
