"""A run that a panel polls: on a real scene, with a real worker process and a small untrained network."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")

from MedSegAI.Bridge.scene import OpenScene, new_scene
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, read_provenance
from MedSegAI.Bridge.volume_nodes import node_to_volume, volume_to_node
from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model, read_model
from MedSegAI.Logic.models.weights import build_network, save_model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from MedSegAI.Logic.volume import Modality, Volume
from MedSegAI.Logic.worker.runner import InlineRunner, SubprocessRunner
from MedSegAI.Widgets.segmentation_run import RunStatus, SegmentationRun

CARD = Path(__file__).resolve().parents[2] / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
PATIENCE_SECONDS = 300


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    import torch

    card = dataclasses.replace(ModelCard.from_json(CARD.read_text()), localiser=None, name="untrained")
    torch.manual_seed(5)
    folder = tmp_path_factory.mktemp("models") / "untrained"
    save_model(folder, card, state=build_network(card.network, card.network_arguments).state_dict())
    return read_model(folder)


@pytest.fixture(scope="module")
def worker() -> Iterator[SubprocessRunner]:
    with SubprocessRunner() as runner:
        yield runner


@pytest.fixture
def open_scene() -> OpenScene:
    return new_scene()


@pytest.fixture
def scan(open_scene: OpenScene):
    noise = np.random.default_rng(1).normal(100, 30, (30, 34, 38)).astype(np.float32)
    return volume_to_node(Volume(noise, Grid(noise.shape), Modality.MR, name="head"), open_scene.mrml)


def finished(run: SegmentationRun) -> SegmentationRun:
    """Poll as the panel's timer does, until the end."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not run.poll(timeout=0.01):
        assert time.monotonic() < deadline, "the run does not end"
    return run


def test_the_result_is_a_new_segmentation_beside_its_scan(worker, scan, small_model):
    node = finished(SegmentationRun(worker, scan, model=small_model)).finish()
    expected = segment(node_to_volume(scan), small_model, settings=RunSettings(), reporter=SilentReporter())
    labels, table = node_to_segmentation(node)
    np.testing.assert_array_equal(labels.array, expected.labels.array)
    assert [label.name for label in table] == [label.name for label in expected.table]
    assert node.GetName() == "head segmentation"
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is scan
    assert read_provenance(node).model == "untrained"


def test_a_second_run_overwrites_the_segmentation_that_was_chosen(worker, scan, small_model):
    first = finished(SegmentationRun(worker, scan, model=small_model)).finish()
    before = read_provenance(first)
    changed = node_to_volume(scan).array
    changed[...] = changed[::-1].copy()
    second = finished(SegmentationRun(worker, scan, model=small_model, output=first)).finish()
    assert second is first
    expected = segment(node_to_volume(scan), small_model, settings=RunSettings(), reporter=SilentReporter())
    np.testing.assert_array_equal(node_to_segmentation(second)[0].array, expected.labels.array)
    assert read_provenance(second).created >= before.created


def test_the_panel_sees_how_far_the_work_is(worker, scan, small_model):
    run = finished(SegmentationRun(worker, scan, model=small_model))
    assert run.status.percent == 100
    assert run.status.messages, "the memory plan is told"


def test_a_cancelled_run_leaves_the_scene_as_it_was(worker, scan, small_model):
    run = SegmentationRun(worker, scan, model=small_model)
    run.cancel()
    with pytest.raises(Cancelled):
        finished(run).finish()
    assert scan.GetScene().GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_a_scan_that_was_closed_meanwhile_is_told_in_a_sentence(open_scene, scan, small_model):
    run = SegmentationRun(InlineRunner(), scan, model=small_model)
    open_scene.mrml.RemoveNode(scan)
    with pytest.raises(InputError, match="closed while it was segmented"):
        finished(run).finish()


def test_the_status_counts_and_remembers():
    status = RunStatus()
    assert (status.percent, status.text, status.cancelled()) == (0, "Starting", False)
    status.progress(1, 4, "segmenting the left side")
    assert (status.percent, status.text) == (25, "Segmenting the left side")
    status.message("The plan needs 1 GB.")
    assert (status.text, status.messages) == ("The plan needs 1 GB.", ["The plan needs 1 GB."])
