"""The network's probability near a place is that of the whole run, from the windows that the place touches alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from MedSegAI.Logic.errors import Cancelled
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.engines.eager import EagerEngine
from MedSegAI.Logic.inference.label_probability import count_of_windows, label_probability
from MedSegAI.Logic.inference.scans import scans_for
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.inference.window_cache import CachingEngine, WindowCache
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality, Volume
from Testing.Logic.inference.test_shown_parts import a_model
from Testing.stops_after import StopsAfter

BOX = Box((14, 20, 9), (22, 30, 20))
SETTINGS = RunSettings(device="cpu", confidence="per-voxel")


@pytest.fixture(scope="module")
def scan() -> Volume:
    coarse = np.random.default_rng(0).normal(size=(10, 14, 11))
    array = np.kron(coarse, np.ones((5, 4, 4))).astype(np.float32)
    return Volume(array, Grid((50, 56, 44), direction=(-1, 0, 0, 0, -1, 0, 0, 0, 1)), Modality.MR)


@pytest.fixture
def engine() -> EagerEngine:
    torch.manual_seed(0)
    return EagerEngine(nn.Conv3d(1, 3, 3, padding=1))


def ask(engine, scan, made, value, *, box=BOX, reporter=None):
    card = a_model().card
    options = {"made": made, "value": value, "box": box, "reporter": reporter or SilentReporter()}
    return label_probability(scans_for(scan, card), card, engine, **options)


def test_it_is_the_confidence_of_the_run_where_the_label_won(scan, engine):
    result = segment(scan, a_model(), settings=SETTINGS, reporter=SilentReporter(), engine=engine)
    winner, sure = result.labels.array[BOX.slices], result.confidence.array[BOX.slices]
    for value in (1, 2):
        probability = ask(engine, scan, result.provenance, value)
        np.testing.assert_allclose(probability[winner == value], sure[winner == value], atol=1e-3)
        assert (probability[winner != value] <= 0.5 + 1e-3).all()


def test_a_mirrored_region_is_seen_as_the_network_sees_it(scan, engine):
    made = segment(scan, a_model(), settings=SETTINGS, reporter=SilentReporter(), engine=engine).provenance
    mirrored = dataclasses.replace(made, regions=(dataclasses.replace(made.regions[0], mirrored=True),))
    flipped = scan.with_array(np.ascontiguousarray(scan.array[:, :, ::-1]))
    length = scan.grid.shape[2]
    other = Box((*BOX.start[:2], length - BOX.stop[2]), (*BOX.stop[:2], length - BOX.start[2]))
    np.testing.assert_allclose(
        ask(engine, scan, mirrored, 1)[:, :, ::-1], ask(engine, flipped, made, 1, box=other), atol=1e-5
    )


def test_windows_that_a_run_has_seen_are_not_evaluated_again_and_of_others_only_those_touched(scan, engine):
    cache = WindowCache()
    run = CachingEngine(engine, cache, network="a")
    made = segment(scan, a_model(), settings=SETTINGS, reporter=SilentReporter(), engine=run).provenance
    assert count_of_windows(made, a_model().card) == run.windows_evaluated
    warm, cold = (CachingEngine(engine, each, network="a") for each in (cache, WindowCache()))
    np.testing.assert_array_equal(ask(warm, scan, made, 1), ask(cold, scan, made, 1))
    assert warm.windows_evaluated == 0
    assert 0 < cold.windows_evaluated < run.windows_evaluated / 2


def test_where_the_network_did_not_look_nothing_is_known(scan, engine):
    settings = RunSettings(device="cpu", region="0:16,0:56,0:50")
    made = segment(scan, a_model(), settings=settings, reporter=SilentReporter(), engine=engine).provenance
    probability = ask(engine, scan, made, 1, box=Box((0, 0, 0), scan.grid.shape))
    assert np.isnan(probability[:, :, 33:]).all()
    assert np.isfinite(probability[:, :, :16]).all()
    assert np.isnan(ask(engine, scan, made, 7)).all()


def test_it_can_be_stopped(scan, engine):
    made = segment(scan, a_model(), settings=SETTINGS, reporter=SilentReporter(), engine=engine).provenance
    with pytest.raises(Cancelled):
        ask(engine, scan, made, 1, reporter=StopsAfter(steps=0))
