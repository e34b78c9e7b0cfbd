"""Votes are counted by pattern, in a box around them."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.agreement.votes import NOT_LOOKED, collect_votes
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.geometry import Box


def test_the_patterns_say_again_what_every_rater_said_of_every_voxel(three_readers):
    votes = collect_votes(three_readers, margin_mm=2.0)
    for column, rating in enumerate(three_readers.ratings):
        np.testing.assert_array_equal(votes.patterns[votes.codes, column], rating.labels[votes.box.slices])
        assert rating.labels.sum() == rating.labels[votes.box.slices].sum(), "a vote lies outside the box"
    assert len(votes.patterns) == len(np.unique(votes.patterns, axis=0)) <= 27


def test_the_margin_is_in_mm_and_ends_at_the_grid(rated, a_block):
    votes = collect_votes(rated({"Ann": a_block}, spacing=(1.0, 2.0, 4.0)), margin_mm=5.0)
    assert votes.box == Box((1, 1, 0), (10, 13, 16))
    assert votes.box_of(1, margin_mm=0).shape == (5, 6, 7)


def test_what_a_rater_drew_without_looking_is_no_vote(rated, a_block, empty):
    looked = np.zeros(empty.shape, bool)
    looked[:5] = True
    votes = collect_votes(rated({"Ann": a_block, "Ben": empty}, looked={"Ann": looked}))
    assert votes.box == Box((3, 4, 5), (5, 10, 12))
    votes = collect_votes(rated({"Ann": a_block, "Ben": a_block}, looked={"Ann": looked}))
    assert {tuple(p) for p in votes.patterns} == {(1, 1), (NOT_LOOKED, 1)}


def test_a_consensus_is_the_last_column_and_widens_the_box(rated, a_block, a_shifted_block):
    votes = collect_votes(rated({"Ann": a_block}), consensus=a_shifted_block)
    assert votes.has_consensus
    assert votes.patterns.shape[1] == 2
    assert votes.of_raters.shape[1] == 1
    assert votes.box.shape == (5, 6, 8)


def test_a_case_without_votes_has_an_empty_box(rated, empty):
    votes = collect_votes(rated({"Ann": empty, "Ben": empty}), margin_mm=3.0)
    assert votes.box.is_empty
    assert votes.codes.size == 0
    assert votes.box_of(None, margin_mm=3.0).is_empty


def test_a_consensus_of_another_grid_is_refused(rated, a_block):
    with pytest.raises(InputError, match="shape"):
        collect_votes(rated({"Ann": a_block}), consensus=a_block[1:])


def test_a_label_without_a_name_is_refused(rated, a_block):
    with pytest.raises(LabelError, match="without a name"):
        collect_votes(rated({"Ann": a_block * 7}))


def test_twelve_raters_with_two_labels_do_not_overflow_the_codes(rated, empty):
    random = np.random.default_rng(1)
    maps = {f"R{n}": random.integers(0, 3, empty.shape).astype(np.uint8) for n in range(12)}
    votes = collect_votes(rated(maps))
    said = votes.patterns[votes.codes]
    np.testing.assert_array_equal(np.moveaxis(said, -1, 0), [m[votes.box.slices] for m in maps.values()])


def test_a_rater_may_be_called_consensus(rated, a_block, a_shifted_block):
    votes = collect_votes(rated({"consensus": a_block, "the consensus": a_block}), consensus=a_shifted_block)
    assert votes.has_consensus
    assert votes.raters == ("consensus", "the consensus")
