"""Overlapping windows are averaged exactly in a ring no deeper than a window."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSegAI.Logic.inference.plane_ring import PlaneRing
from MedSegAI.Logic.inference.windows import gaussian_weights, overlap_of_window, window_starts
from Testing.Logic.inference.fake_gpu import FAKE_GPU, fake_gpu


def averages_of_whole_volume(shape, window, starts, values):
    """The plain definition: everything in memory, float64."""
    total = np.zeros((values[0].shape[0], *shape))
    weight = np.zeros(shape)
    for start, value in zip(starts, values):
        volume, inside = overlap_of_window(start, window, shape)
        total[(slice(None), *volume)] += value.numpy()[(slice(None), *inside)] * gaussian_weights(window)[inside]
        weight[volume] += gaussian_weights(window)[inside]
    return total / weight, weight


@pytest.mark.parametrize("shape", [(23, 9, 11), (8, 9, 11), (5, 4, 30), (16, 8, 6)])
@pytest.mark.parametrize("overlap", [0.0, 0.5, 0.8])
def test_the_ring_gives_the_averages_of_the_whole_volume(shape, overlap):
    window = (8, 6, 6)
    starts = window_starts(shape, window, overlap=overlap)
    values = [torch.randn(3, *window, generator=torch.Generator().manual_seed(n)) for n in range(len(starts))]
    expected, weight = averages_of_whole_volume(shape, window, starts, values)

    ring = PlaneRing(shape, window, channels=3, keep_weights=True)
    planes = {}
    for start, value in zip(starts, values):
        planes.update({plane.k: (plane.mean, plane.weight.clone()) for plane in ring.planes_below(start[0])})
        ring.add(start, value)
    planes.update({plane.k: (plane.mean, plane.weight.clone()) for plane in ring.planes_below(shape[0])})

    assert list(planes) == list(range(shape[0]))
    for k, (mean, summed) in planes.items():
        np.testing.assert_allclose(mean, expected[:, k], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(summed, weight[k], rtol=1e-5)


def test_planes_no_window_reached_have_a_mean_of_zero_and_no_weight():
    ring = PlaneRing((4, 3, 3), (2, 3, 3), channels=2, keep_weights=True)
    planes = [(plane.mean, plane.weight.clone()) for plane in ring.planes_below(4)]
    assert all((mean == 0).all() and (weight == 0).all() for mean, weight in planes)


def test_a_window_that_comes_too_late_is_a_mistake_of_the_caller():
    ring = PlaneRing((8, 2, 2), (2, 2, 2), channels=1, keep_weights=False)
    list(ring.planes_below(3))
    with pytest.raises(ValueError, match="plane 2 was handed out"):
        ring.add((2, 0, 0), torch.zeros(1, 2, 2, 2))


def test_the_ring_does_not_grow_with_the_volumes_depth():
    shallow, deep = (PlaneRing((depth, 8, 8), (4, 4, 4), channels=2, keep_weights=True) for depth in (8, 8000))
    assert shallow.nbytes == deep.nbytes == 4 * (2 + 1) * 8 * 8 * 4


def test_on_a_gpu_no_tensor_stays_behind_and_the_sums_can_move_to_the_cpu():
    with fake_gpu():
        ring = PlaneRing((6, 5, 5), (4, 4, 4), channels=2, keep_weights=True, device=FAKE_GPU)
        ring.add((0, 0, 0), torch.zeros(2, 4, 4, 4, device=FAKE_GPU))
        ring.add((2, 1, 1), torch.zeros(2, 4, 4, 4))
        on_gpu = [str(plane.mean.device) for plane in ring.planes_below(3)]
        ring.move_to("cpu")
        ring.add((3, 1, 1), torch.zeros(2, 4, 4, 4, device=FAKE_GPU))
        on_cpu = [str(plane.mean.device) for plane in ring.planes_below(6)]
    assert on_gpu == [FAKE_GPU] * 3
    assert on_cpu == ["cpu"] * 3
