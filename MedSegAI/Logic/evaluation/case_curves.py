"""Curves and areas of one or more scores of the same cases, each pair of scores tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from MedSegAI.Logic.evaluation.intervals import Bootstrap
from MedSegAI.Logic.evaluation.paired import holm
from MedSegAI.Logic.evaluation.plain_table import aligned, cell
from MedSegAI.Logic.evaluation.precision_recall import AveragePrecision, average_precision
from MedSegAI.Logic.evaluation.roc import Auc, AucDifference, area_under_roc, compare_areas
from MedSegAI.Logic.evaluation.scored import scored
from MedSegAI.Logic.files.score_table import ScoreTable


@dataclass(frozen=True)
class CaseCurves:
    """The figures of each score, and the test of each pair with its p value after Holm's correction.

    Args:
        areas: Area under the ROC curve by score.
        precisions: Average precision by score.
        tests: (first, second, difference of areas, corrected p value).
        has_subjects: Whether cases were gathered by subject, which the intervals of precision allow for and DeLong's
            do not.
    """

    areas: Mapping[str, Auc]
    precisions: Mapping[str, AveragePrecision]
    tests: tuple[tuple[str, str, AucDifference, float | None], ...]
    has_subjects: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, as sentences."""
        notes = ["AUC: DeLong's interval on the logit scale; it takes the cases for independent."]
        if self.has_subjects:
            notes.append("Several cases of one subject make DeLong's intervals and tests too hopeful.")
        notes.append(
            "Average precision: bootstrap interval over subjects; by chance it is the share of positive cases."
        )
        if any(area.variance is not None and area.low is None for area in self.areas.values()):
            notes.append("A score that parts both classes without a mistake has no interval here: test more cases.")
        if len(self.tests) > 1:
            notes.append(f"{len(self.tests)} pairs were tested: read 'p (Holm)', which is corrected for that many.")
        return tuple(notes)

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "scores": {
                name: {"auc": asdict(area), "average_precision": asdict(self.precisions[name])}
                for name, area in self.areas.items()
            },
            "tests": [
                {"one": one, "other": other, **asdict(difference), "holm_p": p}
                for one, other, difference, p in self.tests
            ],
            "notes": list(self.notes),
        }

    def to_text(self) -> str:
        """Tables for people, and the notes."""
        header = ["Score", "Positive", "Negative", "AUC", "from", "to", "Av. precision", "from", "to", "By chance"]
        rows = [[name, *_figures(area, self.precisions[name])] for name, area in self.areas.items()]
        parts = [aligned(header, rows, names=1)]
        if self.tests:
            rows = [[one, other, *_test_figures(difference, p)] for one, other, difference, p in self.tests]
            header = ["Score", "minus", "AUC", "from", "to", "z", "p (DeLong)", "p (Holm)"]
            parts.append(aligned(header, rows, names=2))
        return "\n".join([*parts, "\n".join(self.notes)]) + "\n"


def measure_case_curves(table: ScoreTable, *, bootstrap: Bootstrap | None = None) -> CaseCurves:
    """Areas of every score in a table, and DeLong's test of each pair.

    Args:
        table: Truth and scores.
        bootstrap: How the interval of the average precision is drawn; None takes the defaults.

    Raises:
        InputError: if a score is not a finite number, or the table holds cases of one class only.
    """
    bootstrap = bootstrap or Bootstrap()
    cases = {name: scored(table.truth, values, name=f"'{name}'") for name, values in table.scores.items()}
    pairs = [(one, other, compare_areas(cases[one], cases[other])) for one, other in combinations(cases, 2)]
    corrected = holm([difference.p_value for _, _, difference in pairs])
    return CaseCurves(
        areas={name: area_under_roc(entry) for name, entry in cases.items()},
        precisions={
            name: average_precision(entry, subjects=table.subjects, bootstrap=bootstrap)
            for name, entry in cases.items()
        },
        tests=tuple((*pair, p) for pair, p in zip(pairs, corrected)),
        has_subjects=table.subjects is not None and len(set(table.subjects)) < len(table.truth),
    )


def _figures(area: Auc, precision: AveragePrecision) -> list[str]:
    counts = [str(area.positives), str(area.negatives)]
    return counts + [
        cell(value)
        for value in (
            *(area.value, area.low, area.high),
            *(precision.value, precision.low, precision.high, precision.by_chance),
        )
    ]


def _test_figures(difference: AucDifference, corrected: float | None) -> list[str]:
    figures = [cell(value) for value in (difference.difference, difference.low, difference.high)]
    p_values = ["-" if p is None else f"{p:.2g}" for p in (difference.p_value, corrected)]
    return [*figures, cell(difference.z, decimals=2), *p_values]
