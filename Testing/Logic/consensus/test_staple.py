"""STAPLE against what was worked out by hand, simulated raters and SimpleITK, and where little is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.consensus import voxel_expectation
from MedSegAI.Logic.consensus.fuse import FuseSettings, fuse
from MedSegAI.Logic.consensus.priors import GivenPrior, SpatialPrior
from MedSegAI.Logic.consensus.staple import NOT_COMPARABLE, StapleSettings
from MedSegAI.Logic.errors import Cancelled, InputError, LabelError
from MedSegAI.Logic.reporter import SilentReporter
from Testing.Logic.consensus.conftest import ratings_from, simulate, slow_staple


def run(ratings, *, margin_mm=None, **settings):
    return fuse(ratings, settings=FuseSettings(margin_mm=margin_mm, staple=StapleSettings(**settings)))


def figures(consensus, value=1):
    return (
        [one.sensitivity(value) for one in consensus.performances],
        [one.specificity(value) for one in consensus.performances],
    )


# By hand


def test_one_iteration_is_what_was_worked_out_by_hand():
    """A, B, C mark 2, 3 and 1 of four voxels: the shares of the votes are 1, 2/3, 1/3 and 0, their sum is 2.

    So A's sensitivity is (1 + 2/3) / 2 = 5/6, B's (1 + 2/3 + 1/3) / 2 = 1, C's 1/2; the specificities are
    (2/3 + 1) / 2 = 5/6, 1/2 and (1/3 + 2/3 + 1) / 2 = 1. The prior is 6 of 12 votes. Then for voxel 1 (A and B)
    the odds are 5/6 * 1 * 1/2 to 1/6 * 1/2 * 1 = 5 to 1, for voxel 2 (B alone) 1/6 * 1 * 1/2 to 5/6 * 1/2 * 1 = 1 to 5.
    The second M-step: sums of weights are again 2, A has (1 + 5/6) / 2 = 11/12.
    """
    ratings = ratings_from([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]])
    found = run(ratings, max_iterations=1)
    assert found.record.prior == pytest.approx({"background": 0.5, "label_1": 0.5})
    sensitivity, specificity = figures(found)
    np.testing.assert_allclose(sensitivity, [11 / 12, 1, 1 / 2], rtol=1e-12)
    np.testing.assert_allclose(specificity, [11 / 12, 1 / 2, 1], rtol=1e-12)
    assert not found.record.converged
    assert "stopped after 1 iterations" in found.record.notes[0]


def test_the_end_of_the_same_case_is_a_perfect_rater():
    found = run(ratings_from([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]]))
    assert found.record.converged
    np.testing.assert_allclose(figures(found), [[1, 1, 0.5], [1, 0.5, 1]], atol=1e-6)
    assert found.labels.ravel().tolist() == [1, 1, 0, 0]
    np.testing.assert_allclose(found.probability("label_1").ravel(), [1, 1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found.entropy(), 0, atol=1e-4)


def test_two_raters_who_contradict_each_other_alike_tie_and_stop():
    """SimpleITK's STAPLE runs 14,617 iterations on this."""
    found = run(ratings_from([[1, 1, 0, 0], [1, 0, 1, 0]]))
    assert found.record.iterations <= 1000
    assert found.labels.ravel().tolist() == [1, 0, 0, 0]
    np.testing.assert_allclose(found.probability(1).ravel()[1:3], 0.5, atol=1e-12)
    np.testing.assert_allclose(found.entropy().ravel()[1:3], 1.0, atol=1e-6)
    assert "background wins" in found.record.tie_rule


# Against other computations


@pytest.mark.parametrize("case", ["binary_raters", "raters_of_three_labels"])
def test_the_raters_performance_is_recovered_from_their_votes(case, request):
    simulation = request.getfixturevalue(case)
    found = run(simulation.ratings)
    assert found.record.converged
    for one, true in zip(found.performances, simulation.confusion):
        np.testing.assert_allclose(one.confusion, true, atol=0.01)
    wrong = np.mean(found.labels != simulation.truth)
    assert wrong < min(np.mean(one != simulation.truth) for one in simulation.maps) / 2


