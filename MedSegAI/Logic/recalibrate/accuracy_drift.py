"""Whether a model does worse on reviewed cases than on those its card was measured on, and whether that changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.agreement.drift import Drift, ScoredCase, rater_drift
from MedSegAI.Logic.evaluation.intervals import per_subject
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.recalibrate.card_cases import card_cases
from MedSegAI.Logic.recalibrate.case_logits import CaseLogits
from MedSegAI.Logic.recalibrate.interval import Interval, difference_with_interval, mean_with_interval
from MedSegAI.Logic.recalibrate.reviewed_cases import ReviewedCase


@dataclass(frozen=True)
class LabelDrift:
    """One label's Dice, then and now.

    Args:
        key: The network's label.
        now: Mean Dice over the reviewed cases.
        then: Mean Dice over the cases that the card was measured on; None where the card has none.
        change: Now minus then; None where there is no then.
        p_value: Two-sided Mann-Whitney test of the means of the subjects then and now; None where there is no then.
        cases: Reviewed cases that have the label.
    """

    key: str
    now: Interval
    then: float | None
    change: Interval | None
    p_value: float | None
    cases: int


def accuracy_drift(
    model: Model, measured: Sequence[CaseLogits], *, subjects: Sequence[str] | None = None
) -> tuple[LabelDrift, ...]:
    """The drift of each label that any reviewed case has, in the order of the card.

    Args:
        model: The model.
        measured: What it said of the reviewed cases.
        subjects: The subject of each; None makes each case its own subject.

    Raises:
        ModelError: if the scores that came with the model are damaged.
    """
    names = [case.case for case in measured] if subjects is None else subjects
    then = _scores_then(model)
    drifts = []
    for label in sorted(model.card.labels, key=lambda label: label.value):
        now = [(case.dice[label.key], name) for case, name in zip(measured, names) if label.key in case.dice]
        if now:
            drifts.append(_label_drift(label.key, now, then.get(label.key, [])))
    return tuple(drifts)


def drift_over_time(model: Model, cases: Sequence[ReviewedCase], measured: Sequence[CaseLogits]) -> Drift:
    """The trend of the mean Dice over the reviewed cases in the order of their reviews."""
    by_name = {case.case: case for case in measured}
    scored = [
        ScoredCase(case.name, case.time, _mean(by_name[case.name].dice)) for case in cases if case.name in by_name
    ]
    return rater_drift(model.card.name, scored, measure="Dice with the reviewers")


def _label_drift(key: str, now: list[tuple[float, str]], then: list[tuple[float, str]]) -> LabelDrift:
    """The drift between two lists of scores, each with its subject."""
    from scipy.stats import mannwhitneyu

    new, new_subjects = zip(*now)
    mean = mean_with_interval(new, subjects=new_subjects)
    if not then:
        return LabelDrift(key, mean, None, None, None, len(now))
    old, old_subjects = zip(*then)
    change = difference_with_interval(new, old, new_subjects=new_subjects, old_subjects=old_subjects)
    # The test takes its values for independent.
    p_value = float(mannwhitneyu(_by_subject(now), _by_subject(then)).pvalue)
    return LabelDrift(key, mean, sum(old) / len(old), change, p_value, len(now))


def _by_subject(scores: list[tuple[float, str]]) -> list[float]:
    """The mean score of each subject."""
    sums, counts = per_subject(np.array([score for score, _ in scores]), [subject for _, subject in scores])
    return (sums / counts).tolist()


def _scores_then(model: Model) -> dict[str, list[tuple[float, str]]]:
    """Dice and subject of each label on every case that the card was measured on; empty where that is not kept."""
    evaluation = card_cases(model)
    if evaluation is None:
        return {}
    subject_of = {case.case: subject for case, subject in zip(evaluation.cases, evaluation.subjects)}
    return {
        key: [(dice, subject_of[case]) for case, dice in evaluation.values(key, "dice").items() if dice is not None]
        for key in evaluation.label_keys
    }


def _mean(scores: dict[str, float]) -> float | None:
    return sum(scores.values()) / len(scores) if scores else None
