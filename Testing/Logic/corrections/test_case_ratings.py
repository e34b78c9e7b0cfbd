"""The raters' latest words, ready to be fused and compared."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.corrections.case_ratings import case_ratings
from MedSegAI.Logic.corrections.entry import Status
from MedSegAI.Logic.corrections.journal import read_journal
from MedSegAI.Logic.corrections.record import record_correction, withdraw
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.labels import Label, LabelTable
from Testing.Logic.corrections.conftest import ANNA, BENE, GRID, TABLE, painted, segmentation

SPOT = np.s_[0:2, 0:2, 0:3]


def test_every_rater_speaks_once_with_the_latest_final_word(case, base):
    first = painted(base, SPOT, 1)
    last = painted(first, np.s_[5, 5, 5], 2)
    record_correction(case, base, first, rater=ANNA, status=Status.FINAL)
    record_correction(case, base, base, rater=BENE, status=Status.FINAL)
    record_correction(case, first, last, rater=ANNA, status=Status.FINAL)
    ratings = case_ratings(read_journal(case))
    assert (ratings.raters, ratings.grid) == (("Anna", "Bene"), GRID)
    assert np.array_equal(ratings.ratings[0].labels, last.labels.array)
    assert np.array_equal(ratings.ratings[1].labels, base.labels.array)
    assert case_ratings(read_journal(case), raters=["Bene"]).raters == ("Bene",)


def test_drafts_count_only_where_they_are_asked_for_and_withdrawn_words_never(case, base):
    record_correction(case, base, painted(base, SPOT, 1), rater=ANNA)
    with pytest.raises(InputError, match="holds no final correction"):
        case_ratings(read_journal(case))
    assert case_ratings(read_journal(case), statuses=(Status.DRAFT,)).raters == ("Anna",)
    withdraw(case, 2, rater=ANNA)
    with pytest.raises(InputError, match="holds no draft or final or withdrawn correction"):
        case_ratings(read_journal(case), statuses=tuple(Status))


def test_structures_that_two_raters_added_keep_apart(case, base):
    for rater, key, box in ((ANNA, "scar", SPOT), (BENE, "cyst", np.s_[5, 5, 5])):
        table = LabelTable((*TABLE, Label(3, key, key.title(), (1, 1, 0))))
        after = segmentation(painted(base, box, 3).labels.array, table)
        record_correction(case, base, after, rater=rater, status=Status.FINAL)
    ratings = case_ratings(read_journal(case))
    scar, cyst = ratings.table.find("scar").value, ratings.table.find("cyst").value
    assert scar != cyst
    assert (ratings.ratings[0].labels[SPOT] == scar).all()
    assert ratings.ratings[1].labels[5, 5, 5] == cyst