def test_patterns_missing_votes_and_logarithms_change_nothing(raters_of_three_labels):
    maps = [one[:12, :13, :14] for one in raters_of_three_labels.maps]
    looked = [None, *(np.random.default_rng(n).random((12, 13, 14)) < 0.7 for n in range(4))]
    ratings = ratings_from(maps, values=[1, 2, 3], looked_at=looked)
    prior = {"label_1": 0.25, "label_2": 0.2, "label_3": 0.15}
    found = run(ratings, prior=GivenPrior(prior), max_iterations=7)
    votes = [np.where(True if seen is None else seen, one.astype(int), -1) for one, seen in zip(maps, looked)]
    votes = np.stack([one.ravel() for one in votes])
    # Theirs ends with an E-step, ours with an M-step from the same E-step.
    posterior, _ = slow_staple(votes, 4, [0.4, 0.25, 0.2, 0.15], iterations=8)
    _, performance = slow_staple(votes, 4, [0.4, 0.25, 0.2, 0.15], iterations=8)
    for one, true in zip(found.performances, performance):
        np.testing.assert_allclose(one.confusion, true, rtol=1e-9)
    np.testing.assert_allclose(found.probability(2).ravel(), posterior[:, 2], atol=1e-6)


def simple_itk(maps):
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    their = sitk.STAPLEImageFilter()
    their.SetForegroundValue(1)
    their.SetMaximumIterations(2000)
    weights = sitk.GetArrayFromImage(their.Execute([sitk.GetImageFromArray(one) for one in maps]))
    return weights, their.GetSensitivity(), their.GetSpecificity()


def test_masks_and_figures_are_those_of_simpleitk(binary_raters):
    weights, sensitivity, specificity = simple_itk(binary_raters.maps)
    found = run(binary_raters.ratings)
    np.testing.assert_array_equal(found.labels, weights > 0.5)
    np.testing.assert_allclose(found.probability(1), weights, atol=1e-5)
    np.testing.assert_allclose(figures(found), [sensitivity, specificity], atol=1e-6)


def test_masks_of_real_readers_are_those_of_simpleitk(data_folder):
    folder = data_folder / "lidc_multireader"
    if not (folder / "index.json").is_file():
        pytest.skip(f"no real data at {folder}")
    packed = np.load(folder / "masks_packed.npz")["packed"]
    for nodule in json.loads((folder / "index.json").read_text())[:40]:
        shape = (nodule["readers"], *nodule["shape"])
        bits = np.unpackbits(packed[nodule["offset"] :][: nodule["nbytes"]])[: np.prod(shape)]
        maps = [one.copy() for one in bits.reshape(shape)]
        weights, sensitivity, specificity = simple_itk(maps)
        assert np.abs(weights - 0.5).min() > 1e-4, "a tie, which is decided otherwise"
        found = run(ratings_from(maps, values=[1]))
        np.testing.assert_array_equal(found.labels, weights > 0.5)
        np.testing.assert_allclose(figures(found), [sensitivity, specificity], atol=1e-6)


def test_several_labels_are_fused_as_simpleitk_does_where_it_is_right(raters_of_three_labels):
    simulation = raters_of_three_labels
    their = sitk.MultiLabelSTAPLEImageFilter()
    their.SetMaximumNumberOfIterations(500)
    their.SetTerminationUpdateThreshold(1e-9)
    labels = sitk.GetArrayFromImage(their.Execute([sitk.GetImageFromArray(one) for one in simulation.maps]))
    found = run(simulation.ratings)
    np.testing.assert_array_equal(found.labels, labels)
    for number, one in enumerate(found.performances):
        # Theirs has votes in rows, and a last row for votes that are no label.
        confusion = np.array(their.GetConfusionMatrix(number)).reshape(5, 4)[:4].T
        np.testing.assert_allclose(one.confusion, confusion, atol=1e-6)


# Sizes


