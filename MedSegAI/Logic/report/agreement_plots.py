"""Plots of agreement as SVG text that stands inside a page: bars with intervals, drawn in the page's own fonts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from MedSegAI.Logic.agreement.bootstrap import Estimate
from MedSegAI.Logic.agreement.sentences import with_interval

_LEFT, _WIDTH, _RIGHT = 170, 400, 200
_ROW, _TOP, _BOTTOM = 22, 8, 26
_BAR = 12
_AXIS = "#8a949e"
_LIGHTEST, _DARKEST = (247, 251, 255), (8, 81, 156)
_LONGEST_NAME = 22


@dataclass(frozen=True)
class Bar:
    """One row of a plot: its name, its figure, and a colour such as "#0072b2"."""

    name: str
    estimate: Estimate
    colour: str


def bars_svg(bars: Sequence[Bar], *, title: str, line_at: float | None = None) -> str:
    """Horizontal bars from 0 to 1 with their intervals and figures, as an SVG element.

    Args:
        bars: From top to bottom. A figure below 0 has no bar, one that is undefined says "-".
        title: What the plot shows, for those who cannot see it.
        line_at: A dashed line, such as the border to good agreement.
    """
    height = _TOP + _ROW * len(bars) + _BOTTOM
    width = _LEFT + _WIDTH + _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">',
        *(_tick(tenth / 10, height) for tenth in range(0, 11, 2)),
        *(part for number, bar in enumerate(bars) for part in _row(bar, _TOP + _ROW * number)),
    ]
    if line_at is not None:
        x = _across(line_at)
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{_TOP - 4}" y2="{height - _BOTTOM}" stroke="#b00020" stroke-dasharray="4 3"/>'
        )
    return "\n".join([*parts, "</svg>"])


def shade(value: float | None) -> tuple[str, str]:
    """Background and text colour of a cell of a heat table for a figure 0..1; white where it is undefined."""
    if value is None:
        return "#ffffff", "#1c2126"
    share = min(max(value, 0.0), 1.0)
    mixed = [round(light + share * (dark - light)) for light, dark in zip(_LIGHTEST, _DARKEST)]
    return "#{:02x}{:02x}{:02x}".format(*mixed), "#ffffff" if share > 0.55 else "#1c2126"


def _row(bar: Bar, top: float) -> list[str]:
    middle = top + _ROW / 2
    name = bar.name if len(bar.name) <= _LONGEST_NAME else f"{bar.name[: _LONGEST_NAME - 1]}…"
    text = [
        f'<text x="{_LEFT - 8}" y="{middle + 4}" text-anchor="end">{escape(name)}</text>',
        f'<text x="{_LEFT + _WIDTH + 8}" y="{middle + 4}">{with_interval(bar.estimate, decimals=3)}</text>',
    ]
    value, low, high = bar.estimate.value, bar.estimate.low, bar.estimate.high
    if value is None:
        return text
    shapes = [
        f'<rect x="{_LEFT}" y="{middle - _BAR / 2}" width="{max(_across(value) - _LEFT, 0):.1f}" height="{_BAR}" '
        f'fill="{bar.colour}"/>'
    ]
    if low is not None and high is not None:
        ends = f'x1="{_across(low)}" x2="{_across(high)}" y1="{middle}" y2="{middle}"'
        shapes.append(f'<line {ends} stroke="#1c2126" stroke-width="1.6"/>')
        shapes += [
            f'<line x1="{_across(end)}" x2="{_across(end)}" y1="{middle - 4}" y2="{middle + 4}" stroke="#1c2126"/>'
            for end in (low, high)
        ]
    return shapes + text


def _tick(value: float, height: float) -> str:
    x = _across(value)
    return (
        f'<line x1="{x}" x2="{x}" y1="{_TOP - 4}" y2="{height - _BOTTOM}" stroke="#dfe4e8"/>'
        f'<text x="{x}" y="{height - 8}" text-anchor="middle" fill="{_AXIS}">{value:.1f}</text>'
    )


def _across(value: float) -> float:
    return round(_LEFT + _WIDTH * min(max(value, 0.0), 1.0), 1)
