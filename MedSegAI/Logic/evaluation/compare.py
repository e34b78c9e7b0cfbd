"""Two evaluations of the same cases, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.paired import PairedDifference, holm, paired_difference
from MedSegAI.Logic.evaluation.plain_table import aligned
from MedSegAI.Logic.evaluation.tables import HEADINGS, METRICS, Evaluation, metric_cell

COMPARED = ("dice", "hd95_mm", "surface_dice")
"""What is compared where nothing else is asked for: the fewer tests, the more each can show."""


@dataclass(frozen=True)
class ComparedScore:
    """One metric of one label in both evaluations, and the p value corrected for all that were compared."""

    label: str
    metric: str
    paired: PairedDifference
    holm_p: float | None


@dataclass(frozen=True)
class Comparison:
    """Two evaluations compared case by case.

    Args:
        one: Name of the first model.
        other: Name of the second model.
        cases: Number of cases that both hold.
        scores: One for each label and metric.
        notes: What a reader must know, as sentences.
    """

    one: str
    other: str
    cases: int
    scores: tuple[ComparedScore, ...]
    notes: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON values."""
        scores = [
            {"label": score.label, "metric": score.metric, **asdict(score.paired), "holm_p": score.holm_p}
            for score in self.scores
        ]
        return {
            "one": self.one,
            "other": self.other,
            "case_count": self.cases,
            "scores": scores,
            "notes": list(self.notes),
        }

    def to_text(self) -> str:
        """A table for people, and the notes below it."""
        header = ["Label", "Score", "A", "B", "A - B", "from", "to", "p", "p (Holm)", "Cases"]
        rows = [_row(score) for score in self.scores]
        names = f"A: {self.one}\nB: {self.other}\n\n"
        return names + aligned(header, rows, names=2) + "\n" + "\n".join(self.notes) + "\n"


def compare_evaluations(one: Evaluation, other: Evaluation, *, metrics: Sequence[str] = COMPARED) -> Comparison:
    """Compare two evaluations on the cases that both hold.

    Intervals and subjects are those that the first evaluation names.

    Args:
        one: The first.
        other: The second.
        metrics: Names of the scores to compare.

    Raises:
        InputError: if they share no case or no label, a metric does not exist, or it was measured in two ways.
    """
    _refuse_unknown(metrics)
    common = {case.case for case in one.cases} & {case.case for case in other.cases}
    labels = [label for label in one.label_keys if label in other.label_keys]
    if not common or not labels:
        raise InputError(
            f"The two evaluations have no {'label' if common else 'case'} in common.",
            advice="Evaluate both models on the same cases.",
        )
    _refuse_two_ways(one, other, metrics)
    subjects = dict(zip((case.case for case in one.cases), one.subjects))
    found = [(label, metric, _compare(one, other, label, metric, subjects)) for label in labels for metric in metrics]
    corrected = holm([paired.p_value for _, _, paired in found])
    scores = tuple(ComparedScore(*entry, p) for entry, p in zip(found, corrected))
    return Comparison(one.model, other.model, len(common), scores, _notes(one, other, len(common), scores))


def _compare(one: Evaluation, other: Evaluation, label: str, metric: str, subjects: dict[str, str]) -> PairedDifference:
    return paired_difference(
        one.values(label, metric), other.values(label, metric), subjects=subjects, bootstrap=one.bootstrap
    )


def _notes(one: Evaluation, other: Evaluation, common: int, scores: Sequence[ComparedScore]) -> tuple[str, ...]:
    tests = sum(score.paired.p_value is not None for score in scores)
    notes = [
        f"A - B is the mean of the differences case by case; 'from' and 'to' hold {one.bootstrap.level:.0%} of its "
        f"{one.bootstrap.replicates} bootstrap draws of subjects; p is Wilcoxon's signed-rank test, two-sided.",
        f"{tests} tests were made: read 'p (Holm)', which is corrected for that many, and count what you tested "
        "elsewhere, too.",
    ]
    for evaluation in (one, other):
        if len(evaluation.cases) > common:
            notes.append(f"{len(evaluation.cases) - common} cases of '{evaluation.model}' are not in the other table.")
    if any(score.paired.left_out for score in scores):
        notes.append("Cases in which a score is not defined for both are left out of its row.")
    return tuple(notes)


def _refuse_unknown(metrics: Sequence[str]) -> None:
    for metric in metrics:
        if metric not in METRICS:
            raise InputError(f"There is no score '{metric}'.", advice=f"Choose from: {', '.join(METRICS)}.")


def _refuse_two_ways(one: Evaluation, other: Evaluation, metrics: Sequence[str]) -> None:
    """Lesion scores and surface Dice depend on settings; figures of two settings are not comparable."""
    pairs = [("surface_dice", "tolerance_mm")] + [(m, "lesion_iou") for m in metrics if m.startswith("lesion")]
    for metric, setting in pairs:
        values = [getattr(evaluation.scoring, setting) for evaluation in (one, other)]
        if metric in metrics and values[0] != values[1]:
            raise InputError(
                f"The {HEADINGS[metric]} of the two tables was measured with {setting} {values[0]} and {values[1]}.",
                advice="Evaluate one of them again with the other's setting, or leave it out with --metrics.",
            )


def _row(score: ComparedScore) -> list[str]:
    paired, metric = score.paired, score.metric
    figures = (paired.one, paired.other, paired.difference, paired.low, paired.high)
    p_values = ["-" if p is None else f"{p:.2g}" for p in (paired.p_value, score.holm_p)]
    return [
        score.label,
        HEADINGS[metric],
        *(metric_cell(metric, figure) for figure in figures),
        *p_values,
        str(paired.cases),
    ]
