"""Agreement over many cases, drawn as a whole."""

from __future__ import annotations

import json

import numpy as np
import pytest

from MedSegAI.Logic.agreement.bootstrap import Resampling
from MedSegAI.Logic.agreement.results import AgreementSettings
from MedSegAI.Logic.agreement.study import study_agreement
from MedSegAI.Logic.agreement.vote_measures import fleiss_kappa
from MedSegAI.Logic.agreement.votes import collect_votes
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable

NODULE = LabelTable((Label(1, "nodule", "Nodule", (1.0, 0.8, 0.1)),))
TIGHT = AgreementSettings(margin_mm=0.0, resampling=Resampling(replicates=200))


@pytest.fixture
def nodules(data_folder) -> list[Ratings]:
    """Forty lung nodules, each drawn by three or four radiologists."""
    folder = data_folder / "lidc_multireader"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    packed = np.load(folder / "masks_packed.npz")["packed"]
    found = []
    for entry in json.loads((folder / "index.json").read_text())[:40]:
        shape = (entry["readers"], *entry["shape"])
        bits = np.unpackbits(packed[entry["offset"] : entry["offset"] + entry["nbytes"]])[: np.prod(shape)]
        masks = np.ascontiguousarray(bits.reshape(shape).transpose(0, 3, 2, 1))
        grid = Grid(masks.shape[1:], (entry["pixel_spacing"],) * 2 + (entry["slice_spacing"],))
        found.append(Ratings(grid, NODULE, tuple(Rating(f"Reader {n + 1}", mask) for n, mask in enumerate(masks))))
    return found


def majority(ratings: Ratings) -> np.ndarray:
    return (np.mean([rating.labels for rating in ratings.ratings], axis=0) > 0.5).astype(np.uint8)


def test_the_mean_dice_of_real_radiologists_is_that_of_their_masks(nodules):
    study = study_agreement((collect_votes(case) for case in nodules), label=1, settings=TIGHT)
    assert study.cases == 40
    pair = next(pair for pair in study.pairs if (pair.first, pair.second) == ("Reader 1", "Reader 2"))
    expected = np.mean([dice(case.ratings[0].labels, case.ratings[1].labels) for case in nodules])
    assert pair.dice.value == pytest.approx(expected)
    assert pair.dice.low < expected < pair.dice.high
    assert 0.6 < study.dice.value < 0.9
    assert study.alpha.low < study.alpha.value < study.alpha.high


def test_a_case_lacking_a_rater_counts_for_the_others_only(nodules):
    with_four = sum(len(case.raters) == 4 for case in nodules)
    cases = (collect_votes(case, consensus=majority(case), margin_mm=5.0) for case in nodules)
    study = study_agreement(cases, label=1)
    assert 0 < with_four < 40
    assert {(p.first, p.second): p.cases for p in study.pairs}["Reader 3", "Reader 4"] == with_four
    assert [rater.cases for rater in study.performance] == [40, 40, 40, with_four]
    shares = [share.value for rater in study.performance for share in (rater.sensitivity, rater.specificity)]
    assert all(0.8 < share < 1 for share in shares)


def test_pooled_kappa_is_that_of_all_voxels_together(three_readers):
    votes = collect_votes(three_readers)
    study = study_agreement([votes] * 9, label=2, settings=TIGHT)
    region = votes.codes[votes.box_of(2, margin_mm=0).slices]
    voxels = np.tile(votes.patterns[region.ravel()] == 2, (9, 1)).astype(int)
    assert study.fleiss.value == pytest.approx(fleiss_kappa(voxels).of(np.ones(len(voxels))))
    assert study.fleiss.low == pytest.approx(study.fleiss.high)


def test_raters_without_a_case_in_common_are_no_pair(rated, a_block):
    cases = [collect_votes(rated({name: a_block, "Ann": a_block})) for name in ("Ben", "Cleo")]
    study = study_agreement(cases, label=1, settings=TIGHT)
    assert [(pair.first, pair.second) for pair in study.pairs] == [("Ben", "Ann"), ("Ann", "Cleo")]
    assert study.dice.value == 1.0
    assert study.dice.low is None


def test_single_raters_and_no_case_at_all_have_no_figures(rated, a_block):
    alone = study_agreement([collect_votes(rated({"Ann": a_block}))], label=1)
    nothing = study_agreement([], label=1)
    for study, cases in ((alone, 1), (nothing, 0)):
        assert (study.cases, study.pairs, study.performance) == (cases, (), ())
        assert study.fleiss.value is study.alpha.value is study.dice.value is None
