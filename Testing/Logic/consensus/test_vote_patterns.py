"""Whatever the number of raters, labels and voxels, each voxel's pattern says what was voted there."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.consensus.vote_patterns import NO_VOTE, look_up, patterns_of
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.geometry import Box
from Testing.Logic.consensus.conftest import ratings_from


def random_maps(raters, labels, shape, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, labels + 1, shape, dtype=np.uint8) for _ in range(raters)]


def check(ratings, patterns):
    """Every voxel's code leads to its votes, rows are distinct, counts are right."""
    position = np.zeros(256, np.int64)
    position[patterns.values] = np.arange(patterns.classes)
    for rater, one in enumerate(ratings.ratings):
        wanted = position[one.labels]
        if one.looked_at is not None:
            wanted = np.where(one.looked_at, wanted, NO_VOTE)
        np.testing.assert_array_equal(patterns.votes[:, rater][patterns.code], wanted)
    assert len(np.unique(patterns.votes, axis=0)) == len(patterns.votes)
    inside = patterns.code[patterns.counted.slices]
    np.testing.assert_array_equal(np.bincount(inside.ravel(), minlength=len(patterns.votes)), patterns.counts)


@pytest.mark.parametrize(
    ("raters", "labels", "shape"),
    [
        (1, 1, (1, 1, 1)),
        (5, 1, (6, 7, 9)),
        (8, 1, (20, 20, 20)),
        (20, 1, (8, 8, 8)),
        (5, 13, (12, 12, 12)),
        (1, 255, (8, 8, 8)),
        (3, 255, (70, 32, 32)),
        (4, 255, (70, 32, 32)),
        (40, 13, (6, 6, 6)),
    ],
)
def test_each_voxel_knows_its_votes(raters, labels, shape):
    ratings = ratings_from(random_maps(raters, labels, shape), values=list(range(1, labels + 1)))
    check(ratings, patterns_of(ratings))


def test_label_values_need_not_be_in_a_row():
    maps = [np.array([0, 1, 2, 4], np.uint8)[one] for one in random_maps(3, 3, (5, 6, 7))]
    ratings = ratings_from(maps, values=[1, 2, 4])
    check(ratings, patterns_of(ratings))


@pytest.mark.parametrize("labels", [1, 254, 255])
def test_where_a_rater_did_not_look_there_is_no_vote(labels):
    maps = random_maps(3, labels, (9, 10, 11))
    looked = np.random.default_rng(5).random((9, 10, 11)) < 0.5
    ratings = ratings_from(maps, values=list(range(1, labels + 1)), looked_at=[None, looked, ~looked])
    check(ratings, patterns_of(ratings))


def test_only_the_box_is_counted_but_all_voxels_are_coded():
    ratings = ratings_from(random_maps(4, 2, (10, 11, 12)))
    patterns = patterns_of(ratings, counted=Box((2, 3, 4), (7, 8, 12)))
    check(ratings, patterns)
    assert patterns.counts.sum() == 5 * 5 * 8


def test_a_value_without_a_name_is_refused_with_its_rater():
    maps = [np.zeros((2, 2, 2), np.uint8), np.full((2, 2, 2), 7, np.uint8)]
    for values in ([1, 2], [1, 4]):
        with pytest.raises(LabelError, match=r"'B' holds values without a name: \[7\]"):
            patterns_of(ratings_from(maps, values=values))
    looked = np.zeros((2, 2, 2), bool)
    patterns = patterns_of(ratings_from(maps, values=[1, 2], looked_at=[None, looked]))
    assert patterns.votes.tolist() == [[0, NO_VOTE]]


def test_more_patterns_than_a_table_holds_are_refused():
    ratings = ratings_from(random_maps(4, 255, (70, 64, 64)), values=list(range(1, 256)))
    with pytest.raises(InputError, match="different ways over 255 labels") as caught:
        patterns_of(ratings)
    assert "one label at a time" in caught.value.advice


def test_shares_of_the_votes_are_of_those_who_looked():
    patterns = patterns_of(ratings_from([[1, 1, 0], [1, 0, 0]], looked_at=[[1, 1, 0], [1, 1, 0]]))
    shares = patterns.fractions()[patterns.code[:, :, 0].ravel()]
    np.testing.assert_allclose(shares, [[0, 1], [0.5, 0.5], [1, 0]])
    assert patterns.votes_cast.tolist() == [2, 2]


@pytest.mark.parametrize("shape", [(3, 5, 7), (4, 5, 6)])
@pytest.mark.parametrize("code", [np.uint8, np.uint16, np.uint32])
@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_looking_up_is_indexing(shape, code, kind):
    rng = np.random.default_rng(0)
    codes, table = rng.integers(0, 200, shape).astype(code), rng.integers(0, 255, 200).astype(kind)
    found = look_up(table, codes)
    assert found.dtype == kind
    np.testing.assert_array_equal(found, table[codes])
