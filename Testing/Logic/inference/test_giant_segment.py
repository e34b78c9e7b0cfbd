"""A scan that stays in its file, with labels in another: the same result as in memory, and nothing held whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import MedSegAI.Logic.inference.plan as plan_module
import MedSegAI.Logic.inference.windows as windows_module
from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.planes.open_planes import open_planes
from MedSegAI.Logic.files.planes.planes_array import on_disk
from MedSegAI.Logic.files.write import write_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.mapped_labels import MappedLabels
from MedSegAI.Logic.inference.recent_planes import RecentPlanes
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings
from MedSegAI.Logic.volume import Volume
from Testing.Logic.inference.test_shown_parts import (
    AS_IT_IS,
    PERMUTED,
    UPSIDE_DOWN,
    ThresholdEngine,
    Watching,
    a_model,
    a_scan,
)


def run(scan: Volume, model: Model, **options: object):
    given = {"settings": RunSettings(), "reporter": SilentReporter(), "engine": ThresholdEngine()} | options
    return segment(scan, model, **given)


def in_a_file(scan: Volume, folder: Path) -> Volume:
    write_volume(folder / "scan.nrrd", scan)
    return on_disk(open_planes(folder / "scan.nrrd"))


@pytest.mark.parametrize("components", ["all", "without-islands"])
@pytest.mark.parametrize("direction", [AS_IT_IS, UPSIDE_DOWN, PERMUTED])
def test_the_labels_are_those_of_the_scan_in_memory(tmp_path, direction, components):
    scan, model = a_scan(direction), a_model(components=components)
    expected = run(scan, model)
    watching = Watching(scan.grid.shape)
    found = run(in_a_file(scan, tmp_path), model, room=tmp_path, show=watching)
    np.testing.assert_array_equal(found.labels.array, expected.labels.array)
    np.testing.assert_array_equal(watching.labels, expected.labels.array)
    assert found.labels.grid == scan.grid
    assert found.changed == expected.changed
    assert [path.name for path in tmp_path.iterdir()] == ["scan.nrrd"]


@pytest.mark.parametrize("choice", [ConfidenceChoice.PER_LABEL, ConfidenceChoice.PER_VOXEL])
def test_so_is_the_confidence(tmp_path, choice):
    scan, settings = a_scan(UPSIDE_DOWN), RunSettings(confidence=choice)
    expected = run(scan, a_model(), settings=settings)
    found = run(in_a_file(scan, tmp_path), a_model(), settings=settings, room=tmp_path)
    assert found.label_confidence == expected.label_confidence
    if choice is ConfidenceChoice.PER_VOXEL:
        np.testing.assert_array_equal(found.confidence.array, expected.confidence.array)


def test_a_large_region_is_prepared_ahead_and_gives_the_same(monkeypatch):
    scan, model = a_scan(AS_IT_IS), a_model()
    expected = run(scan, model)
    monkeypatch.setattr(plan_module, "PREPARED_AHEAD_FROM_BYTES", 0)
    np.testing.assert_array_equal(run(scan, model).labels.array, expected.labels.array)


def test_windows_of_air_are_passed_over_ahead_as_well(tmp_path):
    class CountingEngine(ThresholdEngine):
        windows = 0

        def predict(self, windows: np.ndarray) -> np.ndarray:
            self.windows += len(windows)
            return super().predict(windows)

    scan = a_scan(AS_IT_IS)
    scan.array[20:] = -1
    model = a_model()
    spared = dataclasses.replace(model, card=dataclasses.replace(model.card, skip_below=-0.5))
    all_of_them, engine = CountingEngine(), CountingEngine()
    expected = run(scan, model, engine=all_of_them)
    found = run(in_a_file(scan, tmp_path), spared, engine=engine, room=tmp_path)
    np.testing.assert_array_equal(found.labels.array, expected.labels.array)
    assert 0 < engine.windows < 0.7 * all_of_them.windows


def test_labels_in_a_file_can_be_let_go_of_and_are_still_there(tmp_path):
    labels = MappedLabels(tmp_path, (4, 5, 6))
    assert not labels.array.any()
    labels.array[2] = 7
    labels.release()
    assert (labels.array[2] == 7).all()
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_room_a_sentence_says_so(tmp_path):
    with pytest.raises(StorageError):
        MappedLabels(tmp_path / "missing", (4, 5, 6))


def test_of_planes_that_were_forgotten_nothing_is_left():
    planes = RecentPlanes((9, 2, 3), np.uint8)
    for k in range(5):
        planes[k] = np.full((2, 3), k)
    planes.forget_below(3)
    np.testing.assert_array_equal(planes.planes(3, 5)[:, 0, 0], [3, 4])
    with pytest.raises(KeyError):
        planes.planes(2, 4)


def test_memory_stays_flat_however_many_planes_there_are(tmp_path, monkeypatch):
    import tracemalloc

    monkeypatch.setattr(windows_module, "PREPARED_AT_ONCE_BYTES", 16 * 48 * 40 * 4)

    def peak(planes: int) -> int:
        scan = Volume(np.ones((planes, 48, 40), np.int16), Grid((planes, 48, 40)), a_scan(AS_IT_IS).modality)
        stored = in_a_file(scan, tmp_path)
        del scan
        tracemalloc.start()
        run(stored, a_model(), room=tmp_path, settings=RunSettings(overlap=0.0))
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(32)
    assert peak(400) < 1.3 * peak(100)
