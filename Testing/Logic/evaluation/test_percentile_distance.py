"""The percentile is exact, though most points are not measured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from MedSegAI.Logic.evaluation.metrics import hd95
from MedSegAI.Logic.evaluation.percentile_distance import DirectedPercentile
from MedSegAI.Logic.evaluation.surfaces import surface_voxels


def ball(radius: float, middle=(32, 32, 32), spacing=(1.0, 1.0, 1.0)) -> np.ndarray:
    axes = np.ogrid[:64, :64, :64]
    return sum(((axis - m) * s) ** 2 for axis, m, s in zip(axes, middle, spacing)) <= radius**2


def rough(seed: int) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(64, 64, 64)), 4)
    return noise > np.quantile(noise, 0.8)


def by_measuring_every_point(one: np.ndarray, other: np.ndarray, spacing) -> float:
    points = [surface_voxels(mask, spacing_kji=spacing).points for mask in (one, other)]
    assert min(map(len, points)) > 4000
    return max(np.percentile(cKDTree(b).query(a)[0], 95) for a, b in (points, points[::-1]))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.7, 0.7), (0.5, 1.0, 3.0)])
@pytest.mark.parametrize(
    "masks",
    [(rough(1), rough(2)), (ball(24), ball(25, (33, 30, 32))), (rough(1), ball(28)), (rough(3), rough(3))],
    ids=["blobs far apart", "balls nearly alike", "blobs and a ball", "the same"],
)
def test_it_is_that_of_all_distances(masks, spacing):
    expected = by_measuring_every_point(*masks, spacing)
    assert hd95(*masks, spacing_kji=spacing) == pytest.approx(expected, abs=1e-9)
    assert hd95(*masks[::-1], spacing_kji=spacing) == pytest.approx(expected, abs=1e-9)


class CountingTree:
    """Counts the places that were measured."""

    def __init__(self, points: np.ndarray) -> None:
        self.tree, self.measured = cKDTree(points), 0

    def query(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.measured += len(places)
        return self.tree.query(places)


@pytest.mark.parametrize("percentile", [0.0, 50.0, 95.0, 100.0])
def test_fewer_points_are_measured_and_the_bound_holds(percentile):
    of, to = (surface_voxels(rough(seed), spacing_kji=(1, 1, 1)).points for seed in (1, 2))
    tree = CountingTree(to)
    found = DirectedPercentile(of, tree, spacing_kji=(1, 1, 1), percentile=percentile)
    bound = found.at_most
    assert found.value == pytest.approx(np.percentile(tree.tree.query(of)[0], percentile), abs=1e-9)
    assert found.value <= bound
    if percentile >= 95:
        assert tree.measured < 0.5 * len(of)


def test_one_point_has_one_distance():
    tree = cKDTree(np.zeros((1, 3)))
    assert DirectedPercentile(np.array([[0, 3.0, 4.0]]), tree, spacing_kji=(1, 1, 1), percentile=95).value == 5.0
