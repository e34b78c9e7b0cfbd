"""The same structures under other numbers."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.corrections.labels_digest import labels_digest
from MedSegAI.Logic.corrections.numbering import in_numbering_of, joined
from MedSegAI.Logic.errors import LabelError
from MedSegAI.Logic.labels import Label, LabelTable


def table(**values: int) -> LabelTable:
    return LabelTable(tuple(Label(value, key, key.title(), (0.5, 0.5, 0.5)) for key, value in values.items()))


LABELS = np.array([[[0, 1, 2, 3]]], np.uint8)


def test_keys_take_the_numbers_they_are_known_by_and_new_ones_a_free_number():
    labels, renumbered = in_numbering_of(LABELS, table(a=1, b=2, c=3), table(b=1, a=7))
    assert labels.tolist() == [[[0, 7, 1, 3]]]
    assert {label.key: label.value for label in renumbered} == {"a": 7, "b": 1, "c": 3}


def test_a_new_key_gives_way_where_its_number_is_another_keys():
    labels, renumbered = in_numbering_of(LABELS, table(a=1, b=2, c=3), table(a=1, z=3))
    assert labels.tolist() == [[[0, 1, 2, 4]]]
    assert renumbered.find("c").value == 4


def test_labels_that_keep_their_numbers_are_not_copied():
    labels, _ = in_numbering_of(LABELS, table(a=1, b=2, c=3), table(a=1))
    assert labels is LABELS


def test_more_than_255_labels_are_refused():
    full = table(**{f"k{n}": n for n in range(1, 256)})
    with pytest.raises(LabelError, match="more than 255"):
        in_numbering_of(LABELS, table(a=1, b=2, c=3), full)


def test_joined_tables_hold_every_key_once():
    assert [label.key for label in joined(table(a=1), table(b=2, a=1))] == ["a", "b"]


def test_the_digest_knows_voxels_and_keys_and_nothing_else():
    digest = labels_digest(LABELS, table(a=1, b=2, c=3))
    assert labels_digest(np.array([[[0, 3, 1, 2]]], np.uint8), table(a=3, b=1, c=2, unused=9)) == digest
    assert labels_digest(LABELS, table(a=1, b=2, d=3)) != digest
    assert labels_digest(LABELS, table(a=2, b=1, c=3)) != digest
    assert labels_digest(LABELS.reshape(1, 2, 2), table(a=1, b=2, c=3)) != digest
    with pytest.raises(LabelError, match="without a name"):
        labels_digest(LABELS, table(a=1))
