"""The cache stays within its bound and forgets what was used longest ago."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from MedSegAI.Logic.training.pretrain.scan_cache import ScanCache
from MedSegAI.Logic.training.pretrain.scan_voxels import HeldScan


def test_what_was_used_longest_ago_makes_room():
    opened: list[str] = []

    def open_it(path: Path) -> HeldScan:
        opened.append(path.name)
        return HeldScan(np.zeros((2, 2, 25), np.float32))

    cache = ScanCache(900)
    for name in ("a", "b", "a", "c", "a", "b"):
        assert cache.get(Path(name), open_it).held_bytes == 400
        assert cache.held_bytes <= 900
    assert opened == ["a", "b", "c", "b"]


def test_the_newest_is_kept_whatever_its_size():
    cache = ScanCache(10)
    sizes = {"a": 4, "b": 5}
    for name in ("a", "b", "b"):
        cache.get(Path(name), lambda path: HeldScan(np.zeros((1, 1, sizes[path.name]), np.float32)))
    assert cache.held_bytes == 20
