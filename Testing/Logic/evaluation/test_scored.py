"""What no curve can be drawn from is refused with a sentence."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.scored import scored


def test_any_shape_is_taken_and_not_zero_is_positive():
    cases = scored(np.array([[0, 2], [3, 0]]), np.array([[1, 2], [3, 4]]))
    assert cases.truth.tolist() == [False, True, True, False]
    assert (cases.positives, cases.negatives) == (2, 2)


@pytest.mark.parametrize(
    ("truth", "scores", "sentence"),
    [
        ([1, 1], [0.1, 0.2], "None of the 2 cases is negative"),
        ([0, 0], [0.1, 0.2], "None of the 2 cases is positive"),
        ([0, 1], [0.1], "p has 1 values for 2 cases"),
        ([0, 1], [0.1, np.nan], "p is not a finite number in 1 cases"),
    ],
)
def test_the_sentence_says_what_is_missing(truth, scores, sentence):
    with pytest.raises(InputError, match=sentence):
        scored(np.array(truth), np.array(scores), name="p")