def test_more_voxels_than_a_float32_can_count():
    """2^24 + 2^20 voxels of background, 1000 of foreground, 10 on which B differs."""
    maps = [np.zeros((272, 256, 256), np.uint8) for _ in range(3)]
    for one in maps:
        one[100, 100, :] = 1
        one[101:103, 100, :] = 1
        one[103, 100, :232] = 1
    maps[1][10, 10, :10] = 1
    found = run(ratings_from(maps, values=[1]))
    voxels = 2**24 + 2**20
    assert found.record.prior["label_1"] == pytest.approx((1000 + 10 / 3) / voxels, rel=1e-12)
    assert found.performances[1].votes == voxels
    assert np.count_nonzero(found.labels) == 1000
    assert 1 - found.performances[1].specificity(1) == pytest.approx(10 / (voxels - 1000), rel=1e-6)


def test_all_256_values():
    truth = np.arange(256, dtype=np.uint8).repeat(64).reshape(64, 16, 16)
    rng = np.random.default_rng(0)
    maps = []
    for _ in range(5):
        one = truth.copy()
        wrong = rng.random(truth.shape) < 0.1
        one[wrong] = rng.integers(0, 256, wrong.sum())
        maps.append(one)
    found = run(ratings_from(maps, values=list(range(1, 256))))
    assert np.mean(found.labels == truth) > 0.99
    assert found.performances[0].confusion.shape == (256, 256)
    assert np.mean([one.sensitivity(200) for one in found.performances]) == pytest.approx(0.9, abs=0.1)
    assert found.probability(200).max() > 0.99


# Where little is known


def test_one_rater_is_believed_and_not_judged():
    found = run(ratings_from([[0, 1, 1, 0, 0, 0]]))
    assert found.labels.ravel().tolist() == [0, 1, 1, 0, 0, 0]
    assert figures(found) == ([None], [None])
    assert found.performances[0].confusion is None
    assert found.record.converged
    assert found.record.notes == (NOT_COMPARABLE,)


def test_raters_who_agree_are_all_right():
    found = run(ratings_from([[0, 1, 1, 0]] * 3))
    assert found.labels.ravel().tolist() == [0, 1, 1, 0]
    np.testing.assert_allclose(figures(found), 1.0)
    np.testing.assert_allclose(found.entropy(), 0.0)


def test_empty_maps_make_an_empty_consensus():
    found = run(ratings_from([[0, 0, 0]] * 3, values=[1]))
    assert not found.labels.any()
    assert figures(found) == ([None] * 3, [1.0] * 3)
    assert found.record.prior == {"background": 1.0, "label_1": 0.0}
    assert not found.probability(1).any()


def test_full_maps_make_a_full_consensus():
    found = run(ratings_from([[1, 1, 1]] * 3))
    assert found.labels.all()
    assert figures(found) == ([1.0] * 3, [None] * 3)


def test_nobody_looked_anywhere():
    found = run(ratings_from([[1, 1], [0, 1]], looked_at=[[0, 0], [0, 0]]))
    assert not found.labels.any()
    assert found.record.prior == {"background": 1.0, "label_1": 0.0}
    assert found.record.notes == (NOT_COMPARABLE,)


def test_raters_who_looked_at_different_places_are_believed_each():
    found = run(ratings_from([[1, 0, 0, 1], [1, 1, 0, 0]], looked_at=[[1, 1, 0, 0], [0, 0, 1, 1]]))
    assert found.labels.ravel().tolist() == [1, 0, 0, 0]
    assert figures(found) == ([None, None], [None, None])
    assert [one.votes for one in found.performances] == [2, 2]


