"""A table of cases with a truth and one or more scores: CSV, one row a case."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError

_POSITIVE = {"1", "1.0", "true", "yes", "positive"}
_NEGATIVE = {"0", "0.0", "false", "no", "negative"}


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """What a table says.

    Args:
        truth: bool (n,).
        scores: float64 (n,) for each column of scores, by its name.
        subjects: The subject of each case; None where no column names it.
    """

    truth: np.ndarray
    scores: dict[str, np.ndarray]
    subjects: tuple[str, ...] | None


def read_score_table(path: Path, *, truth: str, scores: Sequence[str], subject: str | None = None) -> ScoreTable:
    """Read the columns that are asked for.

    Args:
        path: A CSV file with a heading line.
        truth: Column that says 1, true, yes or positive, or 0, false, no or negative.
        scores: Columns of numbers; the higher, the more a case is taken for positive.
        subject: Column of names of subjects, where cases are not independent.

    Raises:
        InputError: if the file cannot be read, lacks a column or a row, or a cell cannot be understood.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            rows = [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}.", advice="Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"'{path}' is not a text file.", advice="Save the table as CSV in UTF-8.") from error
    for name in (truth, *scores, *([subject] if subject else [])):
        if name not in columns:
            raise InputError(f"'{path}' has no column '{name}'.", advice=f"It has: {', '.join(columns) or 'none'}.")
    if not rows:
        raise InputError(f"'{path}' holds no case.", advice="Give a table with one row a case.")
    return ScoreTable(
        truth=np.array([_truth(row[truth], f"'{path}', line {line}, column '{truth}'") for line, row in rows]),
        scores={
            name: np.array([_number(row[name], f"'{path}', line {line}, column '{name}'") for line, row in rows])
            for name in scores
        },
        subjects=tuple(row[subject] or "" for _, row in rows) if subject else None,
    )


def _truth(text: str | None, place: str) -> bool:
    word = (text or "").strip().lower()
    if word not in _POSITIVE | _NEGATIVE:
        raise InputError(f"{place} says '{text}', which is neither 0 nor 1.", advice="Write 1 for positive, 0 for not.")
    return word in _POSITIVE


def _number(text: str | None, place: str) -> float:
    try:
        return float(text or "")
    except ValueError as error:
        raise InputError(
            f"{place} says '{text}', which is no number.", advice="Mend the cell, or leave it out."
        ) from error
