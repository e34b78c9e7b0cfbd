"""The same calls give the same results in this process and in the worker."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSegAI.Logic.errors import Cancelled, LabelError, ModelError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import build_network, save_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings
from MedSegAI.Logic.volume import Modality, Volume
from MedSegAI.Logic.worker.runner import InlineRunner, SubprocessRunner
from MedSegAI.Logic.worker.tasks.warm_up import WarmUpTask
from MedSegAI.Logic.worker.warm_models import WarmModels

SETTINGS = RunSettings(device="cpu", confidence=ConfidenceChoice.PER_VOXEL)
GRID = Grid((34, 60, 40), (1.0, 1.0, 1.0), (5.0, -7.0, 11.0), (-1, 0, 0, 0, -1, 0, 0, 0, 1))


@pytest.fixture(scope="module")
def a_model(tmp_path_factory, repository_root) -> Model:
    """The shipped model's architecture with random weights, for scans that need no localiser."""
    template = repository_root / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
    card = ModelCard.from_json(template.read_text(encoding="utf-8"))
    card = dataclasses.replace(card, localiser=None)
    torch.manual_seed(3)
    state = build_network(card.network, card.network_arguments).state_dict()
    return save_model(tmp_path_factory.mktemp("models") / "random", card, state=state)


@pytest.fixture(scope="module")
def a_scan() -> Volume:
    coarse = np.random.default_rng(5).normal(size=(5, 8, 5))
    array = np.kron(coarse, np.ones((8, 8, 8)))[tuple(map(slice, GRID.shape))].astype(np.float32) * 100
    return Volume(array, GRID, Modality.MR, name="a scan")


@pytest.fixture(scope="module", params=[InlineRunner, SubprocessRunner])
def runner(request):
    with request.param() as runner:
        yield runner


def run(runner, scan, model, *, reporter=None):
    return runner.segment(scan, model=model, settings=SETTINGS, reporter=reporter or SilentReporter())


def the_label_found(result):
    values, counts = np.unique(result.labels.array[result.labels.array > 0], return_counts=True)
    return int(values[counts.argmax()])


def test_a_segmentation_has_labels_confidence_table_and_provenance(runner, a_scan, a_model):
    reporter = SilentReporter()
    result = run(runner, a_scan, a_model, reporter=reporter)
    assert result.labels.grid == GRID
    assert result.labels.array.dtype == np.uint8
    assert result.labels.array.any()
    assert result.confidence.array.dtype == np.float16
    found = {label.key for label in result.table if np.any(result.labels.array == label.value)}
    assert found <= set(result.label_confidence)
    assert all(1 / 3 <= mean <= 1 for mean in result.label_confidence.values())
    assert result.provenance.model_sha256 == a_model.card.weights_sha256
    assert (result.provenance.engine, result.provenance.device) == ("torch eager", "cpu")
    assert [label.value for label in result.table] == [1, 2]
    assert any(message.startswith("Needs about") for message in reporter.messages)


def test_both_runners_agree_voxel_by_voxel(a_scan, a_model):
    with InlineRunner() as inline, SubprocessRunner() as apart:
        here, there = (run(runner, a_scan, a_model) for runner in (inline, apart))
        np.testing.assert_array_equal(here.labels.array, there.labels.array)
        # A process with another number of threads rounds the last bit of a sum otherwise: one step of a float16.
        np.testing.assert_allclose(here.confidence.array, there.confidence.array, rtol=2**-10)
        assert (here.changed, here.table) == (there.changed, there.table)
        options = {"model": a_model, "target": the_label_found(here), "settings": SETTINGS}
        maps = [
            runner.explain(a_scan, result, reporter=SilentReporter(), **options)
            for runner, result in ((inline, here), (apart, there))
        ]
    np.testing.assert_array_equal(maps[0].array, maps[1].array)
    assert maps[0].grid == GRID


def test_a_segmentation_read_from_a_file_can_be_explained(runner, a_scan, a_model):
    result = run(runner, a_scan, a_model)
    stored = Segmentation(result.labels, result.table, result.provenance)
    heat_map = runner.explain(
        a_scan, stored, model=a_model, target=the_label_found(result), settings=SETTINGS, reporter=SilentReporter()
    )
    assert heat_map.array.shape == GRID.shape
    assert np.isfinite(heat_map.array).all()


