"""The measures themselves, on tiny sizes: every contestant that is here takes part, and gives the same answer."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from MedSegAI.Logic.bench import contestants
from MedSegAI.Logic.bench.catalogue import all_measures, measures_named
from MedSegAI.Logic.bench.clock import ProcessorClock
from MedSegAI.Logic.bench.contestants import (
    MONAI,
    MONAI_AUTOCAST,
    TORCH,
    engines_kept_apart,
    is_installed,
    labels_parity,
    logits_parity,
    monai_predictions,
    untrained_model,
)
from MedSegAI.Logic.bench.fresh_process import FreshRun, PeakMemory, main, run_apart
from MedSegAI.Logic.bench.measure import Case, Conditions, Unit
from MedSegAI.Logic.bench.measures.click import Click
from MedSegAI.Logic.bench.measures.heat_map import CAPTUM, MONAI_PLUS_PLUS, HeatMapOfWindow
from MedSegAI.Logic.bench.measures.memory import MemoryVolume, PeakMemoryOfVolume, memory_case
from MedSegAI.Logic.bench.measures.network import NetworkForward
from MedSegAI.Logic.bench.measures.resample import MONAI as MONAI_SPACING
from MedSegAI.Logic.bench.measures.resample import Resample
from MedSegAI.Logic.bench.measures.whole_volume import NNUNET, NO_NNUNET, WholeVolume, part_of_a_head
from MedSegAI.Logic.bench.measures.window_latency import WindowLatency
from MedSegAI.Logic.bench.rounds import Rounds
from MedSegAI.Logic.errors import InputError, WorkerError
from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import DeviceChoice

QUICK, FULL = Conditions(quick=True, rounds=1), Conditions()


def test_every_measure_has_a_name_of_its_own_and_says_what_it_compares():
    names = [measure.name for measure in all_measures()]
    assert len(set(names)) == len(names) > 8
    assert [measure.name for measure in measures_named(["hd95", "staple"])] == ["staple", "hd95"]
    assert [measure.name for measure in measures_named([])] == names
    for measure in all_measures():
        assert measure.compares.endswith((".", ")."))
        assert measure.cases(FULL), "every measure has something to measure"
        assert all(case.name for case in (*measure.cases(FULL), *measure.cases(QUICK)))


def test_an_unknown_measure_is_refused_with_what_there_is():
    with pytest.raises(InputError, match="There is no measure 'sped'"):
        measures_named(["sped"])


def test_no_quick_case_has_a_target():
    assert [case for measure in all_measures() for case in measure.cases(QUICK) if case.targets] == []


def test_targets_name_contestants_that_may_be_there():
    for measure in all_measures():
        for case in measure.cases(FULL):
            assert all(target.contestant.startswith(("ours", "heat map")) for target in case.targets)


def test_engines_are_built_in_a_folder_that_goes_away(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDSEGAI_CACHE", str(tmp_path))
    with engines_kept_apart():
        inside = os.environ["MEDSEGAI_CACHE"]
        assert inside != str(tmp_path)
        assert os.path.isdir(inside)  # noqa: PTH112 - the variable is text
    assert os.environ["MEDSEGAI_CACHE"] == str(tmp_path)
    assert not os.path.exists(inside)  # noqa: PTH110


def test_the_same_logits_are_at_parity_and_others_are_not():
    logits = torch.randn(1, 3, 4, 4, 4)
    same = logits_parity(logits, logits.numpy(), exact=True)
    assert all(parity.value == 0 and parity.holds for parity in same)
    assert not any(parity.holds for parity in logits_parity(-logits, logits, exact=True))
    (dice,) = labels_parity(np.array([0, 1, 1, 2]), np.array([0, 1, 1, 1]), limit=0.5)
    assert dice.value == pytest.approx(1 - 0.8), "the background, which is easy, does not count"
    assert labels_parity(np.array([0, 1]), np.zeros(2), limit=None)[0].value == pytest.approx(1 - 2 / 3)


def test_packages_that_are_missing_are_rows_with_the_line_that_installs_them(monkeypatch):
    for module in ("network", "whole_volume", "heat_map", "resample", "memory", "surface_distance"):
        place = f"MedSegAI.Logic.bench.measures.{module}.is_installed"
        monkeypatch.setattr(place, lambda *packages: False, raising=False)
    monkeypatch.setattr(contestants, "is_installed", lambda *packages: False)
    monkeypatch.setattr(contestants, "_choices", lambda conditions: [contestants.EngineChoice.TORCH])
    wanted = {NetworkForward: MONAI, WholeVolume: NNUNET, HeatMapOfWindow: CAPTUM, Resample: MONAI_SPACING}
    for kind, name in wanted.items():
        measure = kind()
        with measure.prepare(measure.cases(QUICK)[0], QUICK) as contest:
            assert "not installed: pip install " in contest.absent[name]
            if measure.uses_network and name != MONAI:
                continue
            rounds = Rounds(contest, clock=ProcessorClock())
            rounds.run(1, stage=measure.name, reporter=SilentReporter())
            assert all(one.absent or one.readings for one in rounds.contestants())


def test_nnunet_is_measured_only_where_it_is_installed(monkeypatch):
    if is_installed("nnunetv2"):
        pytest.skip("nnU-Net is installed here")
    monkeypatch.setattr(contestants, "_choices", lambda conditions: [contestants.EngineChoice.TORCH])
    measure = WholeVolume()
    with measure.prepare(measure.cases(QUICK)[0], QUICK) as contest:
        assert contest.absent[NNUNET] == NO_NNUNET == "not installed: pip install nnunetv2"


def test_on_a_gpu_monai_has_half_precision_too(monkeypatch):
    """The meta device stands for the GPU: it has no memory, but knows what may be computed where."""
    pytest.importorskip("monai")
    on_gpu = Conditions(device=DeviceChoice.CUDA)
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, device: self)
    with untrained_model(feature_size=12, classes=3, window=(64, 32, 32)) as model:
        assert {MONAI, MONAI_AUTOCAST} <= set(monai_predictions(model, on_gpu))


def test_the_head_around_the_left_hippocampus_is_shown_as_the_model_wants_it():
    model = find_model("hippocampus-mr")
    image = part_of_a_head(model, (64, 128, 64))
    assert image.shape == (1, 64, 128, 64)
    assert image.dtype == np.float32
    assert abs(float(image.mean())) < 0.5
    assert 0.5 < float(image.std()) < 1.5


# Fresh processes


@pytest.fixture
def tiny_run(tmp_path):
    image = np.random.default_rng(0).normal(size=(1, 64, 32, 48)) * 100
    np.save(tmp_path / "image.npy", image.astype(np.int16))
    with untrained_model(feature_size=12, classes=3, window=(64, 32, 32)) as model:
        yield FreshRun("ours", str(model.folder), str(tmp_path / "image.npy"), str(tmp_path / "labels.npy"), threads=1)


def test_a_run_in_a_fresh_process_gives_its_labels_and_its_memory(tiny_run):
    own = run_apart(tiny_run)
    assert own.answer.shape == (64, 32, 48)
    assert set(np.unique(own.answer)) <= {0, 1, 2}
    assert 5 < own.reading.of(Unit.PEAK_MEMORY) < 1000
    assert own.reading.cpu_seconds > 0


def test_monai_in_the_same_process_gives_the_same_labels(tiny_run, capsys):
    pytest.importorskip("monai")
    theirs = replace(tiny_run, scheme="monai", labels=tiny_run.labels.replace("labels", "theirs"))
    assert main([json.dumps(asdict(tiny_run))]) == main([json.dumps(asdict(theirs))]) == 0
    assert capsys.readouterr().out.count('"mebibytes"') == 2
    assert np.mean(np.load(tiny_run.labels) == np.load(theirs.labels)) > 0.999


def test_a_process_that_fails_is_told_with_its_last_words(tiny_run):
    with pytest.raises(WorkerError, match=r"ended with 1: .*is not a complete model folder"):
        run_apart(replace(tiny_run, model="/nowhere"))


def test_memory_at_its_height_is_seen_after_it_was_given_back():
    memory = PeakMemory()
    np.ones(200_000_000, np.uint8)
    assert 100e6 < memory.grown() < 300e6


def test_memory_is_measured_once_and_without_warming_up(monkeypatch):
    """Two fresh processes take seconds; how they are put against each other is shown with one."""
    monkeypatch.setattr("MedSegAI.Logic.bench.measures.memory.is_installed", lambda *packages: False)
    measure = PeakMemoryOfVolume()
    case = memory_case(MemoryVolume((64, 32, 48), (64, 32, 32), 3))
    with measure.prepare(case, FULL) as contest:
        assert set(contest.actions) == {TORCH}
        assert MONAI in contest.absent
        assert contest.parity({TORCH: np.zeros(3)}) == {}
        both = {TORCH: np.array([0, 1, 1]), MONAI: np.array([0, 1, 1])}
        assert contest.parity(both)[TORCH][0].holds


# Waiting


def test_a_click_goes_through_a_warm_worker_and_finds_the_nodule():
    measure = Click()
    assert measure.unit is Unit.WALL_SECONDS
    with measure.prepare(Case("64 cubed", 64), FULL) as contest:
        rounds = Rounds(contest, clock=ProcessorClock())
        rounds.run(1, stage="click", reporter=SilentReporter())
        (click,) = rounds.contestants()
    assert click.parity[0].value < 0.3, "Dice with the ball is above 0.7"
    assert click.readings[0].wall_seconds > click.readings[0].cpu_seconds >= 0, "the worker computes, not this process"


def test_a_window_of_each_shipped_model_is_measured(monkeypatch):
    monkeypatch.setattr(contestants, "_choices", lambda conditions: [contestants.EngineChoice.TORCH])
    measure = WindowLatency()
    cases = measure.cases(FULL)
    assert {case.name for case in cases} >= {"hippocampus-mr, 64 x 64 x 64", "lung-nodule-ct, 64 x 64 x 64"}
    own = next(case for case in cases if case.name == "hippocampus-mr, 32 x 64 x 32")
    with measure.prepare(own, FULL) as contest:
        assert contest.actions[TORCH]().shape == (1, 3, 32, 64, 32)
        assert contest.parity({}) == {}


def test_where_monai_is_missing_the_heat_map_has_no_reference_and_is_still_measured(monkeypatch):
    monkeypatch.setattr("MedSegAI.Logic.bench.measures.heat_map.is_installed", lambda *packages: False)
    measure = HeatMapOfWindow()
    with measure.prepare(measure.cases(QUICK)[0], QUICK) as contest:
        assert contest.reference == MONAI_PLUS_PLUS
        assert contest.reference in contest.absent
        assert contest.parity({}) == {}
