"""The reference of a nodule is what its radiologists agree on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from MedSegAI.Logic.evaluation.luna16.references import ReferenceKind, ball_references, outline_references
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.files.lidc_outlines import LidcOutlines
from MedSegAI.Logic.files.luna16 import Luna16Nodule, read_luna16
from MedSegAI.Logic.geometry import Box
from Testing.tiny_luna16 import NO_NODULE, SCANS, TURNED, TWO_NODULES, ball_mask


@pytest.fixture(scope="module")
def outlines(luna16) -> LidcOutlines:
    return LidcOutlines(luna16.outlines)


def nodules_of(luna16, series: str) -> tuple[Luna16Nodule, ...]:
    return read_luna16(luna16.folder, folds=(0, 1)).nodules.get(series, ())


def scan_of(series: str):
    return next(scan for scan in SCANS if scan.series == series)


@pytest.mark.parametrize("kind", [ReferenceKind.STAPLE, ReferenceKind.MAJORITY])
def test_the_consensus_is_near_the_true_ball(luna16, outlines, kind):
    scan = scan_of(TWO_NODULES)
    grid = scan.volume.grid
    found = outline_references(nodules_of(luna16, scan.series), outlines.readings_of(scan.series), grid, kind=kind)
    assert [reference.readers for reference in found.nodules] == [4, 3]
    assert found.without == ()
    assert len(found.marked) == 7
    for ball, reference in zip(scan.balls, found.nodules):
        truth = ball_mask(ball, grid, ball.radius)
        assert dice(reference.placed.within(Box.whole(grid.shape)), truth) > 0.9
        assert reference.nodule.centre_lps == pytest.approx(ball.centre_lps)


def test_majority_of_four_needs_three(luna16, outlines):
    """Radii -0.6, 0, 0.2 and 0.6 mm off: three readers include the ball itself, and none of the larger ones does."""
    scan = scan_of(TURNED)
    grid = scan.volume.grid
    found = outline_references(
        nodules_of(luna16, TURNED), outlines.readings_of(TURNED), grid, kind=ReferenceKind.MAJORITY
    )
    mask = found.nodules[0].placed.within(Box.whole(grid.shape))
    np.testing.assert_array_equal(mask, ball_mask(scan.balls[0], grid, scan.balls[0].radius))


def test_a_nodule_with_two_readers_has_no_reference(luna16, outlines):
    nodules = nodules_of(luna16, TURNED)
    found = outline_references(
        nodules, outlines.readings_of(TURNED), scan_of(TURNED).volume.grid, kind=ReferenceKind.STAPLE
    )
    assert [reference.nodule for reference in found.nodules] == [nodules[0]]
    assert found.without == (nodules[1],)
    assert len(found.marked) == 4 + 2


def test_outlines_far_from_every_annotated_centre_belong_to_none(luna16, outlines):
    grid = scan_of(TWO_NODULES).volume.grid
    nodules = nodules_of(luna16, TWO_NODULES)
    x, y, z = nodules[0].centre_lps
    moved = (dataclasses.replace(nodules[0], centre_lps=(x + 8.0, y, z)), nodules[1])
    found = outline_references(moved, outlines.readings_of(TWO_NODULES), grid, kind=ReferenceKind.STAPLE)
    assert [nodule.name for nodule in found.without] == [nodules[0].name]


def test_of_more_than_four_outlines_the_nearest_count(luna16, outlines):
    grid = scan_of(TWO_NODULES).volume.grid
    readings = outlines.readings_of(TWO_NODULES)
    twice = (*readings, *readings)
    found = outline_references(nodules_of(luna16, TWO_NODULES), twice, grid, kind=ReferenceKind.STAPLE)
    assert [reference.readers for reference in found.nodules] == [4, 4]


def test_a_scan_without_annotated_nodules_still_has_what_a_reader_marked(luna16, outlines):
    found = outline_references(
        (), outlines.readings_of(NO_NODULE), scan_of(NO_NODULE).volume.grid, kind=ReferenceKind.STAPLE
    )
    assert (found.nodules, found.without, len(found.marked)) == ((), (), 1)


@pytest.mark.parametrize("series", [TWO_NODULES, TURNED])
def test_balls_stand_where_the_table_says(luna16, series):
    scan = scan_of(series)
    grid = scan.volume.grid
    found = ball_references(nodules_of(luna16, series), grid)
    for ball, reference in zip(scan.balls, found.nodules):
        mask = reference.placed.within(Box.whole(grid.shape))
        np.testing.assert_array_equal(mask, ball_mask(ball, grid, ball.radius))
        assert reference.readers == 0


def test_a_ball_outside_the_scan_is_no_reference():
    grid = scan_of(TURNED).volume.grid
    far = Luna16Nodule("x/1", (500.0, 0.0, 0.0), 6.0)
    assert ball_references((far,), grid).without == (far,)
