"""Cases with a truth and a score: what a curve is drawn from, checked once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.errors import InputError


@dataclass(frozen=True, eq=False)
class Scored:
    """Cases of two classes with a score each; the higher the score, the more a case is taken for positive.

    Args:
        truth: bool (n,).
        scores: float64 (n,), finite.
    """

    truth: np.ndarray
    scores: np.ndarray

    @property
    def positives(self) -> int:
        """Number of cases that are positive in truth."""
        return int(np.count_nonzero(self.truth))

    @property
    def negatives(self) -> int:
        """Number of cases that are negative in truth."""
        return len(self.truth) - self.positives


def scored(truth: np.ndarray, scores: np.ndarray, *, name: str = "The score") -> Scored:
    """Check truth and scores of any shape.

    Args:
        truth: 0 or False where a case is negative, anything else where it is positive.
        scores: One a case, in any unit.
        name: What the score is called in messages.

    Raises:
        InputError: if they differ in number, a score is not a finite number, or one of the classes has no case.
    """
    truth, scores = np.asarray(truth).ravel() != 0, np.asarray(scores, dtype=np.float64).ravel()
    if truth.shape != scores.shape:
        raise InputError(f"{name} has {len(scores)} values for {len(truth)} cases.", advice="Give each case one score.")
    if not np.isfinite(scores).all():
        bad = int(np.count_nonzero(~np.isfinite(scores)))
        raise InputError(
            f"{name} is not a finite number in {bad} cases.", advice="Leave these cases out, or mend them."
        )
    result = Scored(truth, scores)
    if not result.positives or not result.negatives:
        missing = "negative" if result.positives else "positive"
        raise InputError(
            f"None of the {len(truth)} cases is {missing}: a curve needs cases of both classes.",
            advice="Add cases of the other class, or check the column that holds the truth.",
        )
    return result
