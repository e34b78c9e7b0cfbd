from __future__ import annotations

import numpy as np

from MedSegAI.Logic.standardise.sampled_voxels import sampled


def test_a_large_scan_is_sampled_evenly_and_a_small_one_is_not():
    small, large = np.zeros((10, 20, 30), np.int8), np.zeros((200, 300, 200), np.int8)
    assert sampled(small).shape == small.shape
    assert sampled(large).size <= 1 << 22
    assert np.shares_memory(sampled(large), large)
