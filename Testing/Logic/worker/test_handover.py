"""Volumes and results cross a process border unchanged, and only what changed is written."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from MedSegAI.Logic.errors import Cancelled, StorageError
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.provenance import Provenance
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume
from MedSegAI.Logic.worker import array_files
from MedSegAI.Logic.worker.handover import put_segmentation, put_volume, take_segmentation, take_volume

GRID = Grid((4, 5, 6), (0.7, 0.8, 1.5), (1.0, -2.0, 3.5), (0, -1, 0, 1, 0, 0, 0, 0, 1))


def through_json(plain):
    return json.loads(json.dumps(plain))


def a_scan():
    array = np.random.default_rng(0).integers(-1000, 1000, GRID.shape).astype(np.int16)
    steps = (StepRecord("offset", "Shifted by +3.2 HU.", {"tissues": ["air", "fat"]}, {"air_hu": -1003.2}),)
    return Volume(array, GRID, Modality.CT, Unit.HOUNSFIELD, "Äbdomen.nii", "1.2.3", steps, {"slices": [{"a": 1.5}]})


def a_result(*, found=True, confidence=False):
    labels = np.zeros(GRID.shape, np.uint8)
    if found:
        labels[1:3, 2, 3:5] = 2
    provenance = Provenance(
        "model", "1", "0" * 64, "torch eager", "cpu", "scan", GRID.shape, GRID.spacing,
        (LocalisedRegion("all", GRID, False, ((1, 1),)),), {"batch": 1}, 1.5, "2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    return SegmentationResult(
        Volume(labels, GRID, name="scan"),
        LabelTable((Label(2, "liver", "Liver", (0.8, 0.3, 0.2)),)),
        Volume(labels.astype(np.float16) / 2, GRID, unit=Unit.PROBABILITY) if confidence else None,
        provenance,
        Box.around(labels),
        {"liver": 0.75} if confidence else None,
    )


def assert_same_volume(one, other):
    np.testing.assert_array_equal(one.array, other.array)
    assert one.array.dtype == other.array.dtype
    for field in fields(Volume):
        if field.name != "array":
            assert getattr(one, field.name) == getattr(other, field.name), field.name


@pytest.mark.parametrize("keep_mapped", [True, False])
def test_a_volume_keeps_voxels_and_every_field(tmp_path, keep_mapped):
    taken = take_volume(through_json(put_volume(a_scan(), tmp_path, "scan")), keep_mapped=keep_mapped)
    assert_same_volume(taken, a_scan())
    assert isinstance(taken.array, np.memmap) == keep_mapped


def test_a_view_with_reversed_axes_is_handed_over_as_it_looks(tmp_path):
    scan = a_scan().with_array(a_scan().array[::-1, :, ::-1])
    assert_same_volume(take_volume(put_volume(scan, tmp_path, "scan"), keep_mapped=True), scan)


@pytest.mark.parametrize("confidence", [True, False])
@pytest.mark.parametrize("found", [True, False])
def test_a_result_survives_and_its_arrays_can_be_changed(tmp_path, found, confidence):
    result = a_result(found=found, confidence=confidence)
    taken = take_segmentation(through_json(put_segmentation(result, tmp_path)), keep_mapped=False)
    assert_same_volume(taken.labels, result.labels)
    assert (taken.table, taken.provenance, taken.changed) == (result.table, result.provenance, result.changed)
    assert taken.label_confidence == result.label_confidence
    assert (taken.confidence is None) == (not confidence)
    if confidence:
        assert_same_volume(taken.confidence, result.confidence)
    taken.labels.array[0, 0, 0] = 1


def test_only_the_changed_box_of_a_label_map_is_written(tmp_path):
    put_segmentation(a_result(), tmp_path)
    assert np.load(tmp_path / "labels.npy").shape == (2, 1, 2)


def test_a_cancel_between_planes_leaves_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(array_files, "_BYTES_AT_ONCE", 1)
    asked = []

    def after_two_planes():
        asked.append(None)
        return len(asked) > 2

    with pytest.raises(Cancelled):
        put_volume(a_scan(), tmp_path, "scan", stopped=after_two_planes)
    assert len(asked) == 3
    assert list(tmp_path.iterdir()) == []
    assert_same_volume(take_volume(put_volume(a_scan(), tmp_path, "scan"), keep_mapped=False), a_scan())


def test_a_folder_that_is_gone_is_a_sentence_and_nothing_half_written_stays(tmp_path):
    with pytest.raises(StorageError):
        put_volume(a_scan(), tmp_path / "gone", "scan")
    assert list(tmp_path.iterdir()) == []
