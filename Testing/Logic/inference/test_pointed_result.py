"""Points that are clicked one after the other end as one segmentation with one record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Logic.inference.engines.open import open_torch_engine
from MedSegAI.Logic.inference.pointed_regions import scans_near
from MedSegAI.Logic.inference.pointed_result import (
    already_there,
    giving_way,
    joined_record,
    next_number,
    numbered,
    point_of,
    points_of,
    seen_around,
    without_points,
)
from MedSegAI.Logic.inference.scans import scans_for
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice, DeviceChoice, RunSettings
from MedSegAI.Logic.volume import Volume
from Testing.pointed_model import a_chest, install_pointed_model, pointed_card

FIRST, SECOND = (10.0, 5.0, 3.0), (-20.0, -10.0, -8.0)
CHEST, CARD = a_chest((FIRST, 6.0), (SECOND, 4.0)), pointed_card()


@pytest.fixture(scope="module")
def clicked(tmp_path_factory):
    """The results of two clicks, each made on a cut of the scan."""
    model = install_pointed_model(tmp_path_factory.mktemp("models"))
    engine = open_torch_engine(model, device=DeviceChoice.CPU, reporter=SilentReporter())
    found = []
    for point in (FIRST, SECOND):
        near = scans_near(scans_for(CHEST, CARD), CARD, point)
        settings = RunSettings(points=(point,), device="cpu", confidence=ConfidenceChoice.PER_LABEL)
        found.append(segment(near, model, settings=settings, reporter=SilentReporter(), engine=engine))
    return found


def test_the_second_click_is_called_by_the_second_number(clicked):
    second = numbered(clicked[1], CARD, number=2)
    (label,) = second.table
    assert (label.value, label.key, label.name) == (2, "lung_nodule_2", "Lung nodule 2")
    assert set(np.unique(second.labels.array)) == {0, 2}
    assert list(second.label_confidence) == ["lung_nodule_2"]
    (region,) = second.provenance.regions
    assert region.labels == ((1, 2),) and region.name == "lung nodule 2"


def test_the_joined_record_is_that_of_one_run_on_the_whole_scan(clicked):
    first = joined_record(None, clicked[0].provenance, grid=CHEST.grid)
    both = joined_record(first, numbered(clicked[1], CARD, number=2).provenance, grid=CHEST.grid)
    assert both.grid_shape == CHEST.grid.shape
    assert [region.labels for region in both.regions] == [((1, 1),), ((1, 2),)]
    assert points_of(both) == [list(FIRST), list(SECOND)]
    assert (point_of(both, 2), point_of(both, 3)) == (SECOND, None)
    assert (next_number(None, CARD), next_number(both, CARD)) == (1, 3)
    left = without_points(both, [1])
    assert points_of(left) == [list(SECOND)] and next_number(left, CARD) == 3
    assert next_number(without_points(left, [2]), CARD) == 1
    case = scans_for(CHEST, CARD)
    near, record = seen_around(case, CARD, both, 2)
    assert record.grid_shape == near.on.grid.shape != CHEST.grid.shape
    assert seen_around(case, CARD, both, 9) == (case, both)


def test_a_structure_that_is_there_already_is_recognised(clicked):
    found = clicked[0].labels
    known = found.with_array(np.where(found.array > 0, 7, 0).astype(np.uint8))
    assert already_there(found, known) == 7
    known.array[:, :, : known.array.shape[2] // 2] = 0
    touching = np.zeros_like(found.array)
    edge = np.argwhere(found.array)[0]
    touching[edge[0] - 6 : edge[0] + 1, edge[1] - 3 : edge[1] + 4, edge[2] - 3 : edge[2] + 4] = 3
    assert already_there(found, found.with_array(touching)) is None
    assert already_there(found, found.with_array(np.zeros_like(found.array))) is None


def test_a_neighbour_keeps_its_voxels(clicked):
    result = clicked[0]
    known = np.zeros_like(result.labels.array)
    known[: known.shape[0] // 2] = 4
    left = giving_way(result, replace(result.labels, array=known))
    assert not left.labels.array[: known.shape[0] // 2].any()
    np.testing.assert_array_equal(left.labels.array[known.shape[0] // 2 :], result.labels.array[known.shape[0] // 2 :])
    assert isinstance(left.labels, Volume)
