"""Curves as a page of HTML that needs nothing else, beside the picture alone and the figures."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from MedSegAI.Logic.evaluation.case_curves import CaseCurves
from MedSegAI.Logic.evaluation.curve_summary import PRECISION_AT, RATES_AT, CurveSummary
from MedSegAI.Logic.evaluation.precision_recall import precision_recall_curve
from MedSegAI.Logic.evaluation.roc import roc_curve
from MedSegAI.Logic.evaluation.scored import scored
from MedSegAI.Logic.files.atomic import write_beside
from MedSegAI.Logic.files.new_folder import new_folder
from MedSegAI.Logic.files.score_table import ScoreTable
from MedSegAI.Logic.report.agreement_style import PAGE_STYLE
from MedSegAI.Logic.report.curve_picture import DrawnCurves, draw_curves

PAGE_NAME, PICTURE_NAME, FIGURES_NAME = "curves.html", "curves.png", "curves.json"


def write_voxel_curves(folder: Path, summary: CurveSummary, *, title: str) -> Path:
    """Write the mean curves of a model's probabilities.

    Args:
        folder: Must not exist, or be empty.
        summary: The curves.
        title: Heading of the page.

    Returns:
        The page.

    Raises:
        StorageError: if the folder is used or cannot be written.
        DependencyError: if matplotlib is missing.
    """
    drawn = [
        DrawnCurves(
            f"{label.label}: AUC {label.auc.value:.4f}, AP {label.average_precision.value:.3f}",
            np.append(0.0, RATES_AT),
            np.append(0.0, label.true_positive_rate),
            PRECISION_AT,
            label.precision,
            label.by_chance,
        )
        for label in summary.labels
        if label.true_positive_rate is not None
    ]
    picture = draw_curves(drawn)
    notes = [summary.counted, "Curves and areas are means over cases; intervals are drawn over subjects (bootstrap)."]
    page = curve_page(title, picture=picture, table=summary.to_text().rsplit("\n\n", 1)[0], notes=notes)
    with new_folder(folder) as room:
        (room / PAGE_NAME).write_text(page, encoding="utf-8")
        (room / PICTURE_NAME).write_bytes(picture)
        (room / FIGURES_NAME).write_text(json.dumps(summary.to_plain()) + "\n", encoding="utf-8")
    return Path(folder) / PAGE_NAME


def draw_case_curves(path: Path, table: ScoreTable, measured: CaseCurves, *, title: str) -> None:
    """Write the curves of a table of scores as a picture (``.png``) or as a page (``.html``).

    Args:
        path: The file.
        table: Truth and scores.
        measured: Their areas.
        title: Heading of the page.

    Raises:
        StorageError: if the file cannot be written.
        DependencyError: if matplotlib is missing.
    """
    picture = draw_curves([_of_score(table, measured, name) for name in table.scores])
    with write_beside(path) as temporary:
        if path.suffix.lower() == ".png":
            temporary.write_bytes(picture)
        else:
            figures = measured.to_text().rsplit("\n\n", 1)[0]
            page = curve_page(title, picture=picture, table=figures, notes=measured.notes)
            temporary.write_text(page, encoding="utf-8")


def curve_page(title: str, *, picture: bytes, table: str, notes: Sequence[str]) -> str:
    """The page as text: no script, no link, nothing from elsewhere.

    Args:
        title: Its heading.
        picture: PNG of the curves.
        table: The figures as plain text.
        notes: Sentences below them.
    """
    shown = base64.b64encode(picture).decode("ascii")
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<img alt="ROC and precision-recall curves" src="data:image/png;base64,{shown}">',
        f"<pre>{escape(table)}</pre>",
        *(f"<p>{escape(note)}</p>" for note in notes),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{PAGE_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _of_score(table: ScoreTable, measured: CaseCurves, name: str) -> DrawnCurves:
    cases = scored(table.truth, table.scores[name])
    roc, precision = roc_curve(cases), precision_recall_curve(cases)
    found = measured.precisions[name]
    return DrawnCurves(
        f"{name}: AUC {measured.areas[name].value:.3f}, AP {found.value:.3f}",
        roc.false_positive_rate,
        roc.true_positive_rate,
        precision.recall,
        precision.precision,
        found.by_chance,
    )
