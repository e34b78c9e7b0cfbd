"""A window that was evaluated before is not evaluated again, and nobody can tell from the result."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.engines.engine import Engine
from MedSegAI.Logic.inference.region_on_lattice import may_be_laid_on_lattice
from MedSegAI.Logic.inference.regions import choose_regions
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.inference.window_cache import CachingEngine, WindowCache
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.volume import Modality, Volume
from Testing.Logic.inference.test_shown_parts import ThresholdEngine, a_model

WINDOW = (16, 16, 16)
LOGITS_BYTES = 3 * 16**3 * 4


@pytest.fixture
def engine() -> EagerEngine:
    torch.manual_seed(0)
    return EagerEngine(nn.Conv3d(1, 3, 3, padding=1))


def some_windows(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 1, *WINDOW)).astype(np.float32)


def caching(engine: Engine, cache: WindowCache | None = None) -> CachingEngine:
    return CachingEngine(engine, cache or WindowCache(), network="a")


def test_it_is_an_engine_and_says_what_the_other_says(engine):
    cached = caching(engine)
    assert isinstance(cached, Engine)
    assert (cached.name, cached.device_name, cached.fallbacks) == (engine.name, engine.device_name, engine.fallbacks)


def test_a_known_window_gives_the_same_logits_to_the_bit_and_is_not_evaluated(engine):
    cached = caching(engine)
    windows = some_windows(3)
    first = cached.predict(windows[:2])
    again = cached.predict(windows)
    assert cached.windows_evaluated == 3
    assert torch.equal(again[:2], first)
    assert torch.equal(first, engine.predict(windows[:2]))


def test_a_window_that_differs_in_one_bit_is_another_window(engine):
    cached = caching(engine)
    window = some_windows(1)
    cached.predict(window)
    window[0, 0, 3, 4, 5] = np.nextafter(window[0, 0, 3, 4, 5], np.float32(np.inf))
    cached.predict(window)
    assert cached.windows_evaluated == 2


def test_what_another_network_said_is_not_taken(engine):
    cache = WindowCache()
    CachingEngine(engine, cache, network="a").predict(some_windows(1))
    other = CachingEngine(engine, cache, network="b")
    other.predict(some_windows(1))
    assert other.windows_evaluated == 1


def test_an_engine_that_writes_into_the_memory_of_its_last_answer_spoils_nothing():
    class Reusing(ThresholdEngine):
        answer = np.zeros((1, 3, *WINDOW), np.float32)

        def predict(self, windows):
            self.answer[...] = super().predict(windows)
            return self.answer

    cached = caching(Reusing())
    first = some_windows(1)
    expected = ThresholdEngine().predict(first)
    cached.predict(first)
    cached.predict(some_windows(1, seed=1))
    np.testing.assert_array_equal(cached.predict(first), expected)


def test_the_window_used_longest_ago_makes_room_for_a_later_run(engine):
    cache = WindowCache(most_bytes=2 * LOGITS_BYTES)
    windows = some_windows(3)
    caching(engine, cache).predict(windows[:2])
    caching(engine, cache).predict(windows[[0, 2]])
    last = caching(engine, cache)
    last.predict(windows[[0, 2]])
    assert last.windows_evaluated == 0
    last.predict(windows[[1]])
    assert last.windows_evaluated == 1
    assert cache.nbytes <= 2 * LOGITS_BYTES


def test_of_a_scan_too_large_to_be_kept_a_part_is(engine):
    cache = WindowCache(most_bytes=2 * LOGITS_BYTES)
    windows = some_windows(5)
    for expected in (5, 3):
        run = caching(engine, cache)
        for index in range(5):
            run.predict(windows[[index]])
        assert run.windows_evaluated == expected


def test_what_is_kept_is_a_share_of_the_free_memory_and_can_be_given_back(engine, monkeypatch):
    monkeypatch.setattr("MedSegAI.Logic.inference.window_cache.free_memory", lambda: 8 * LOGITS_BYTES)
    cache = WindowCache()
    run = caching(engine, cache)
    run.predict(some_windows(3))
    assert cache.nbytes == LOGITS_BYTES
    assert cache.clear()
    assert (cache.nbytes, cache.clear()) == (0, False)


def test_on_a_gpu_nothing_is_kept():
    class OnGpu(ThresholdEngine):
        logits_device = "cuda"

    cached = caching(OnGpu())
    for _ in range(2):
        cached.predict(some_windows(1))
    assert cached.windows_evaluated == 2


# Regions of interest -----------------------------------------------------------------------------------------------


def a_ct(spacing: tuple[float, float, float] = (1.0, 1.0, 1.0), shape: tuple[int, int, int] = (60, 56, 66)) -> Volume:
    coarse = np.random.default_rng(0).normal(size=(12, 14, 11))
    array = np.kron(coarse, np.ones((5, 4, 6))).astype(np.float32)
    return Volume(array, Grid(shape, spacing, (3.3, -7.7, 1.1)), Modality.MR)


def run_on(region: str | None, engine: Engine, scan: Volume) -> np.ndarray:
    settings = RunSettings(region=region, device="cpu")
    return segment(scan, a_model(), settings=settings, reporter=SilentReporter(), engine=engine).labels.array


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.8, 0.9, 1.3)], ids=["same spacing", "resampled"])
def test_a_moved_region_evaluates_only_the_windows_it_does_not_share(engine, spacing):
    scan, cache = a_ct(spacing), WindowCache()
    first, second = caching(engine, cache), caching(engine, cache)
    run_on("20:44,12:40,14:40", first, scan)
    labels = run_on("24:48,12:40,14:40", second, scan)
    assert first.windows_evaluated > 0
    assert second.windows_evaluated < first.windows_evaluated
    np.testing.assert_array_equal(labels, run_on("24:48,12:40,14:40", engine, scan))


def test_the_same_region_again_evaluates_nothing(engine):
    scan, cache = a_ct(), WindowCache()
    labels = run_on("20:44,12:40,14:40", caching(engine, cache), scan)
    again = caching(engine, cache)
    np.testing.assert_array_equal(run_on("20:44,12:40,14:40", again, scan), labels)
    assert again.windows_evaluated == 0


def test_labels_are_given_inside_the_region_alone_though_the_network_sees_what_lies_around(engine):
    labels = run_on("20:44,12:40,14:40", engine, a_ct())
    box = Box.around(labels)
    assert all(a >= b for a, b in zip(box.start, (14, 12, 20)))
    assert all(a <= b for a, b in zip(box.stop, (40, 40, 44)))


def test_a_region_of_the_whole_scan_gives_what_the_whole_scan_gives(engine):
    scan = a_ct()
    np.testing.assert_array_equal(run_on("0:66,0:56,0:60", engine, scan), run_on(None, engine, scan))


@pytest.mark.parametrize("region", ["0:8,0:8,0:8", "58:66,48:56,52:60", "1:65,20:24,3:58", "30:31,30:31,30:31"])
def test_windows_of_a_region_lie_in_the_scan_and_cover_it(region):
    scan = a_ct()
    case = InputScans({a_model().card.inputs[0].name: scan})
    settings = RunSettings(region=region)
    (chosen,) = choose_regions(case, a_model().card, settings=settings, reporter=SilentReporter()).regions
    inside = Box.inside(scan.grid.kji_of(chosen.grid.corners_lps()))
    asked = Box.inside(scan.grid.kji_of(chosen.within.corners_lps()))
    assert inside.clip(scan.grid.shape) == inside
    assert inside.union(asked) == inside
    assert all(extent >= side for extent, side in zip(chosen.grid.shape, WINDOW))
    assert LocalisedRegion.from_plain(chosen.to_plain()) == chosen


def test_models_that_are_shown_crops_or_measure_the_region_are_shown_the_region_alone():
    card = a_model().card
    assert may_be_laid_on_lattice(card)
    for rule, fixed in {
        Normalisation("z_score"): False,
        Normalisation("z_score", clip_values=(-1000, 1000)): False,
        Normalisation("range"): False,
        Normalisation("range", clip_values=(-1000, 1000)): True,
        Normalisation("range", clip_percentiles=(1, 99)): False,
        Normalisation("none", clip_percentiles=(1, 99)): False,
        Normalisation("none", clip_values=(-1000, 1000)): True,
    }.items():
        wanted = dataclasses.replace(card.inputs[0], normalisation=rule)
        assert may_be_laid_on_lattice(dataclasses.replace(card, inputs=(wanted,))) is fixed
