"""ROC and precision-recall curves side by side, as a PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import DependencyError

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444")
"""Told apart by people who confuse red and green, too (Okabe and Ito)."""
_GRID = "#d6dce1"


@dataclass(frozen=True, eq=False)
class DrawnCurves:
    """One method or label in the picture.

    Args:
        name: In the legend, with its figures.
        false_positive_rate: float64 (n,).
        true_positive_rate: float64 (n,).
        recall: float64 (m,).
        precision: float64 (m,).
        by_chance: The precision of a score that says nothing.
    """

    name: str
    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    recall: np.ndarray
    precision: np.ndarray
    by_chance: float


def draw_curves(curves: Sequence[DrawnCurves]) -> bytes:
    """A PNG with both kinds of curve.

    Raises:
        DependencyError: if matplotlib is missing.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("Figures need matplotlib.", advice="Install it: pip install matplotlib.") from error
    figure = Figure(figsize=(10.5, 5.3), dpi=110, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    roc, precision = figure.subplots(1, 2)
    for curve, colour in zip(curves, _COLOURS * (len(curves) // len(_COLOURS) + 1)):
        roc.plot(curve.false_positive_rate, curve.true_positive_rate, color=colour, linewidth=1.8, label=curve.name)
        precision.plot(curve.recall, curve.precision, color=colour, linewidth=1.8)
        precision.axhline(curve.by_chance, color=colour, linewidth=0.9, linestyle=(0, (2, 3)))
    roc.plot([0, 1], [0, 1], color="#8a949e", linewidth=0.9, linestyle=(0, (2, 3)))
    for axes, across, up in (
        (roc, "1 - specificity (false positive rate)", "Sensitivity (true positive rate)"),
        (precision, "Recall (sensitivity)", "Precision (positive predictive value)"),
    ):
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.02), xlabel=across, ylabel=up)
        axes.set_box_aspect(1)
        axes.grid(color=_GRID, linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    roc.set_title("ROC", loc="left", fontsize=11)
    precision.set_title("Precision and recall; dotted: by chance", loc="left", fontsize=11)
    if curves:
        roc.legend(loc="lower right", fontsize=8.5, frameon=True, framealpha=0.9, edgecolor=_GRID)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
