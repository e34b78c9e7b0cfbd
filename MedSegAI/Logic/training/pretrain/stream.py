"""Scans of a folder of any size, one after another, each good one in its turn and none kept for long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.pretrain.config import ScansConfig
from MedSegAI.Logic.training.pretrain.order import Order
from MedSegAI.Logic.training.pretrain.scan_cache import ScanCache
from MedSegAI.Logic.training.pretrain.scan_voxels import ScanVoxels, open_scan

_Used = TypeVar("_Used")
_MOST_IN_A_ROW = 200
_SHARE_OF_CACHE = 4
_MIB = 2**20


class ScanStream:
    """Gives the scan of any position, and leaves out those that cannot be used.

    Used by one thread at a time. It holds no more than ``config.cache_mib`` of voxels, and beside them what reading one
    scan takes.

    Args:
        paths: The scans, in the order of ``list_scans``.
        config: How they are prepared, and how much is held.
        order: Which comes when; of so many scans.
    """

    def __init__(self, paths: Sequence[Path], config: ScansConfig, *, order: Order) -> None:
        self.paths, self.config, self.order = tuple(paths), config, order
        self.cache = ScanCache(config.cache_mib * _MIB)
        self.left_out: dict[Path, str] = {}
        """Each scan that could not be used so far, and why, as a sentence."""
        self._never_opens: dict[int, InputError] = {}

    def use(self, position: int, cut: Callable[[ScanVoxels], _Used]) -> _Used:
        """What ``cut`` makes of the scan at a position; the next scans in order stand in for one that is broken.

        Raises:
            InputError: if none of the next two hundred scans can be used.
        """
        tried, last = 0, InputError("There is no scan.")
        for index in self.order.candidates(position):
            try:
                return cut(self._opened(index))
            except InputError as error:
                self.left_out.setdefault(self.paths[index], str(error))
                tried, last = tried + 1, error
                if tried >= _MOST_IN_A_ROW:
                    break
        which = f"the {tried} scans" if tried == len(self.paths) else f"{tried} scans in a row"
        raise InputError(f"None of {which} can be used. The last one: {last.problem}", advice=last.advice)

    def _opened(self, index: int) -> ScanVoxels:
        if index in self._never_opens:
            raise self._never_opens[index]
        config = self.config
        try:
            return self.cache.get(
                self.paths[index],
                lambda path: open_scan(
                    path,
                    spacing_mm=config.spacing_mm,
                    normalisation=config.normalisation,
                    most_held_bytes=self.cache.limit_bytes // _SHARE_OF_CACHE,
                ),
            )
        except InputError as error:
            self._never_opens[index] = error
            raise