def test_a_rater_without_a_vote_changes_nothing(binary_raters):
    maps = [*binary_raters.maps, np.ones_like(binary_raters.maps[0])]
    nowhere = np.zeros(maps[0].shape, bool)
    found = run(ratings_from(maps, looked_at=[None] * 5 + [nowhere]))
    alone = run(binary_raters.ratings)
    np.testing.assert_array_equal(found.labels, alone.labels)
    np.testing.assert_allclose(figures(found)[0][:5], figures(alone)[0], rtol=1e-12)
    assert figures(found)[0][5] is None
    assert found.performances[5].votes == 0


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_where_nobody_looked_is_background_for_certain(smoothing):
    looked = [1, 1, 1, 1, 0]
    ratings = ratings_from([[1, 1, 0, 0, 1], [1, 1, 1, 0, 1]], looked_at=[looked, looked])
    found = run(ratings, smoothing=smoothing)
    assert found.labels.ravel()[4] == 0
    assert found.probability(1).ravel()[4] == 0
    assert found.entropy().ravel()[4] == 0


def test_no_label_at_all():
    found = run(ratings_from([[0, 0], [0, 0]], values=None))
    assert len(found.table) == 0
    assert not found.labels.any()
    assert not found.at(0.0).any()


# Threshold, prior, smoothing


def test_the_threshold_moves_the_border(binary_raters):
    found = run(binary_raters.ratings)
    np.testing.assert_array_equal(found.at(0.5), found.labels)
    probability = found.probability(1)
    for threshold in (0.0, 0.1, 0.9, 0.999):
        np.testing.assert_array_equal(found.at(threshold), probability > threshold)
    with pytest.raises(InputError, match="no probability"):
        found.at(1.0)


def test_the_threshold_holds_for_the_most_probable_structure(raters_of_three_labels):
    found = run(raters_of_three_labels.ratings)
    probabilities = np.stack([found.probability(v) for v in (1, 2, 3)])
    wanted = np.where(probabilities.max(0) > 0.3, probabilities.argmax(0) + 1, 0)
    np.testing.assert_array_equal(found.at(0.3), wanted)


def test_a_margin_around_the_votes_changes_the_prior_and_not_the_grid():
    maps = [np.zeros((20, 20, 20), np.uint8) for _ in range(3)]
    for n, one in enumerate(maps):
        one[8:12, 8:12, 8 : 12 + n] = 1
    ratings = ratings_from(maps)
    whole, tight, wide = run(ratings), run(ratings, margin_mm=0), run(ratings, margin_mm=2)
    assert whole.record.prior["label_1"] == pytest.approx(80 / 8000)
    assert tight.record.prior["label_1"] == pytest.approx(80 / 96)
    assert wide.record.prior["label_1"] == pytest.approx(80 / (8 * 8 * 10))
    assert tight.labels.shape == (20, 20, 20)
    assert not tight.labels[:8].any()
    assert tight.performances[0].votes == 96


def test_a_spatial_prior_that_is_the_same_everywhere_is_a_global_one(raters_of_three_labels):
    maps = [one[:40] for one in raters_of_three_labels.maps]
    ratings = ratings_from(maps, values=[1, 2, 3])
    prior = {"label_1": 0.3, "label_2": 0.2, "label_3": 0.125}
    spatial = SpatialPrior({key: np.full(maps[0].shape, value) for key, value in prior.items()})
    one, other = run(ratings, prior=GivenPrior(prior)), run(ratings, prior=spatial)
    assert one.record.iterations == other.record.iterations
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_allclose(one.probability(2), other.probability(2), atol=1e-6)
    np.testing.assert_allclose(one.entropy(), other.entropy(), atol=1e-5)
    np.testing.assert_array_equal(one.at(0.4), other.at(0.4))
    np.testing.assert_allclose(other.performances[3].confusion, one.performances[3].confusion, rtol=1e-6)
    assert other.record.prior == pytest.approx(one.record.prior)
    assert "voxel by voxel" in other.record.prior_source


def test_a_spatial_prior_decides_where_the_raters_do_not():
    prior = SpatialPrior({"label_1": np.array([0.5, 0.9, 0.1, 0.5]).reshape(1, 4, 1)})
    found = run(ratings_from([[1, 1, 1, 0], [1, 0, 0, 0]]), prior=prior, max_iterations=5)
    assert found.labels.ravel().tolist()[1:3] == [1, 0]


