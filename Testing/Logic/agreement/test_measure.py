"""The agreement of a case, on blocks whose figures can be worked out by hand, and where there is next to nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from MedSegAI.Logic.agreement.bootstrap import Estimate, Resampling
from MedSegAI.Logic.agreement.measure import measure_agreement
from MedSegAI.Logic.agreement.results import AgreementSettings
from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.evaluation.metrics import compare_masks
from MedSegAI.Logic.evaluation.surface_dice import surface_dice
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.reporter import SilentReporter

TIGHT = AgreementSettings(margin_mm=0.0, resampling=Resampling(replicates=0))


def tumour_of(agreement):
    return agreement.labels[0]


def test_two_shifted_blocks_have_the_figures_worked_out_by_hand(rated, a_block, a_shifted_block):
    """5 x 6 x 7 voxels of 0.5 x 1 x 2 mm, one further along i: 180 shared of 210 each; the tight box has 240."""
    ratings = rated({"Ann": a_block, "Ben": a_shifted_block}, spacing=(0.5, 1.0, 2.0))
    found = tumour_of(measure_agreement(ratings, consensus=a_block, settings=TIGHT))
    (pair,) = found.pairs
    assert found.region == Box((3, 4, 5), (8, 10, 13))
    assert pair.dice.value == pytest.approx(360 / 420)
    assert pair.hd95_mm == pytest.approx(0.5)
    assert pair.surface_dice == 1.0
    assert (pair.difference_ml, pair.difference_percent) == (0.0, 0.0)
    by_chance = (210 * 210 + 30 * 30) / 240**2
    assert pair.kappa.value == pytest.approx((180 / 240 - by_chance) / (1 - by_chance))
    ann, ben = found.raters
    assert (ann.sensitivity.value, ann.specificity.value) == (1.0, 1.0)
    assert (ben.sensitivity.value, ben.specificity.value) == (pytest.approx(180 / 210), 0.0)
    assert ann.volume_ml == pytest.approx(0.21)


def test_every_pair_scores_as_the_masks_do_by_themselves(three_readers):
    spacing = three_readers.grid.spacing_kji
    maps = dict(zip(three_readers.raters, (rating.labels for rating in three_readers.ratings)))
    maps["consensus"] = np.median(list(maps.values()), axis=0).astype(np.uint8)
    agreement = measure_agreement(three_readers, consensus=maps["consensus"])
    for entry in agreement.labels:
        assert len(entry.pairs) == len(entry.with_consensus) == 3
        for pair in (*entry.pairs, *entry.with_consensus):
            one, other = (maps[name] == entry.label.value for name in (pair.first, pair.second))
            scores = compare_masks(one, other, spacing_kji=spacing)
            assert pair.dice.value == pytest.approx(scores.dice)
            assert pair.hd95_mm == pytest.approx(scores.hd95_mm)
            assert pair.difference_ml == pytest.approx(scores.volume_ml - scores.reference_ml)
            assert pair.surface_dice == pytest.approx(
                surface_dice(one, other, spacing_kji=spacing, tolerance_mm=agreement.settings.tolerance_mm)
            )
            if pair.second == "consensus":
                rater = next(r for r in entry.raters if r.rater == pair.first)
                assert rater.sensitivity.value == pytest.approx(scores.sensitivity)


def test_the_poor_reader_is_told_from_the_good_one(three_readers):
    consensus = np.median([rating.labels for rating in three_readers.ratings], axis=0).astype(np.uint8)
    agreement = measure_agreement(three_readers, consensus=consensus)
    for entry in agreement.labels:
        ann, _, cleo = entry.with_consensus
        assert cleo.dice.value < ann.dice.value - 0.1
        assert cleo.kappa.value < ann.kappa.value - 0.1
        assert entry.alpha.value == pytest.approx(entry.fleiss.value, abs=0.01)
        assert entry.fleiss.low < entry.fleiss.value < entry.fleiss.high
    kappas = [pair.kappa.value for pair in agreement.overall.pairs]
    assert kappas[0] == max(kappas)


def test_a_larger_margin_raises_kappa_and_specificity_but_no_overlap(rated, a_block, a_shifted_block):
    ratings = rated({"Ann": a_block, "Ben": a_shifted_block})
    found = [
        tumour_of(measure_agreement(ratings, consensus=a_block, settings=AgreementSettings(margin_mm=margin)))
        for margin in (0, 1, 3)
    ]
    kappas = [entry.pairs[0].kappa.value for entry in found]
    assert kappas == sorted(kappas)
    assert kappas[-1] - kappas[0] > 0.3
    specificities = [entry.raters[1].specificity.value for entry in found]
    assert specificities == sorted(specificities)
    assert len({entry.pairs[0].dice.value for entry in found}) == 1


def test_only_voxels_that_both_looked_at_are_compared(rated, a_block, a_shifted_block, empty):
    """Ben looked at the first five planes only, which hold 2 of the block's 5 planes."""
    looked = np.zeros(empty.shape, bool)
    looked[:5] = True
    drawn = a_shifted_block * looked
    ratings = rated({"Ann": a_block, "Ben": drawn, "Cleo": a_block}, looked={"Ben": looked})
    found = tumour_of(measure_agreement(ratings, consensus=a_block, settings=TIGHT))
    with_ben, with_cleo, _ = found.pairs
    assert with_cleo.dice.value == 1.0
    assert with_ben.dice.value == pytest.approx(6 / 7)
    assert with_ben.difference_ml == pytest.approx(0.0)
    assert with_ben.hd95_mm == pytest.approx(1.0)
    assert found.raters[1].sensitivity.value == pytest.approx(6 / 7)
    assert found.raters[1].volume_ml == pytest.approx(0.084)


