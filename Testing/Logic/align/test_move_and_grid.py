"""An aligned scan is moved, not resampled, and comes onto another grid only where it belongs there."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Logic.align.alignment import Alignment, AlignmentQuality, Verdict
from MedSegAI.Logic.align.move import moved, moved_grid
from MedSegAI.Logic.align.to_grid import on_grid_of
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.volume import Volume
from Testing.Logic.align.conftest import turned_about

GRID = Grid((12, 14, 16), (1.0, 1.2, 2.0), (5.0, -3.0, 2.0))
TURN = turned_about(np.array([4.0, 2.0, 8.0]), (5.0, -8.0, 20.0), (3.0, 1.0, -2.0))


def a_scan(name: str, *, frame: str = "") -> Volume:
    array = np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32)
    return Volume(array, GRID, name=name, frame_of_reference=frame)


@pytest.fixture
def an_alignment() -> Alignment:
    quality = AlignmentQuality(1.1, 1.31, 0.9, 0.95, 4.25, 0.5, Verdict.GOOD)
    return Alignment(TURN, quality, "FLAIR", "T1")


def test_a_moved_scan_keeps_its_voxels_and_lies_where_the_transform_puts_it(an_alignment: Alignment):
    reference, moving = a_scan("T1", frame="1.2.3"), a_scan("FLAIR", frame="9")
    there = moved(moving, an_alignment, reference=reference)
    assert there.array is moving.array
    assert there.frame_of_reference == "1.2.3"
    places = np.array([[0, 0, 0], [3.5, 2, 1], [11, 13, 15]])
    # A point of the reference goes to the moving scan as it was where the moved scan has the same voxel.
    np.testing.assert_allclose(TURN.apply(there.grid.lps_of(places)), moving.grid.lps_of(places), atol=1e-9)
    # So looking at it in place gives what resampling through the transform gives.
    here = resample(there, reference.grid, background=0.0).array
    np.testing.assert_allclose(here, resample(moving, GRID, background=0.0, transform=TURN).array, atol=1e-5)


def test_the_record_holds_the_whole_alignment_also_as_json(an_alignment: Alignment):
    there = moved(a_scan("FLAIR"), an_alignment, reference=a_scan("T1"))
    (record,) = there.steps
    assert Alignment.of_record(record) == an_alignment
    assert Alignment.from_plain(json.loads(json.dumps(an_alignment.to_plain()))) == an_alignment
    assert "'FLAIR' was aligned to 'T1' (good): moved by 4.2 mm" in record.sentence
    back = an_alignment.moving_to_reference.apply(an_alignment.transform.apply(np.eye(3)))
    np.testing.assert_allclose(back, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("matrix", [np.diag([1.1, 1.0, 1.0, 1.0]), np.diag([-1.0, 1.0, 1.0, 1.0])])
def test_a_transform_that_is_not_rigid_moves_no_grid(matrix: np.ndarray):
    with pytest.raises(InputError, match="not rigid"):
        moved_grid(GRID, LinearTransform(tuple(matrix.ravel())))


def test_a_moved_scan_comes_onto_the_grid_of_its_reference(an_alignment: Alignment):
    reference = a_scan("T1")
    there = on_grid_of(moved(a_scan("FLAIR"), an_alignment, reference=reference), reference)
    assert there.grid == reference.grid
    assert [record.step for record in there.steps] == ["align", "to-grid"]
    assert there.steps[1].figures["overlap"] > 0.5
    assert on_grid_of(reference, reference) is reference


def test_a_scan_of_an_unknown_space_is_not_resampled_in_silence():
    elsewhere = replace(a_scan("FLAIR"), grid=replace(GRID, origin=(6.0, -3.0, 2.0)))
    with pytest.raises(InputError, match="Nothing says that 'FLAIR' and 'T1' lie in one space"):
        on_grid_of(elsewhere, a_scan("T1"))
