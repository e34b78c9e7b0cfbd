"""Two methods on the same cases: is one better, and by how much?

The mean of the differences comes with a bootstrap interval over subjects, and with the Wilcoxon signed-rank test
(Wilcoxon 1945; two-sided). Several cases of one subject are averaged before the test, which takes its values for
independent. Where several differences are tested, the p values are also given after Holm's correction (Holm 1979),
which holds the chance of any false alarm among all of them at the level that is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.evaluation.intervals import Bootstrap, mean_of, per_subject


@dataclass(frozen=True)
class PairedDifference:
    """One minus the other, over the cases where both are defined.

    Args:
        cases: Number of these cases.
        left_out: Cases where one of them, or both, is not defined.
        one: Mean of the first; None without a case, as all that follow.
        other: Mean of the second.
        difference: Mean of first minus second.
        low: Lower end of its bootstrap interval; None with few subjects.
        high: Upper end.
        p_value: Of the Wilcoxon signed-rank test; 1 where no case differs.
    """

    cases: int
    left_out: int
    one: float | None = None
    other: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None


def paired_difference(
    one: Mapping[str, float | None],
    other: Mapping[str, float | None],
    *,
    subjects: Mapping[str, str] | None = None,
    bootstrap: Bootstrap | None = None,
) -> PairedDifference:
    """Compare two methods case by case.

    Args:
        one: Score by case; None where it is not defined.
        other: The same of the other method; only cases of both count.
        subjects: Subject by case; None makes each case its own subject.
        bootstrap: How the interval is drawn; None takes the defaults.
    """
    common = [case for case in one if case in other]
    pairs = {case: (one[case], other[case]) for case in common if None not in (one[case], other[case])}
    if not pairs:
        return PairedDifference(0, len(common))
    values = np.array(list(pairs.values()), float)
    differences = values[:, 0] - values[:, 1]
    names = [subjects[case] if subjects else case for case in pairs]
    mean = mean_of(differences.tolist(), subjects=names, bootstrap=bootstrap or Bootstrap())
    sums, counts = per_subject(differences, names)
    return PairedDifference(
        cases=len(pairs),
        left_out=len(common) - len(pairs),
        one=float(values[:, 0].mean()),
        other=float(values[:, 1].mean()),
        difference=mean.value,
        low=mean.low,
        high=mean.high,
        p_value=signed_rank_p(sums / counts),
    )


def signed_rank_p(differences: np.ndarray) -> float:
    """Two-sided p value of Wilcoxon's signed-rank test; differences (n,) of zero are left out, 1 where all are."""
    from scipy.stats import wilcoxon

    differences = differences[differences != 0]
    return float(wilcoxon(differences).pvalue) if len(differences) else 1.0


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """The p values after Holm's correction for as many tests as there are values; None stays."""
    tested = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(tested):
        largest = max(largest, min(1.0, (len(tested) - rank) * p))
        corrected[index] = largest
    return corrected
