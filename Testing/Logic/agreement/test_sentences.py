"""Plain sentences: a kappa under 0.7 is said, with the pair that agrees least."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.agreement.bootstrap import Estimate
from MedSegAI.Logic.agreement.measure import measure_agreement
from MedSegAI.Logic.agreement.results import AgreementSettings
from MedSegAI.Logic.agreement.sentences import figure, with_interval


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(None), "-"),
        (Estimate(0.8149), "0.81"),
        (Estimate(0.8149, 0.76, 0.854), "0.81 (0.76 to 0.85)"),
        (Estimate(-0.1, -0.2, 0.0), "-0.10 (-0.20 to 0.00)"),
    ],
)
def test_an_estimate_is_written_with_its_interval_where_it_has_one(estimate, text):
    assert with_interval(estimate) == text


def test_the_level_of_an_interval_can_be_named_and_the_decimals_chosen():
    assert with_interval(Estimate(0.5, 0.4, 0.6), level=0.95) == "0.50 (95% interval 0.40 to 0.60)"
    assert figure(1.23456, decimals=3) == "1.235"


def test_a_kappa_under_0_7_is_said_and_the_pair_that_agrees_least_is_named(three_readers):
    agreement = measure_agreement(three_readers)
    tumour = agreement.labels[0]
    assert tumour.fleiss.value < 0.7
    first, second, *_ = tumour.sentences
    assert first.startswith(f"The raters agree only in part on Tumour: Fleiss' kappa is {tumour.fleiss.value:.2f} (95%")
    assert first.endswith("below 0.7.")
    worst = min(tumour.pairs, key=lambda pair: pair.kappa.value)
    assert second.startswith(f"{worst.first} and {worst.second} agree least on Tumour")
    assert f"Over all labels at once, Fleiss' kappa is {agreement.overall.fleiss.value:.2f}" in agreement.sentences[0]


def test_a_good_kappa_is_said_without_a_warning(rated, a_block):
    other = a_block.copy()
    other[3, 4, 5:9] = 0
    (sentence,) = measure_agreement(rated({"Ann": a_block, "Ben": other})).labels[0].sentences
    assert sentence.startswith("The raters agree on Tumour: Fleiss' kappa is 0.9")


def test_alpha_speaks_where_no_voxel_was_seen_by_all(rated, a_block, a_shifted_block, empty):
    upper, lower = np.zeros(empty.shape, bool), np.zeros(empty.shape, bool)
    upper[6:], lower[:6] = True, True
    maps = {"Ann": a_block, "Ben": a_shifted_block, "Cleo": a_block}
    agreement = measure_agreement(rated(maps, looked={"Ann": upper, "Ben": lower}))
    assert agreement.labels[0].fleiss.value is None
    assert any("Krippendorff's alpha is 0." in sentence for sentence in agreement.sentences)
    assert any(sentence.startswith("Ann and Ben looked at no voxel in common") for sentence in agreement.sentences)


def test_nothing_seen_by_two_is_said(rated, a_block, empty):
    upper, lower = np.zeros(empty.shape, bool), np.zeros(empty.shape, bool)
    upper[6:], lower[:6] = True, True
    agreement = measure_agreement(rated({"Ann": a_block, "Ben": a_block}, looked={"Ann": upper, "Ben": lower}))
    assert any(sentence.startswith("Neither Fleiss' kappa nor") for sentence in agreement.sentences)


def test_a_rater_who_drew_little_of_the_consensus_is_named(rated, a_block):
    little = a_block.copy()
    little[5:] = 0
    agreement = measure_agreement(rated({"Ann": a_block, "Ben": little}), consensus=a_block)
    assert "Ben drew only 40% of the consensus for Tumour." in agreement.labels[0].sentences


def test_a_list_of_places_that_was_cut_short_says_at_least(three_readers):
    sentence = measure_agreement(three_readers, settings=AgreementSettings(most_places=2)).sentences[-1]
    assert sentence.startswith("The raters disagree in at least 2 places. The first: ")
    assert "disagree in one place" in measure_agreement(
        three_readers, settings=AgreementSettings(most_places=1)
    ).sentences[-1].replace("at least one", "one")