def test_smoothing_removes_single_voxels_and_keeps_the_ball():
    k, j, i = np.ogrid[:24, :24, :24]
    ball = (k - 12) ** 2 + (j - 12) ** 2 + (i - 12) ** 2 < 64
    confusion = [[[0.8, 0.2], [0.2, 0.8]]] * 3
    noise = simulate([1.0, 0.0], confusion, shape=ball.shape, seed=4)
    maps = [(one ^ ball).astype(np.uint8) for one in noise.maps]
    rough, smooth = run(ratings_from(maps)), run(ratings_from(maps), smoothing=0.7, max_iterations=60)
    assert np.mean(rough.labels != ball) > 0.05
    assert np.mean(smooth.labels != ball) < np.mean(rough.labels != ball) / 5
    # The smoothed ball is a little too small, so the sensitivities come out a little too high.
    np.testing.assert_allclose(figures(smooth)[0], 0.8, atol=0.05)
    np.testing.assert_allclose(figures(smooth)[1], 0.8, atol=0.01)
    assert smooth.record.settings["smoothing"] == 0.7


def test_smoothing_of_nothing_is_no_smoothing(binary_raters):
    ratings = ratings_from([one[:20, :20, :20] for one in binary_raters.maps])
    smooth, plain = run(ratings, smoothing=1e-12), run(ratings)
    np.testing.assert_array_equal(smooth.labels, plain.labels)
    np.testing.assert_allclose(figures(smooth), figures(plain), atol=1e-6)


# What is refused, and what is told


@pytest.mark.parametrize(
    ("prior", "error", "reason"),
    [
        (GivenPrior({"other": 0.5}), LabelError, r"given for \['other'\]"),
        (GivenPrior({"label_1": 1.5}), InputError, "no probability"),
        (SpatialPrior({"label_1": np.zeros((2, 2, 2))}), InputError, r"shape \(2, 2, 2\)"),
        (SpatialPrior({"label_1": np.full((1, 3, 1), np.nan)}), InputError, "no probability"),
        (SpatialPrior({}), LabelError, "each label"),
    ],
)
def test_a_prior_that_does_not_fit_is_refused(prior, error, reason):
    with pytest.raises(error, match=reason):
        run(ratings_from([[1, 0, 0], [1, 1, 0]]), prior=prior)


@pytest.mark.parametrize("wrong", [{"smoothing": -1.0}, {"max_iterations": 0}, {"tolerance": 0.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        StapleSettings(**wrong)


def test_a_field_of_probabilities_that_would_not_fit_is_refused(binary_raters, monkeypatch):
    monkeypatch.setattr(voxel_expectation, "_LARGEST_FIELD_BYTES", 2**20)
    with pytest.raises(InputError, match=r"1 labels in 262144 voxels need 0\.0 GiB") as caught:
        run(binary_raters.ratings, smoothing=0.5)
    assert "margin around the votes" in caught.value.advice


def test_whoever_watches_may_stop_it():
    class Stopping(SilentReporter):
        def cancelled(self):
            return True

    with pytest.raises(Cancelled):
        fuse(ratings_from([[1, 0, 0], [1, 1, 0]]), reporter=Stopping())


def test_the_record_is_plain_json(binary_raters):
    record = run(binary_raters.ratings, margin_mm=1.0).record
    plain = json.loads(json.dumps(record.to_plain(), allow_nan=False))
    assert plain["method"] == "staple"
    assert plain["raters"] == list("ABCDE")
    assert plain["counted"] == {"start": [0, 0, 0], "stop": [64, 64, 64]}
    assert plain["settings"]["prior"] == {"kind": "from votes"}
    assert plain["performances"][0]["sensitivity"]["1"] == pytest.approx(0.95, abs=0.01)
    assert plain["versions"]["numpy"]


def test_a_value_that_is_no_label_has_no_performance(binary_raters):
    with pytest.raises(InputError, match="No label has the value 9"):
        run(binary_raters.ratings).performances[0].sensitivity(9)
