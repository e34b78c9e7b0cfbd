"""Results as files: what was read from the scene is written whole, corrections included."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Session.exports import heat_map_writer, segmentation_writer, volumes_writer
from Testing.Session.conftest import work_through


def test_the_segmentation_is_written_on_the_scans_grid_with_its_record(a_segmented_crop, tmp_path):
    segmentation_writer(a_segmented_crop)(tmp_path / "result.seg.nrrd")
    written = read_segmentation(tmp_path / "result.seg.nrrd")
    assert written.labels.grid.same_frame(node_to_volume(a_segmented_crop.scan).grid)
    assert written.provenance.model == "hippocampus-mr"
    counts = {label.key: int((written.labels.array == label.value).sum()) for label in written.table}
    assert counts == {row.key: row.voxels for row in a_segmented_crop.rows}


def test_the_heat_map_is_written_as_it_is_shown(a_segmented_crop, tmp_path):
    a_segmented_crop.start_explain()
    work_through(a_segmented_crop)
    heat_map_writer(a_segmented_crop)(tmp_path / "heat.nrrd")
    assert np.array_equal(read_volume(tmp_path / "heat.nrrd").array, node_to_volume(a_segmented_crop.heat_map).array)


def test_the_volumes_are_those_of_the_table(a_segmented_crop, tmp_path):
    volumes_writer(a_segmented_crop)(tmp_path / "volumes.csv")
    rows = list(csv.DictReader((tmp_path / "volumes.csv").open()))
    assert {row["key"]: row["volume_ml"] for row in rows} == {
        row.key: f"{row.volume_ml:.3f}" for row in a_segmented_crop.rows
    }


@pytest.mark.parametrize("writer", [segmentation_writer, heat_map_writer, volumes_writer])
def test_where_there_is_nothing_a_sentence_says_so(a_session_with_a_crop, writer):
    with pytest.raises(InputError, match="There is no"):
        writer(a_session_with_a_crop)
