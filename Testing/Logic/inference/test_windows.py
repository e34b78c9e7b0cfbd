"""Windows cover the volume evenly, are cut lazily and weighted as the literature says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.inference.windows import cut_window, gaussian_weights, overlap_of_window, window_starts


@pytest.mark.parametrize(
    ("length", "window", "overlap", "expected"),
    [
        (96, 96, 0.5, [0]),
        (97, 96, 0.5, [0, 1]),
        (144, 96, 0.5, [0, 48]),
        (145, 96, 0.5, [0, 24, 49]),
        (512, 128, 0.5, [0, 64, 128, 192, 256, 320, 384]),
        (100, 32, 0.0, [0, 23, 45, 68]),
    ],
)
def test_windows_are_spaced_evenly_from_the_first_voxel_to_the_last(length, window, overlap, expected):
    starts = window_starts((length, window, window), (window,) * 3, overlap=overlap)
    assert [start[0] for start in starts] == expected


@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("shape", [(33, 40, 50), (8, 9, 16), (8, 8, 16)])
def test_windows_cover_every_voxel_with_at_least_the_overlap_asked_for(shape, overlap):
    window = (8, 6, 16)
    starts = window_starts(shape, window, overlap=overlap)
    covered = np.zeros(shape, dtype=bool)
    for start in starts:
        assert all(0 <= s <= n - w for s, w, n in zip(start, window, shape))
        covered[overlap_of_window(start, window, shape)[0]] = True
    assert covered.all()
    for axis in range(3):
        along = sorted({start[axis] for start in starts})
        assert all(b - a <= max(np.ceil(window[axis] * (1 - overlap)), 1) for a, b in itertools.pairwise(along))


def test_windows_come_in_ascending_order_of_k():
    starts = window_starts((40, 40, 40), (16, 16, 16), overlap=0.5)
    assert starts == sorted(starts)


def test_a_volume_shorter_than_the_window_gets_one_centred_window():
    assert window_starts((10, 7, 64), (16, 16, 32), overlap=0.0) == [(-3, -4, 0), (-3, -4, 32)]


@pytest.mark.parametrize("overlap", [-0.1, 1.0, float("nan")])
def test_an_overlap_out_of_range_is_refused_with_advice(overlap):
    with pytest.raises(InputError, match="overlap") as refused:
        window_starts((10, 10, 10), (5, 5, 5), overlap=overlap)
    assert "0.5" in refused.value.advice


def test_an_empty_window_is_refused():
    with pytest.raises(InputError, match="cannot cover"):
        window_starts((10, 10, 10), (5, 0, 5), overlap=0.5)


def test_a_window_is_cut_as_float32_and_filled_outside_the_image():
    image = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 3, 4, 5)
    cut = cut_window(image, (-1, 0, 3), (4, 4, 4), fill=-7.0)
    assert cut.dtype == np.float32
    assert cut.shape == (2, 4, 4, 4)
    np.testing.assert_array_equal(cut[:, 1:, :, :2], image[:, :, :, 3:])
    assert (cut[:, 0] == -7).all()
    assert (cut[..., 2:] == -7).all()


def test_a_window_of_a_memory_mapped_image_reads_only_that_window(tmp_path):
    np.save(tmp_path / "image.npy", np.arange(1000, dtype=np.int16).reshape(1, 10, 10, 10))
    image = np.load(tmp_path / "image.npy", mmap_mode="r")
    cut = cut_window(image, (2, 3, 4), (2, 2, 2))
    assert not np.shares_memory(cut, image)
    np.testing.assert_array_equal(cut, image[:, 2:4, 3:5, 4:6])


@pytest.mark.parametrize("window", [(32, 64, 32), (96, 96, 96), (5, 8, 1)])
def test_weights_are_those_of_monai(window):
    monai = pytest.importorskip("monai.data.utils")
    expected = monai.compute_importance_map(window, mode="gaussian").numpy()
    weights = gaussian_weights(window)
    assert weights.dtype == np.float32
    assert weights.min() > 0
    np.testing.assert_allclose(weights, expected, rtol=2e-5)
