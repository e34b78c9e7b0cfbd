"""What the network says of one label near a place: only the windows that the place touches are evaluated."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.prepare_region import windows_of_region
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.inference.windows import gaussian_weights, overlap_of_window, window_starts
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.volume import Volume

_INSIDE = 0.999


def label_probability(
    case: InputScans,
    card: ModelCard,
    engine: Engine,
    *,
    made: Provenance,
    value: int,
    box: Box,
    reporter: Reporter,
) -> np.ndarray:
    """The probability of a label in a box of the scan, as the run that made the segmentation saw it.

    Args:
        case: The scans that were segmented, in the card's order.
        card: The model's card.
        engine: The model's engine; one that remembers windows evaluates only what it has not seen.
        made: The record of the run: its regions and settings.
        value: The label's value in the segmentation.
        box: The place, (k, j, i) of the scan's grid.
        reporter: Asked between windows whether to stop.

    Returns:
        float32 (k, j, i) over the box, 0..1; not a number where the network did not look.

    Raises:
        DeviceError: if the device's memory does not suffice.
        Cancelled: if the user asked to stop.
    """
    place = case.grid.crop(box)
    found = np.full(box.shape, np.nan, dtype=np.float32)
    overlap = _overlap_of(made, card)
    for region in made.regions:
        channel = region.network_value(value)
        near = Box.covering(region.grid.kji_of(place.corners_lps())).grow(1).clip(region.grid.shape)
        if channel is not None and not near.is_empty:
            windows = _Windows(case, region, card, engine, overlap, reporter)
            local, seen = windows.probability(near, channel)
            grid = region.grid.crop(near)
            np.fmax(found, _on_scan(local, seen, grid, place), out=found)
    return found


def count_of_windows(made: Provenance, card: ModelCard) -> int:
    """How many windows the run had that made a segmentation."""
    overlap = _overlap_of(made, card)
    return sum(len(window_starts(region.grid.shape, card.window, overlap=overlap)) for region in made.regions)


def _overlap_of(made: Provenance, card: ModelCard) -> float:
    return RunSettings(**made.settings).overlap_or(card.overlap)


class _Windows:
    def __init__(
        self,
        case: InputScans,
        region: LocalisedRegion,
        card: ModelCard,
        engine: Engine,
        overlap: float,
        reporter: Reporter,
    ) -> None:
        self._case, self._region, self._card = case, region, card
        self._engine, self._overlap, self._reporter = engine, overlap, reporter

    def probability(self, near: Box, channel: int) -> tuple[np.ndarray, np.ndarray]:
        """The probability of a network's label in a box of the region (k, j, i), and where a window was evaluated."""
        shape, window = self._region.grid.shape, self._card.window
        looked_at = _mirrored(near, shape) if self._region.mirrored else near
        weights = gaussian_weights(window)
        total = np.zeros((self._card.class_count, *near.shape), dtype=np.float32)
        weight = np.zeros(near.shape, dtype=np.float32)
        image = windows_of_region(self._case, self._region, self._card, reporter=self._reporter)
        for start in window_starts(shape, window, overlap=self._overlap):
            shift = tuple(a - b for a, b in zip(start, looked_at.start))
            in_box, in_window = overlap_of_window(shift, window, near.shape)
            if any(part.start >= part.stop for part in in_box):
                continue
            raise_if_cancelled(self._reporter)
            logits = np.asarray(self._engine.predict(image.cut(start, window)[None]))[0]
            total[(slice(None), *in_box)] += logits[(slice(None), *in_window)] * weights[in_window]
            weight[in_box] += weights[in_window]
        seen = weight > 0
        mean = total / np.where(seen, weight, 1)
        mean = np.exp(mean - mean.max(axis=0))
        return self._region.orient(mean[channel] / mean.sum(axis=0)), self._region.orient(seen)


def _mirrored(box: Box, shape: tuple[int, int, int]) -> Box:
    """The box as it lies in an array that is reversed along i."""
    length = shape[2]
    return Box((*box.start[:2], length - box.stop[2]), (*box.stop[:2], length - box.start[2]))


def _on_scan(local: np.ndarray, seen: np.ndarray, grid: Grid, place: Grid) -> np.ndarray:
    found = resample(Volume(np.ascontiguousarray(local), grid), place, background=0.0).array
    known = resample(Volume(np.ascontiguousarray(seen, dtype=np.float32), grid), place, background=0.0).array
    return np.where(known > _INSIDE, found, np.float32(np.nan)).astype(np.float32)
