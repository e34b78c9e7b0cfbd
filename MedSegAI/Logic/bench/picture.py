"""The whole run in one picture: how many times faster than the reference, and how long a person waits."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from MedSegAI.Logic.bench.measure import Figure, Unit
from MedSegAI.Logic.bench.record import BenchRecord, CaseRecord, ContestantRecord, MeasureRecord
from MedSegAI.Logic.bench.sentences import figure, times
from MedSegAI.Logic.errors import DependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OURS, _OTHERS, _TARGET, _INK, _GRID = "#0072b2", "#b4bcc4", "#d55e00", "#1c2126", "#d6dce1"
_ROW_INCHES, _WIDTH_INCHES = 0.27, 11.0


@dataclass(frozen=True)
class _Bar:
    """One row: its words, value, lowest and highest of the rounds, what stands behind the bar, and the target."""

    words: str
    value: float
    low: float
    high: float
    told: str
    ours: bool
    target: float | None


def draw_record(record: BenchRecord) -> bytes | None:
    """A PNG; None where there is nothing to draw.

    Raises:
        DependencyError: if matplotlib is missing.
    """
    panels = [
        (title, groups)
        for title, groups in (
            ("Times faster (or smaller) than the reference, logarithmic", _ratios(record)),
            ("Seconds on the wall that a person waits", _waits(record)),
        )
        if groups
    ]
    if not panels:
        return None
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise DependencyError("Figures need matplotlib.", advice="Install it: pip install matplotlib.") from error
    sizes = [sum(len(bars) + 1 for _, bars in groups) for _, groups in panels]
    height = _ROW_INCHES * sum(sizes) + 1.1 * len(panels)
    canvas = Canvas(figsize=(_WIDTH_INCHES, height), dpi=110, facecolor="white", layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.subplots(len(panels), 1, height_ratios=sizes, squeeze=False)[:, 0]
    for one, (title, groups) in zip(axes, panels):
        _draw(one, groups, title, logarithmic="logarithmic" in title)
    stream = io.BytesIO()
    canvas.savefig(stream, format="png")
    return stream.getvalue()


def _ratios(record: BenchRecord) -> list[tuple[str, list[_Bar]]]:
    groups = []
    for measure, case in record.all_cases:
        bars = [bar for one in case.contestants if (bar := _ratio_bar(case, one)) is not None]
        if bars:
            groups.append((f"{_heading(measure, case)}, against {case.reference}", bars))
    return groups


def _ratio_bar(case: CaseRecord, one: ContestantRecord) -> _Bar | None:
    ratio = case.ratio(one.name)
    if ratio is None or one.name == case.reference:
        return None
    each = case.ratios(one.name) or [ratio]
    target = next((t for t in case.targets if t.contestant == one.name and t.figure is not Figure.SECONDS), None)
    bound = None if target is None else target.bound if target.figure is Figure.TIMES_FASTER else 1 / target.bound
    return _Bar(one.name, ratio, min(each), max(each), times(ratio), one.ours, bound)


def _waits(record: BenchRecord) -> list[tuple[str, list[_Bar]]]:
    groups = []
    for measure, case in record.all_cases:
        if case.unit is not Unit.WALL_SECONDS:
            continue
        bars = []
        for one in case.contestants:
            found = one.figures(Unit.WALL_SECONDS)
            middle = one.median(Unit.WALL_SECONDS)
            target = next(
                (t.bound for t in case.targets if t.contestant == one.name and t.figure is Figure.SECONDS), None
            )
            if middle is not None:
                told = figure(middle, Unit.WALL_SECONDS)
                bars.append(_Bar(one.name, middle, min(found), max(found), told, one.ours, target))
        if bars:
            groups.append((_heading(measure, case), bars))
    return groups


def _heading(measure: MeasureRecord, case: CaseRecord) -> str:
    return f"{measure.title}: {case.name}"


def _draw(axes: Axes, groups: list[tuple[str, list[_Bar]]], title: str, *, logarithmic: bool) -> None:
    row, labels = 0, []
    start = 1.0 if logarithmic else 0.0
    ends = [end for _, bars in groups for bar in bars for end in (bar.low, bar.high, bar.target or bar.value, start)]
    if logarithmic:
        axes.set_xscale("log")
        axes.set_xlim(min(ends) / 1.3, max(ends) * 2.2)
    else:
        axes.set_xlim(0, max(ends) * 1.25)
    for heading, bars in groups:
        axes.text(
            0.004,
            row,
            heading,
            transform=axes.get_yaxis_transform(),
            va="center",
            weight="bold",
            color=_INK,
            # The lines of the grid end at the words.
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
        row += 1
        for bar in bars:
            axes.barh(row, bar.value - start, left=start, height=0.62, color=_OURS if bar.ours else _OTHERS)
            axes.plot([bar.low, bar.high], [row, row], color=_INK, linewidth=1.1)
            if bar.target is not None:
                axes.plot([bar.target] * 2, [row - 0.42, row + 0.42], color=_TARGET, linewidth=2.2)
            place = max(bar.high, bar.value, bar.target or start, start)
            axes.annotate(bar.told, (place, row), xytext=(5, 0), textcoords="offset points", va="center", color=_INK)
            labels.append((row, bar.words))
            row += 1
    axes.set_yticks([at for at, _ in labels], [words for _, words in labels])
    axes.set_ylim(row - 0.4, -0.7)
    axes.axvline(start, color=_INK, linewidth=0.9)
    axes.grid(axis="x", color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(f"{title} (thin line: all rounds; orange: target)", loc="left", color=_INK, fontsize=11)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    if logarithmic:
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}x")
        axes.xaxis.set_minor_formatter(lambda value, _: "")
    else:
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} s")
