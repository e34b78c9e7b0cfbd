"""Each task gives in a worker process what it gives here; several scans and prepared ones cross the border by name."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from MedSegAI.Logic.align.move import moved
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.models.weights import build_network, save_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.standardise.catalogue import step_from_text
from MedSegAI.Logic.volume import Modality, Volume
from MedSegAI.Logic.worker import kept_arrays
from MedSegAI.Logic.worker.handover import put_scans, take_scans
from MedSegAI.Logic.worker.runner import InlineRunner, SubprocessRunner

QUIET = SilentReporter()
SETTINGS = RunSettings(device="cpu")
SHAPE = (32, 36, 32)


@pytest.fixture(scope="module")
def runners():
    with InlineRunner() as here, SubprocessRunner() as there:
        yield here, there


@pytest.fixture(scope="module")
def a_model(tmp_path_factory, repository_root) -> Model:
    """Two inputs, of which the second may be missing, with random weights."""
    template = repository_root / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
    card = ModelCard.from_json(template.read_text(encoding="utf-8"))
    second = dataclasses.replace(card.inputs[0], name="T2", optional=True)
    arguments = {**card.network_arguments, "in_channels": 2}
    changes = {"inputs": (card.inputs[0], second), "network_arguments": arguments, "window": (32, 64, 32)}
    card = dataclasses.replace(card, **changes, localiser=None, components="all")
    torch.manual_seed(3)
    state = build_network(card.network, card.network_arguments).state_dict()
    return save_model(tmp_path_factory.mktemp("models") / "two-inputs", card, state=state)


def a_scan(seed: int, name: str) -> Volume:
    coarse = np.random.default_rng(seed).normal(size=(8, 9, 8))
    array = np.kron(coarse, np.ones((4, 4, 4))).astype(np.float32) * 100
    return Volume(array, Grid(SHAPE), Modality.MR, name=name)


@pytest.fixture(scope="module")
def scans() -> InputScans:
    return InputScans({"T2": a_scan(2, "a T2"), "T1": a_scan(1, "a T1")}, "T1")


def test_scans_cross_the_border_by_name_with_their_reference(scans, tmp_path):
    taken = take_scans(put_scans(scans, tmp_path), keep_mapped=True)
    assert (list(taken.by_name), taken.reference) == (["T2", "T1"], "T1")
    for name, scan in scans.by_name.items():
        np.testing.assert_array_equal(taken.by_name[name].array, scan.array)
    alone = take_scans(put_scans(scans.on, tmp_path), keep_mapped=False)
    np.testing.assert_array_equal(alone.array, scans.on.array)


def test_several_scans_are_segmented_and_explained_alike_here_and_there(runners, scans, a_model):
    results = [runner.segment(scans, model=a_model, settings=SETTINGS, reporter=QUIET) for runner in runners]
    np.testing.assert_array_equal(results[0].labels.array, results[1].labels.array)
    assert results[0].provenance.inputs == results[1].provenance.inputs
    target = int(results[0].labels.array.max())
    options = {"model": a_model, "target": target, "settings": SETTINGS, "reporter": QUIET}
    maps = [runner.explain(scans, result, **options) for runner, result in zip(runners, results)]
    np.testing.assert_array_equal(maps[0].array, maps[1].array)


def test_a_result_grows_alike_here_and_there_to_what_it_is_in_the_end(runners, scans, a_model):
    tall = {name: dataclasses.replace(each, array=np.tile(each.array, (3, 1, 1)), grid=Grid((96, *SHAPE[1:])))
            for name, each in scans.by_name.items()}  # fmt: skip
    for runner in runners:
        grown, boxes = np.zeros((96, *SHAPE[1:]), np.uint8), []

        def show(box, labels, grown=grown, boxes=boxes):
            grown[box.slices] = labels
            boxes.append(box)

        options = {"model": a_model, "settings": SETTINGS, "reporter": QUIET}
        result = runner.start_segment(InputScans(tall, "T1"), **options, show=show).wait()
        assert len(boxes) >= 1
        known = max(box.stop[0] for box in boxes)
        np.testing.assert_array_equal(grown[:known], result.labels.array[:known])


def test_a_lone_scan_is_the_first_input_where_the_others_may_be_missing(runners, scans, a_model):
    for runner in runners:
        result = runner.segment(scans.by_name["T1"], model=a_model, settings=SETTINGS, reporter=QUIET)
        assert [record.scan for record in result.provenance.inputs] == ["a T1", None]


def test_a_scan_is_brought_into_shape_alike_with_its_records_and_what_was_found_beside(runners, scans):
    steps = tuple(step_from_text(text) for text in ("n4:shrink=2", "z-score"))
    done = [runner.start_standardise(scans.on, steps, reporter=QUIET).wait() for runner in runners]
    # N4 adds up in the order in which its threads finish; over steps as large as these the values span 3.
    np.testing.assert_allclose(done[0].volume.array, done[1].volume.array, atol=1e-3)
    assert [record.step for record in done[1].volume.steps] == ["n4", "z-score"]
    assert done[0].volume.steps[1].settings == done[1].volume.steps[1].settings
    assert list(done[0].extras) == list(done[1].extras) != []
    assert [one.undo for one in done] == [None, None]


def test_a_step_that_refuses_says_why_from_there_too(runners, scans):
    for runner in runners:
        with pytest.raises(InputError, match="a T1"):
            runner.start_standardise(scans.on, (step_from_text("suv"),), reporter=QUIET).wait()


def test_a_scan_that_the_worker_has_already_is_not_written_again(runners, scans, monkeypatch):
    there = runners[1]
    step = (step_from_text("z-score"),)
    first = there.start_standardise(scans.on, step, reporter=QUIET).wait()
    writing = []
    monkeypatch.setattr(kept_arrays, "write_array", lambda path, *_, **__: writing.append(path))
    again = there.start_standardise(scans.on, step, reporter=QUIET).wait()
    assert writing == []
    np.testing.assert_array_equal(again.volume.array, first.volume.array)


def test_scans_are_aligned_alike_and_the_record_says_how(runners, scans):
    reference = scans.on
    grid = dataclasses.replace(reference.grid, origin=(3.0, -2.0, 1.0))
    shifted = dataclasses.replace(reference, grid=grid, name="shifted")
    found = [runner.start_align(shifted, reference=reference, reporter=QUIET).wait() for runner in runners]
    assert found[0] == found[1]
    np.testing.assert_allclose(moved(shifted, found[1], reference=reference).grid.origin, (0, 0, 0), atol=0.5)
