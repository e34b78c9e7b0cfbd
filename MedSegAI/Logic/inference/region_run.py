"""One region of a scan through the network, and from there to the scan's grid."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.decision import decision_of
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.growing_result import GrowingResult
from MedSegAI.Logic.inference.islands import without_islands
from MedSegAI.Logic.inference.label_confidence import WinningProbabilities, winning_probabilities
from MedSegAI.Logic.inference.prepare_region import windows_of_region
from MedSegAI.Logic.inference.recent_planes import RecentPlanes
from MedSegAI.Logic.inference.region_parts import Planes, RegionParts
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.inference.sliding_window import segment_array
from MedSegAI.Logic.inference.under_point import under_point
from MedSegAI.Logic.localise.points import middle_of
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import UNDER_POINT, ModelCard
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings


class RegionRun:
    """Segments one region and writes what it finds to a result that grows.

    Args:
        case: The scans in one space, in the card's order.
        region: The place in model space.
        card: The model's card.
        engine: The network.
        settings: The user's choices.
        growing: What is written to.

    Raises:
        RegionError: if none of the scan's voxels lies in the region.
    """

    def __init__(
        self,
        case: InputScans,
        region: LocalisedRegion,
        card: ModelCard,
        *,
        engine: Engine,
        settings: RunSettings,
        growing: GrowingResult,
    ) -> None:
        self._case, self._region, self._card = case, region, card
        self._engine, self._settings, self._growing = engine, settings, growing
        self._keep = _KEEPING.get(card.components)
        self._confidence = settings.confidence
        if self._keep is not None and self._confidence is ConfidenceChoice.PER_LABEL:
            # Which voxels are kept is known at the end only, so the region's own map is kept until then.
            self._confidence = ConfidenceChoice.PER_VOXEL
        self._parts = RegionParts(region, case.grid)
        self._labels = RecentPlanes(region.grid.shape, np.uint8)
        wants_map = self._confidence is ConfidenceChoice.PER_VOXEL
        self._sure = RecentPlanes(region.grid.shape, np.float16) if wants_map else None
        self._gathered, self._gathered_below = WinningProbabilities(), 0

    def segment(
        self, *, reporter: Reporter, watch: Callable[[int, np.ndarray], None] | None = None
    ) -> WinningProbabilities:
        """Segment the region.

        Args:
            reporter: As ``segment_array`` has it.
            watch: As ``segment_array`` has it.

        Returns:
            The probabilities of the labels that won, by the network's values; nothing where they were not asked for.
        """
        card, settings = self._card, self._settings
        streamed = segment_array(
            windows_of_region(self._case, self._region, card, reporter=reporter),
            self._engine,
            window=card.window,
            overlap=settings.overlap_or(card.overlap),
            classes=card.class_count,
            reporter=reporter,
            confidence=self._confidence,
            batch=settings.batch_or(1),
            skip_below=card.skip_below,
            labels_out=self._labels,
            confidence_out=self._sure,
            decision=decision_of(card),
            watch=watch,
            finished=self._finished if self._keep is None else self._preview,
        )
        if self._keep is not None:
            return self._kept(self._keep)
        return streamed.probabilities or self._gathered

    def _finished(self, k: int) -> None:
        part = self._parts.up_to(k)
        if part is not None:
            self._growing.add(self._parts, part, self._labels.planes, self._sure and self._sure.planes)
        for plane in range(self._gathered_below, k if self._sure else 0):
            one = plane, plane + 1
            self._gathered.add(self._labels.planes(*one), self._sure.planes(*one))
        self._gathered_below = k
        for planes in filter(None, (self._labels, self._sure)):
            planes.forget_below(self._parts.needed_from)

    def _preview(self, k: int) -> None:
        part = self._parts.up_to(k)
        if part is not None:
            self._growing.preview(self._parts, part, self._labels.planes)

    def _kept(self, keep: Callable[[np.ndarray, Grid], np.ndarray]) -> WinningProbabilities:
        """Bring back what the card's rule for components leaves."""
        depth = self._region.grid.shape[0]
        kept = keep(self._labels.planes(0, depth), self._region.grid)
        sure = None if self._sure is None else self._sure.planes(0, depth)
        parts = RegionParts(self._region, self._case.grid)
        part = parts.up_to(depth)
        self._growing.add(parts, part, _planes(kept), None if sure is None else _planes(sure))
        return self._gathered if sure is None else winning_probabilities(kept, sure)


def _planes(array: np.ndarray) -> Planes:
    return lambda start, stop: array[start:stop]


def _only_under_point(labels: np.ndarray, grid: Grid) -> np.ndarray:
    return under_point(labels, middle_of(grid), spacing_kji=grid.spacing_kji)


# By what a card says of components; which of them are kept in a region of this grid.
_KEEPING: dict[str, Callable[[np.ndarray, Grid], np.ndarray]] = {
    "without-islands": lambda labels, _grid: without_islands(labels),
    UNDER_POINT: _only_under_point,
}