def test_raters_who_looked_at_nothing_in_common_have_no_figures(rated, a_block, empty):
    upper, lower = np.zeros(empty.shape, bool), np.zeros(empty.shape, bool)
    upper[6:], lower[:6] = True, True
    agreement = measure_agreement(rated({"Ann": a_block, "Ben": a_block}, looked={"Ann": upper, "Ben": lower}))
    (pair,) = tumour_of(agreement).pairs
    assert pair.dice == pair.kappa == Estimate(None)
    assert (pair.hd95_mm, pair.surface_dice, pair.difference_ml, pair.difference_percent) == (None,) * 4
    assert any("no voxel in common" in sentence for sentence in agreement.sentences)


def test_a_label_that_nobody_marked_is_full_agreement_without_a_kappa(rated, a_block):
    agreement = measure_agreement(rated({"Ann": a_block, "Ben": a_block}), consensus=a_block)
    oedema = agreement.labels[1]
    (pair,) = oedema.pairs
    assert (pair.dice.value, pair.hd95_mm, pair.surface_dice) == (1.0, 0.0, 1.0)
    assert (pair.difference_ml, pair.difference_percent) == (0.0, 0.0)
    assert pair.kappa == oedema.fleiss == oedema.alpha == Estimate(None)
    assert oedema.raters[0].sensitivity == oedema.raters[0].specificity == Estimate(None)
    assert oedema.sentences == (
        "Nobody marked Oedema. All agree that there is none, so kappa and alpha are undefined.",
    )


def test_one_empty_mask_scores_nothing_and_has_no_distance(rated, a_block, empty):
    found = tumour_of(measure_agreement(rated({"Ann": a_block, "Ben": empty}), consensus=a_block))
    (pair,) = found.pairs
    assert (pair.dice.value, pair.hd95_mm, pair.surface_dice) == (0.0, None, 0.0)
    assert pair.difference_ml == pytest.approx(0.21)
    assert pair.difference_percent == pytest.approx(200.0)
    assert pair.kappa.value == pytest.approx(0.0)
    assert found.raters[1].sensitivity.value == 0.0
    assert "Ben marked no Tumour, though others did." in found.sentences
    assert any(sentence.startswith("The raters agree only in part") for sentence in found.sentences)


def test_all_the_same_is_a_kappa_of_1(rated, a_block):
    agreement = measure_agreement(rated({"Ann": a_block, "Ben": a_block, "Cleo": a_block}))
    found = tumour_of(agreement)
    assert found.fleiss.value == found.alpha.value == found.pairs[0].kappa.value == 1.0
    assert "All raters drew the same for Tumour." in agreement.sentences
    assert agreement.sentences[-1] == "The raters disagree on no voxel."
    assert agreement.places == ()


def test_all_the_same_over_the_whole_grid_leaves_kappa_undefined(rated, empty):
    found = tumour_of(measure_agreement(rated({"Ann": empty + 1, "Ben": empty + 1})))
    assert found.fleiss == found.pairs[0].kappa == Estimate(None)
    assert found.pairs[0].dice.value == 1.0
    assert found.sentences == ("All raters drew the same for Tumour.",)


def test_one_rater_is_compared_with_the_consensus_only(rated, a_block, a_shifted_block):
    agreement = measure_agreement(rated({"Ann": a_block}), consensus=a_shifted_block)
    found = tumour_of(agreement)
    assert found.pairs == ()
    assert found.fleiss == found.alpha == Estimate(None)
    assert found.with_consensus[0].dice.value == pytest.approx(6 / 7)
    assert agreement.sentences[0] == "There is one rater only, Ann: agreement between raters cannot be measured."


def test_a_case_without_any_mark_is_one_sentence(rated, empty):
    agreement = measure_agreement(rated({"Ann": empty, "Ben": empty}))
    assert agreement.sentences == ("Nobody marked anything in this case.",)
    assert agreement.overall.fleiss == Estimate(None)


def test_what_the_fusion_estimated_of_a_rater_stands_beside_what_was_measured(rated, a_block):
    ratings = rated({"Ann": a_block, "Ben": a_block})
    found = tumour_of(measure_agreement(ratings, consensus=a_block, estimates={("Ben", 1): (0.97, 0.99)}))
    assert found.raters[0].estimated_sensitivity is None
    assert (found.raters[1].estimated_sensitivity, found.raters[1].estimated_specificity) == (0.97, 0.99)


def test_it_can_be_kept_as_json(three_readers):
    agreement = measure_agreement(three_readers, case="42")
    plain = json.loads(json.dumps(agreement.to_plain()))
    assert (plain["format"], plain["format_version"], plain["case"]) == ("medsegai-agreement", 1, "42")
    assert plain["labels"][0]["label"] == "tumour"
    assert plain["labels"][1]["pairs"][0]["dice"]["value"] == agreement.labels[1].pairs[0].dice.value


def test_an_uncertainty_of_another_grid_is_refused(three_readers):
    with pytest.raises(InputError, match="uncertainty"):
        measure_agreement(three_readers, entropy=np.zeros((2, 2, 2)))


def test_it_stops_when_asked(three_readers):
    class Impatient(SilentReporter):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        measure_agreement(three_readers, reporter=Impatient())
