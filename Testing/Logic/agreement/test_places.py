"""Places of disagreement: the most uncertain first, each where one can look at it."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.agreement.places import disagreement_places, vote_entropy
from MedSegAI.Logic.agreement.votes import collect_votes


@pytest.fixture
def two_places(rated, empty):
    """Of three raters, Cleo adds 4 x 4 x 4 voxels in one corner, and Ann alone has 2 x 2 x 2 in the other."""
    ann, ben, cleo = empty.copy(), empty.copy(), empty.copy()
    for drawn in (ann, ben, cleo):
        drawn[5:7, 6:8, 7:9] = 1
    cleo[0:4, 0:4, 0:4] = 2
    ann[9:11, 10:12, 12:14] = 1
    return rated({"Ann": ann, "Ben": ben, "Cleo": cleo}, spacing=(1.0, 2.0, 3.0))


def test_entropy_is_that_of_the_vote_shares_on_the_whole_grid(two_places, empty):
    entropy = vote_entropy(collect_votes(two_places))
    one_of_three = -(np.log2(1 / 3) / 3 + np.log2(2 / 3) * 2 / 3)
    assert entropy.shape == empty.shape
    assert entropy.dtype == np.float32
    assert entropy[0, 0, 0] == entropy[9, 10, 12] == pytest.approx(one_of_three, abs=1e-6)
    assert entropy[5, 6, 7] == entropy[11, 13, 15] == 0.0
    assert vote_entropy(collect_votes(two_places), label=1)[0, 0, 0] == 0.0


def test_two_sides_of_equal_strength_are_one_bit_and_four_answers_two(rated, empty):
    maps = {name: np.full_like(empty, value) for name, value in (("A", 0), ("B", 1), ("C", 1), ("D", 0))}
    assert vote_entropy(collect_votes(rated(maps)))[3, 3, 3] == 1.0
    looked = np.zeros(empty.shape, bool)
    votes = collect_votes(rated(maps, looked={"A": looked, "D": looked}))
    assert vote_entropy(votes).max() == 0.0


def test_the_larger_place_comes_first_with_its_size_and_who_says_what(two_places):
    first, second = disagreement_places(collect_votes(two_places))
    assert (first.voxels, second.voxels) == (64, 8)
    assert first.volume_ml == pytest.approx(64 * 6 / 1000)
    assert first.mean_entropy == pytest.approx(0.918, abs=1e-3)
    assert first.sentence(two_places.table) == "Cleo says Oedema; Ann and Ben say background (0.38 mL)."
    assert second.sentence(two_places.table) == "Ann says Tumour; Ben and Cleo say background (0.048 mL)."


def test_a_place_s_centre_is_one_of_its_voxels_in_index_and_in_lps(two_places):
    for place in disagreement_places(collect_votes(two_places)):
        np.testing.assert_allclose(place.centre_lps, two_places.grid.lps_of(np.array(place.centre_kji)))
        values = {rating.labels[place.centre_kji] for rating in two_places.ratings}
        assert len(values) > 1
        assert all(a <= c < b for a, c, b in zip(place.box.start, place.centre_kji, place.box.stop))


def test_the_centre_lies_where_the_place_is_thickest(rated, empty):
    drawn = empty.copy()
    drawn[6, 7, 0:16] = 1
    drawn[4:9, 5:10, 10:15] = 1
    (place,) = disagreement_places(collect_votes(rated({"Ann": drawn, "Ben": empty})))
    assert place.centre_kji == (6, 7, 12)


def test_one_label_leaves_quarrels_about_others_out(two_places):
    (place,) = disagreement_places(collect_votes(two_places), label=2)
    assert [said.label for said in place.said] == [0, 0, 2]


def test_the_posterior_s_uncertainty_decides_the_order_where_it_is_given(two_places, empty):
    entropy = np.zeros(empty.shape)
    entropy[9:11, 10:12, 12:14] = 0.9
    entropy[0:4, 0:4, 0:4] = 0.01
    first, second = disagreement_places(collect_votes(two_places), entropy=entropy)
    assert (first.voxels, second.voxels) == (8, 64)
    assert first.mean_entropy == pytest.approx(0.9)


def test_the_rim_of_a_large_organ_becomes_several_places_that_hold_all_of_it(rated):
    large, small = np.zeros((40, 40, 40), np.uint8), np.zeros((40, 40, 40), np.uint8)
    large[2:38, 2:38, 2:38] = 1
    small[3:37, 3:37, 3:37] = 1
    votes = collect_votes(rated({"Ann": large, "Ben": small}))
    places = disagreement_places(votes, longest_mm=20.0)
    assert len(places) >= 8
    assert all(max(place.box.shape) <= 20 for place in places)
    assert sum(place.voxels for place in places) == 36**3 - 34**3
    assert len(disagreement_places(votes, longest_mm=100.0)) == 1


def test_at_most_so_many_places_are_listed_and_those_are_the_largest(rated, empty):
    drawn = empty.copy()
    drawn[::2, ::2, ::2] = 1
    drawn[4:9, 4:9, 4:9] = 1
    votes = collect_votes(rated({"Ann": drawn, "Ben": empty}))
    places = disagreement_places(votes, most=3)
    assert len(places) == 3
    assert places[0].voxels >= 125
    assert len(disagreement_places(votes, most=1000)) > 200


def test_a_rater_who_did_not_look_is_said_so(rated, a_block, empty):
    looked = np.zeros(empty.shape, bool)
    ratings = rated({"Ann": a_block, "Ben": empty, "Cleo": empty}, looked={"Cleo": looked})
    (place,) = disagreement_places(collect_votes(ratings))
    assert place.said[2].label is None
    assert place.sentence(ratings.table).startswith(
        "Ann says Tumour; Ben says background; Cleo says nothing (did not look)"
    )


def test_full_agreement_has_no_places(rated, a_block, empty):
    assert disagreement_places(collect_votes(rated({"Ann": a_block, "Ben": a_block}))) == ()
    assert disagreement_places(collect_votes(rated({"Ann": empty, "Ben": empty}))) == ()
