"""Scans that were opened lately, within a bound of memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from MedSegAI.Logic.training.pretrain.scan_voxels import ScanVoxels

_MOST_SCANS = 4096


class ScanCache:
    """Keeps the scans used last, as long as they fit; the newest is kept whatever its size.

    Args:
        limit_bytes: Memory of all scans together.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0
        self._scans: OrderedDict[Path, ScanVoxels] = OrderedDict()

    def get(self, path: Path, open_it: Callable[[Path], ScanVoxels]) -> ScanVoxels:
        """The scan, opened where it is not held; those used longest ago make room for it."""
        if path not in self._scans:
            scan = open_it(path)
            self._scans[path] = scan
            self.held_bytes += scan.held_bytes
        self._scans.move_to_end(path)
        while len(self._scans) > 1 and (self.held_bytes > self.limit_bytes or len(self._scans) > _MOST_SCANS):
            _, oldest = self._scans.popitem(last=False)
            self.held_bytes -= oldest.held_bytes
        return self._scans[path]
