"""Curves of a run as a picture inside a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from MedSegAI.Logic.training.curves import Curve, curves_svg


def words_of(svg: str) -> list[str]:
    return [element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("text")]


def points_of(svg: str) -> list[list[tuple[float, float]]]:
    lines = re.findall(r'polyline points="([^"]*)"', svg)
    return [[tuple(map(float, pair.split(","))) for pair in line.split()] for line in lines]


def test_a_curve_goes_right_with_the_steps_and_up_with_the_values():
    (points,) = points_of(curves_svg([Curve("Dice", [(10, 0.2), (20, 0.8), (30, 0.5)])], title="Dice"))
    assert points[0][0] < points[1][0] < points[2][0]
    assert points[1][1] < points[2][1] < points[0][1]


def test_axes_have_round_values_and_curves_their_names():
    words = words_of(curves_svg([Curve("left <1>", [(0, 0.0), (1000, 1.0)])], title="Dice"))
    assert {"0.5", "1", "200", "1000", "steps", "left <1>"} <= set(words)


@pytest.mark.parametrize(("values", "expected"), [((0.1, 10.0), {"0.2", "1", "5"}), ((1.0, 1.6), {"1", "1.2", "1.6"})])
def test_a_logarithmic_axis_has_round_values_too(values, expected):
    svg = curves_svg([Curve("loss", list(enumerate(values)))], title="Loss", logarithmic=True)
    assert expected <= set(words_of(svg))


def test_what_is_no_number_is_left_out_and_nothing_gives_nothing():
    assert curves_svg([Curve("loss", [(1, float("nan"))])], title="Loss") == ""
    assert curves_svg([], title="Loss") == ""
    (points,) = points_of(curves_svg([Curve("loss", [(1, 0.0), (2, 1.0)])], title="Loss", logarithmic=True))
    assert len(points) == 1
    assert len(points_of(curves_svg([Curve("Dice", [(1, 0.5)])], title="One point"))[0]) == 1


def test_a_step_may_be_marked():
    curve = Curve("Dice", [(0, 0.0), (10, 1.0)])
    assert "stroke-dasharray" in curves_svg([curve], title="Dice", mark=5)
    assert "stroke-dasharray" not in curves_svg([curve], title="Dice")
