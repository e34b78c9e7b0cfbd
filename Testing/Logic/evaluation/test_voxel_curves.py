"""Curves of a network's probabilities, voxel by voxel, in the space the network saw."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.curve_summary import PRECISION_AT, RATES_AT
from MedSegAI.Logic.evaluation.voxel_curves import CaseProbabilities, VoxelCurves
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.volume import Volume

GRID = Grid((6, 8, 10), (1.0, 1.0, 2.0))
TABLE = LabelTable((Label(1, "left", "Left", (1, 0, 0)), Label(2, "right", "Right", (0, 1, 0))))


def reference() -> Volume:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[2:4, 2:5, 1:4] = 1
    labels[2:4, 2:5, 6:9] = 2
    return Volume(labels, GRID)


def watched(logits: np.ndarray, *, mirrored: bool = False, labels=((1, 1), (2, 2)), grid: Grid = GRID):
    """What a run would have shown: logits (classes, k, j, i) in the network's orientation."""
    seen = CaseProbabilities()
    take = seen.watch(LocalisedRegion("region", grid, mirrored, labels))
    for k in range(logits.shape[1]):
        take(k, logits[:, k])
    return seen


def logits_for(labels: np.ndarray, classes: int = 3, strength: float = 4.0) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(classes, *labels.shape))
    return (noise + strength * (labels == np.arange(classes)[:, None, None, None])).astype(np.float32)


def test_a_good_network_has_a_large_area_and_each_label_its_own():
    curves = VoxelCurves()
    curves.add("a", probabilities=watched(logits_for(reference().array)), reference=reference(), table=TABLE)
    assert [(case.case, case.label) for case in curves.cases] == [("a", "left"), ("a", "right")]
    for case in curves.cases:
        assert (case.voxels, case.positives) == (480, 18)
        assert case.auc > 0.98
        assert 0.6 < case.average_precision <= 1


def test_the_area_is_that_of_scikit_learn_on_the_softmax():
    metrics = pytest.importorskip("sklearn.metrics")
    logits = logits_for(reference().array, strength=1.0)
    curves = VoxelCurves()
    curves.add("a", probabilities=watched(logits), reference=reference(), table=TABLE)
    softmax = np.exp(logits) / np.exp(logits).sum(0)
    truth = reference().array == 2
    assert curves.cases[1].auc == pytest.approx(metrics.roc_auc_score(truth.ravel(), softmax[2].ravel()))
    assert curves.cases[1].average_precision == pytest.approx(
        metrics.average_precision_score(truth.ravel(), softmax[2].ravel())
    )


def test_a_mirrored_region_is_compared_as_the_network_saw_it():
    """The network knows one side; what it calls 1 is the right side of the patient here."""
    mirrored_labels = (reference().array == 2)[..., ::-1]
    logits = logits_for(mirrored_labels.astype(int), classes=2, strength=6.0)
    curves = VoxelCurves()
    curves.add("a", probabilities=watched(logits, mirrored=True, labels=((1, 2),)), reference=reference(), table=TABLE)
    left, right = curves.cases
    assert right.auc > 0.99
    assert (left.voxels, left.auc) == (0, None)


def test_voxels_of_all_regions_count_together():
    curves, seen = VoxelCurves(), watched(logits_for(reference().array))
    seen.regions += watched(logits_for(reference().array)).regions
    curves.add("a", probabilities=seen, reference=reference(), table=TABLE)
    assert (curves.cases[0].voxels, curves.cases[0].positives) == (960, 36)


def test_the_truth_is_brought_to_the_network_s_grid():
    fine = Grid((12, 8, 10), (1.0, 1.0, 1.0), (0.0, 0.0, -0.5))
    labels = np.repeat(reference().array, 2, axis=0)
    curves = VoxelCurves()
    curves.add("a", probabilities=watched(logits_for(labels), grid=fine), reference=reference(), table=TABLE)
    assert curves.cases[0].positives == pytest.approx(36, abs=18)
    assert curves.cases[0].auc > 0.95


def test_a_band_counts_voxels_near_the_border_by_their_distance_in_mm():
    """Planes are 2 mm apart: within 1 mm the neighbours along i and j count, and those along k do not."""
    curves = VoxelCurves(band_mm=1.0)
    curves.add("a", probabilities=watched(logits_for(reference().array)), reference=reference(), table=TABLE)
    inside = 2 * (9 - 1)
    outside = 2 * (4 * 3)
    assert curves.cases[0].voxels == inside + outside
    assert curves.cases[0].positives == inside


def test_a_label_that_a_case_lacks_has_no_curve_there():
    empty = Volume(np.where(reference().array == 1, 1, 0).astype(np.uint8), GRID)
    curves = VoxelCurves()
    curves.add("a", probabilities=watched(logits_for(empty.array)), reference=empty, table=TABLE)
    assert curves.cases[1].auc is None
    banded = VoxelCurves(band_mm=2.0)
    banded.add("a", probabilities=watched(logits_for(empty.array)), reference=empty, table=TABLE)
    assert (banded.cases[1].voxels, banded.cases[1].auc) == (0, None)


def test_what_no_window_reached_is_background():
    logits = logits_for(reference().array)
    logits[:, 4:] = 0.0
    seen = watched(logits)
    assert (seen.regions[0].planes[5][0] == 1.0).all()
    assert (seen.regions[0].planes[5][1:] == 0.0).all()
    np.testing.assert_allclose(seen.regions[0].planes[0].sum(0), 1.0, rtol=1e-5)


def test_curves_are_sampled_at_fixed_places():
    curves = VoxelCurves()
    curves.add("a", probabilities=watched(logits_for(reference().array)), reference=reference(), table=TABLE)
    case = curves.cases[0]
    assert case.true_positive_rate.shape == RATES_AT.shape
    assert case.precision.shape == PRECISION_AT.shape
    assert case.true_positive_rate[-1] == 1.0
    assert (np.diff(case.true_positive_rate) >= 0).all()
    assert case.precision[-1] >= case.positives / case.voxels


def test_a_band_must_have_a_width():
    with pytest.raises(InputError, match="not usable"):
        VoxelCurves(band_mm=0.0)
