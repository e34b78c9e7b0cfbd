"""Volumes are counted voxels times the volume of a voxel."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.report.volumes import segment_volumes, volumes_as_csv
from MedSegAI.Logic.volume import Volume

TABLE = LabelTable((Label(1, "a", "Part, first", (1, 0, 0)), Label(2, "b", "Part two", (0, 1, 0))))


def a_label_map() -> Volume:
    array = np.zeros((10, 10, 10), np.uint8)
    array[:5] = 1
    return Volume(array, Grid((10, 10, 10), (2.0, 1.0, 0.5)))


def test_each_label_is_counted_and_an_absent_one_is_zero():
    first, second = segment_volumes(a_label_map(), TABLE)
    assert (first.voxels, second.voxels) == (500, 0)
    assert first.volume_ml == pytest.approx(0.5)


def test_the_table_quotes_names_with_commas():
    text = volumes_as_csv(segment_volumes(a_label_map(), TABLE))
    assert text.splitlines() == [
        "label,key,name,voxels,volume_ml",
        '1,a,"Part, first",500,0.500',
        "2,b,Part two,0,0.000",
    ]