def test_a_label_that_is_not_there_is_refused_alike(runner, a_scan, a_model):
    result = run(runner, a_scan, a_model)
    with pytest.raises(LabelError, match="no label 'spleen'") as refused:
        runner.explain(a_scan, result, model=a_model, target="spleen", settings=SETTINGS, reporter=SilentReporter())
    assert refused.value.advice


def test_tampered_weights_are_refused_alike(runner, a_scan, a_model, tmp_path):
    for name in ("card.json", "weights.safetensors"):
        (tmp_path / name).write_bytes((a_model.folder / name).read_bytes())
    with (tmp_path / "weights.safetensors").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\xff")
    other = dataclasses.replace(a_model.card, network_arguments={**a_model.card.network_arguments, "drop_rate": 0.0})
    (tmp_path / "card.json").write_text(other.to_json(), encoding="utf-8")
    with pytest.raises(ModelError, match="changed or damaged"):
        run(runner, a_scan, Model(Path(tmp_path), other))


def test_the_second_run_finds_the_model_warm(a_scan, a_model, monkeypatch):
    import MedSegAI.Logic.inference.engines.open as opening

    loads = []
    load = opening.load_network
    monkeypatch.setattr(opening, "load_network", lambda model: loads.append(model) or load(model))
    runner = InlineRunner()
    run(runner, a_scan, a_model)
    run(runner, a_scan, a_model)
    assert len(loads) == 1
    runner.close()
    run(runner, a_scan, a_model)
    assert len(loads) == 2


def test_an_engine_that_fell_back_is_not_kept(a_model):
    models = InlineRunner()._models
    settings = dataclasses.replace(SETTINGS, engine="torch")
    first = models.engine(a_model, settings=settings, reporter=SilentReporter(), windows=1)
    first.fallbacks = ("The GPU's memory does not suffice.",)
    second = models.engine(a_model, settings=settings, reporter=SilentReporter(), windows=1)
    assert second is not first
    assert models.engine(a_model, settings=settings, reporter=SilentReporter(), windows=1) is second


def test_a_model_warmed_up_is_not_loaded_by_the_run(a_scan, a_model, monkeypatch):
    import MedSegAI.Logic.inference.engines.open as opening

    loads = []
    load = opening.load_network
    monkeypatch.setattr(opening, "load_network", lambda model: loads.append(model) or load(model))
    settings = dataclasses.replace(SETTINGS, engine="torch")
    models = WarmModels()
    WarmUpTask(a_model, settings).do(models=models, reporter=SilentReporter())
    models.segment(a_scan, a_model, settings=settings, reporter=SilentReporter())
    assert len(loads) == 1


def test_warming_up_starts_the_worker_and_the_next_job_is_its_own(a_scan, a_model):
    with SubprocessRunner() as runner:
        runner.warm_up(a_model, settings=SETTINGS)
        pid = runner.worker_pid
        assert pid is not None
        run(runner, a_scan, a_model)
        assert runner.worker_pid == pid


def test_a_model_that_cannot_be_loaded_is_told_of_by_the_first_run_not_by_the_warming_up(a_scan, a_model, tmp_path):
    broken = Model(shutil.copytree(a_model.folder, tmp_path / "broken"), a_model.card)
    (broken.folder / "weights.safetensors").write_bytes(b"")
    with SubprocessRunner() as runner:
        runner.warm_up(broken, settings=SETTINGS)
        with pytest.raises(ModelError):
            run(runner, a_scan, broken)


def test_an_inline_job_runs_in_its_first_poll_and_can_be_cancelled_before(a_scan, a_model):
    runner = InlineRunner()
    started = runner.start_segment(a_scan, model=a_model, settings=SETTINGS, reporter=SilentReporter())
    assert started.poll()
    started.cancel()
    assert started.result().labels.array.any()
    stopped = runner.start_segment(a_scan, model=a_model, settings=SETTINGS, reporter=SilentReporter())
    stopped.cancel()
    with pytest.raises(Cancelled):
        stopped.wait()


def test_a_run_is_cancelled_between_windows_alike(runner, a_scan, a_model):
    class Impatient(SilentReporter):
        def __init__(self):
            super().__init__()
            self.steps = 0

        def progress(self, done, total, stage):
            self.steps += 1

        def cancelled(self):
            return self.steps > 0

    with pytest.raises(Cancelled):
        run(runner, a_scan, a_model, reporter=Impatient())
