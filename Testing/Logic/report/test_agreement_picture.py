"""The picture of a place shows every rater's outline in the rater's colour."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.report.agreement_picture import RATER_COLOURS, disagreement_picture, outline_styles
from MedSegAI.Logic.volume import Volume


def pixels_of(png: bytes, colour: str) -> int:
    """Pixels close to a colour such as "#56b4e9"."""
    array = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    wanted = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)])
    return int((np.abs(array - wanted).max(-1) < 40).sum())


@pytest.fixture
def scan(ratings) -> Volume:
    array = np.random.default_rng(0).normal(100, 20, ratings.grid.shape).astype(np.float32)
    return Volume(array, ratings.grid, name="scan")


@pytest.mark.parametrize("shown", ["scan", "votes"])
def test_every_rater_is_outlined(ratings, agreement, scan, shown):
    png = disagreement_picture(ratings, agreement.places[0], scan=scan if shown == "scan" else None)
    assert all(pixels_of(png, colour) > 100 for colour in RATER_COLOURS[:3])
    assert pixels_of(png, RATER_COLOURS[4]) < 20, "there is no fifth rater"


def test_the_consensus_is_outlined_in_white(ratings, agreement, scan, consensus):
    without = disagreement_picture(ratings, agreement.places[0], scan=scan)
    with_it = disagreement_picture(ratings, agreement.places[0], scan=scan, consensus=consensus)
    assert pixels_of(with_it, "#ffffff") > pixels_of(without, "#ffffff") + 200


def test_what_a_rater_drew_without_looking_is_not_outlined(ratings, agreement, scan):
    blind = np.zeros(ratings.grid.shape, bool)
    first, *others = ratings.ratings
    ratings = Ratings(ratings.grid, ratings.table, (Rating(first.rater, first.labels, blind), *others))
    png = disagreement_picture(ratings, agreement.places[0], scan=scan)
    assert pixels_of(png, RATER_COLOURS[0]) < 20 < pixels_of(png, RATER_COLOURS[1])


def test_a_scan_of_somewhere_else_is_refused(ratings, agreement):
    elsewhere = Volume(np.zeros((5, 5, 5), np.float32), Grid((5, 5, 5), (1, 1, 1), (900, 900, 900)), name="knee")
    with pytest.raises(InputError, match="outside 'knee'"):
        disagreement_picture(ratings, agreement.places[0], scan=elsewhere)


def test_a_scan_that_ends_beside_the_place_is_shown_for_as_far_as_it_goes(ratings, agreement, scan):
    place = agreement.places[0]
    near = scan.crop(place.box)
    assert pixels_of(disagreement_picture(ratings, place, scan=near), RATER_COLOURS[2]) > 0


def test_more_than_eight_raters_are_told_apart_by_their_lines():
    styles = outline_styles(tuple(f"R{n}" for n in range(20)))
    assert len(set(styles.values())) == 20
    assert styles["R8"] == (RATER_COLOURS[0], "dashed")
