"""A result shown as it grows: each part is final, none is shown twice, and together they are the result."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import MedSegAI.Logic.models.card as card_module
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.region_parts import RegionParts
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.standardise.resample import canonical_grid, resample_labels
from MedSegAI.Logic.volume import Modality, Volume

TEMPLATE = Path(card_module.__file__).parents[2] / "Resources" / "Training" / "hippocampus-mr.card.json"
PERMUTED = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
UPSIDE_DOWN = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
AS_IT_IS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


class ThresholdEngine:
    """Calls voxels above 0 label 1, those above 1 label 2."""

    name = "threshold"
    device_name = logits_device = "cpu"
    fallbacks: tuple[str, ...] = ()

    def predict(self, windows: np.ndarray) -> np.ndarray:
        value = windows[:, 0]
        return np.stack([np.zeros_like(value), value, 2 * value - 1], axis=1)

    def step_down(self) -> str:
        raise AssertionError("nothing to give up")


class Watching:
    """Draws every part that is shown into a picture of its own, and counts how often each voxel was shown."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.labels, self.times, self.boxes = np.zeros(shape, np.uint8), np.zeros(shape, int), []

    def __call__(self, box: Box, labels: np.ndarray) -> None:
        assert labels.shape == box.shape
        assert labels.dtype == np.uint8
        self.labels[box.slices] = labels
        self.times[box.slices] += 1
        self.boxes.append(box)


def a_model(*, components: str = "all") -> Model:
    card = ModelCard.from_json(TEMPLATE.read_text(encoding="utf-8"))
    as_it_is = dataclasses.replace(card.inputs[0], normalisation=Normalisation("none"))
    card = dataclasses.replace(card, inputs=(as_it_is,), localiser=None, window=(16, 16, 16))
    card = dataclasses.replace(card, components=components)
    return Model(Path("nowhere"), card)


def a_scan(direction: tuple[float, ...], spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Volume:
    coarse = np.random.default_rng(0).normal(size=(12, 12, 12)).astype(np.float32)
    array = np.kron(coarse, np.ones((5, 4, 3), np.float32))
    return Volume(array, Grid(array.shape, spacing, direction=direction), Modality.MR)


def shown(scan: Volume, model: Model, settings: RunSettings | None = None) -> tuple[SegmentationResult, Watching]:
    watching = Watching(scan.grid.shape)
    options = {"settings": settings or RunSettings(), "reporter": SilentReporter(), "engine": ThresholdEngine()}
    return segment(scan, model, show=watching, **options), watching


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 1.0, 1.3), (2.0, 0.5, 0.5)])
@pytest.mark.parametrize(("direction", "axis"), [(AS_IT_IS, 0), (UPSIDE_DOWN, 0), (PERMUTED, 1)])
def test_the_parts_together_are_the_result_and_come_slab_by_slab(direction, axis, spacing):
    result, watching = shown(a_scan(direction, spacing), a_model())
    np.testing.assert_array_equal(watching.labels, result.labels.array)
    assert (watching.times == 1).all()
    assert len(watching.boxes) >= 2
    across = [a for a in range(3) if a != axis]
    assert all(box.shape[a] == result.labels.grid.shape[a] for box in watching.boxes for a in across)
    assert set(np.unique(result.labels.array)) == {0, 1, 2}


def test_what_is_shown_of_a_region_of_interest_lies_in_it():
    result, watching = shown(a_scan(AS_IT_IS), a_model(), RunSettings(region="5:30,8:40,3:50"))
    np.testing.assert_array_equal(watching.labels, result.labels.array)
    expected = np.zeros(result.labels.grid.shape, int)
    expected[3:50, 8:40, 5:30] = 1
    np.testing.assert_array_equal(watching.times, expected)


def test_where_components_are_dropped_in_the_end_the_last_part_shown_is_the_whole_result():
    scan = a_scan(AS_IT_IS)
    scan.array[:] = -1
    scan.array[4:30, 4:30, 4:30] = 1
    scan.array[50:53, 40:43, 30:33] = 1
    result, watching = shown(scan, a_model(components="without-islands"))
    assert result.labels.array[10, 10, 10] and not result.labels.array[51, 41, 31]
    assert watching.times[51, 41, 31] == 2
    np.testing.assert_array_equal(watching.labels, result.labels.array)
    assert watching.boxes[-1] == Box.whole(result.labels.grid.shape)
    assert len(watching.boxes) >= 2


def a_region(grid: Grid, *, mirrored: bool = False) -> LocalisedRegion:
    return LocalisedRegion("whole volume", grid, mirrored, ((1, 5), (2, 3), (3, 9)))


def blobs(shape: tuple[int, int, int]) -> np.ndarray:
    coarse = np.random.default_rng(1).integers(0, 4, size=tuple(n // 6 + 1 for n in shape)).astype(np.uint8)
    return np.kron(coarse, np.ones((6, 6, 6), np.uint8))[tuple(slice(n) for n in shape)]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("direction", [AS_IT_IS, UPSIDE_DOWN, PERMUTED])
def test_parts_are_those_of_the_labels_brought_back_in_one_piece(direction, mirrored):
    scan = Grid((50, 44, 40), (0.9, 0.9, 1.4), direction=direction)
    region = a_region(canonical_grid(scan, spacing_mm=(1.1, 0.7, 1.0)), mirrored=mirrored)
    labels = blobs(region.grid.shape)
    whole = resample_labels(Volume(region.rename(region.orient(labels)), region.grid), scan).array
    parts, found = RegionParts(region, scan), np.full(scan.shape, 255, np.uint8)
    for k in (7, 11, 12, 40, region.grid.shape[0]):
        part = parts.up_to(k)
        if part is None:
            continue
        assert part.planes[1] <= k
        found[part.box.slices] = parts.labels(part, lambda start, stop: labels[start:stop])
    np.testing.assert_array_equal(found, whole)


def test_planes_that_no_later_part_needs_may_be_forgotten():
    scan = Grid((50, 44, 40), (0.9, 0.9, 1.4))
    region = a_region(canonical_grid(scan, spacing_mm=(1.0, 1.0, 1.0)))
    parts, needed = RegionParts(region, scan), 0
    for k in range(1, region.grid.shape[0] + 1):
        part = parts.up_to(k)
        if part is not None:
            assert part.planes[0] >= needed
        needed = parts.needed_from
        assert k - needed < 16 or k == region.grid.shape[0]
    assert needed == region.grid.shape[0]


def test_where_the_axes_are_not_parallel_the_only_part_comes_at_the_end():
    scan = Grid((30, 30, 30), direction=(0.8, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0, 0.0, 1.0))
    region = a_region(Grid((20, 20, 20)))
    parts = RegionParts(region, scan)
    assert parts.up_to(19) is None
    part = parts.up_to(20)
    assert part.planes == (0, 20)
    assert parts.up_to(20) is None
