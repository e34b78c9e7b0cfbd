"""Plots are SVG that any program can read, to scale."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from MedSegAI.Logic.agreement.bootstrap import Estimate
from MedSegAI.Logic.report.agreement_plots import Bar, bars_svg, shade

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*bars: Bar, **settings) -> ElementTree.Element:
    return ElementTree.fromstring(bars_svg(bars, title="Test & try", **settings))


def test_a_bar_is_as_long_as_its_figure_and_its_interval_lies_on_it():
    half, whole = drawn(Bar("A", Estimate(0.5, 0.4, 0.6), "#111111"), Bar("B", Estimate(1.0), "#222222")).iter(
        f"{SVG}rect"
    )
    assert float(whole.get("width")) == pytest.approx(2 * float(half.get("width")))
    lines = [
        line for line in drawn(Bar("A", Estimate(0.5, 0.4, 0.6), "#1")).iter(f"{SVG}line") if line.get("stroke-width")
    ]
    middle = (float(lines[0].get("x1")) + float(lines[0].get("x2"))) / 2
    assert middle == pytest.approx(float(half.get("x")) + float(half.get("width")))


def test_an_undefined_figure_has_no_bar_and_one_below_zero_no_length():
    assert list(drawn(Bar("A", Estimate(None), "#1")).iter(f"{SVG}rect")) == []
    (bar,) = drawn(Bar("A", Estimate(-0.3), "#1")).iter(f"{SVG}rect")
    assert float(bar.get("width")) == 0


def test_names_are_escaped_and_long_ones_cut():
    texts = [
        text.text
        for text in drawn(Bar('<b>"Ben" & Co', Estimate(0.5), "#1"), Bar("x" * 60, Estimate(0.1), "#1")).iter(
            f"{SVG}text"
        )
    ]
    assert '<b>"Ben" & Co' in texts
    assert "x" * 21 + "…" in texts


def test_the_line_of_good_agreement_is_drawn_where_asked():
    dashed = [line for line in drawn(line_at=0.7).iter(f"{SVG}line") if line.get("stroke-dasharray")]
    assert len(dashed) == 1
    assert [line for line in drawn().iter(f"{SVG}line") if line.get("stroke-dasharray")] == []


def test_a_darker_cell_is_a_higher_figure_and_its_text_stays_readable():
    def brightness(colour: str) -> int:
        return sum(int(colour[n : n + 2], 16) for n in (1, 3, 5))

    shades = [brightness(shade(value)[0]) for value in (0.0, 0.3, 0.6, 1.0)]
    assert shades == sorted(shades, reverse=True)
    assert all(abs(brightness(a) - brightness(b)) > 250 for a, b in (shade(v) for v in (None, 0.0, 0.4, 0.6, 1.0)))
