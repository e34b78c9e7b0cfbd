"""Whether a model does worse on reviewed cases than on those its card was measured on, and whether that changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from MedSegAI.Logic.agreement.drift import Drift, ScoredCase, rater_drift
from MedSegAI.Logic.errors import ModelError
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.recalibrate.case_logits import CaseLogits
from MedSegAI.Logic.recalibrate.interval import Interval, difference_with_interval, mean_with_interval
from MedSegAI.Logic.recalibrate.reviewed_cases import VALIDATION_CASES, ReviewedCase


@dataclass(frozen=True)
class LabelDrift:
    """One label's Dice, then and now.

    Args:
        key: The network's label.
        now: Mean Dice over the reviewed cases.
        then: Mean Dice over the cases that the card was measured on; None where the card has none.
        change: Now minus then; None where there is no then.
        p_value: Two-sided Mann-Whitney test of the two sets of cases; None where there is no then.
        cases: Reviewed cases that have the label.
    """

    key: str
    now: Interval
    then: float | None
    change: Interval | None
    p_value: float | None
    cases: int


def accuracy_drift(model: Model, measured: Sequence[CaseLogits]) -> tuple[LabelDrift, ...]:
    """The drift of each label that any reviewed case has, in the order of the card."""
    then = _measured_then(model)
    drifts = []
    for label in sorted(model.card.labels, key=lambda label: label.value):
        now = [case.dice[label.key] for case in measured if label.key in case.dice]
        if now:
            drifts.append(_label_drift(label.key, now, then.get(label.key)))
    return tuple(drifts)


def drift_over_time(model: Model, cases: Sequence[ReviewedCase], measured: Sequence[CaseLogits]) -> Drift:
    """The trend of the mean Dice over the reviewed cases in the order of their reviews."""
    by_name = {case.case: case for case in measured}
    scored = [
        ScoredCase(case.name, case.time, _mean(by_name[case.name].dice)) for case in cases if case.name in by_name
    ]
    return rater_drift(model.card.name, scored, measure="Dice with the reviewers")


def _label_drift(key: str, now: list[float], then: list[float] | None) -> LabelDrift:
    from scipy.stats import mannwhitneyu

    if not then:
        return LabelDrift(key, mean_with_interval(now), None, None, None, len(now))
    p_value = float(mannwhitneyu(now, then).pvalue)
    change = difference_with_interval(now, then)
    return LabelDrift(key, mean_with_interval(now), sum(then) / len(then), change, p_value, len(now))


def _measured_then(model: Model) -> dict[str, list[float]]:
    """Dice of each label on every case that the card was measured on; empty where that is not kept."""
    path = model.folder / VALIDATION_CASES
    if not path.is_file():
        return {}
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
        scores: dict[str, list[float]] = {}
        for case in cases:
            for key, measures in case["labels"].items():
                scores.setdefault(key, []).append(float(measures["dice"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"'{path}' does not hold the scores of '{model.card.name}'.", advice="Copy the model folder again."
        ) from error
    return scores


def _mean(scores: dict[str, float]) -> float | None:
    return sum(scores.values()) / len(scores) if scores else None
