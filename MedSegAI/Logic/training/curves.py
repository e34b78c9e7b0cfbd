"""Curves against the steps of a run, as SVG text that stands inside a page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 16, 12, 40
_WIDTH, _HEIGHT = 900, 260
_LEGEND_ROW = 20
_GRID, _AXIS = "#dfe4e8", "#66717b"
_TICKS = 5
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1c2126")
"""Of the curves in their order, told apart by colour-blind eyes (Okabe and Ito)."""


@dataclass(frozen=True)
class Curve:
    """A name and points (step, value) from left to right."""

    name: str
    points: Sequence[tuple[float, float]]


def curves_svg(curves: Sequence[Curve], *, title: str, logarithmic: bool = False, mark: float | None = None) -> str:
    """Curves over one another, as an SVG element; empty where there is nothing to draw.

    Args:
        curves: Values that are no numbers are left out, and with ``logarithmic`` those that are not positive.
        title: What is seen, for those who cannot see it.
        logarithmic: Whether the values' axis is.
        mark: A step at which a dashed line stands.
    """
    drawn = [Curve(curve.name, _usable(curve.points, logarithmic)) for curve in curves]
    values = [value for curve in drawn for _, value in curve.points]
    if not values:
        return ""
    last = max(step for curve in drawn for step, _ in curve.points)
    axis = _Axis.over(values, logarithmic)
    height = _HEIGHT + _LEGEND_ROW
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">',
        *axis.lines(),
        *_steps_axis(last),
    ]
    if mark is not None:
        x = _across(mark, last)
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" stroke="#b00020" stroke-dasharray="4 3"/>'
        )
    for number, curve in enumerate(drawn):
        parts += _drawn(curve, COLOURS[number % len(COLOURS)], last, axis)
    parts += _legend([curve.name for curve in drawn])
    return "\n".join([*parts, "</svg>"])


@dataclass(frozen=True)
class _Axis:
    """The values' axis, from its lower to its upper end; of their logarithms to base 10 where it is logarithmic."""

    low: float
    high: float
    logarithmic: bool

    @classmethod
    def over(cls, values: Sequence[float], logarithmic: bool) -> _Axis:
        shown = [math.log10(value) for value in values] if logarithmic else list(values)
        low, high = min(shown), max(shown)
        room = 0.05 * (high - low) or 0.05
        return cls(low - room, high + room, logarithmic)

    def up(self, value: float) -> float:
        """The y of a value."""
        return self._up(math.log10(value) if self.logarithmic else value)

    def lines(self) -> list[str]:
        """Lines across with their values."""
        lines = []
        for value in self._round_values():
            y = self.up(value)
            lines.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" stroke="{_GRID}"/>')
            lines.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end" fill="{_AXIS}">{value:.4g}</text>')
        return lines

    def _round_values(self) -> list[float]:
        """Values that are easily read, from the lower to the upper end."""
        low, high = (10**self.low, 10**self.high) if self.logarithmic else (self.low, self.high)
        if self.logarithmic and high > 8 * low:
            exponents = range(math.floor(self.low), math.ceil(self.high) + 1)
            return [m * 10.0**n for n in exponents for m in (1, 2, 5) if low <= m * 10.0**n <= high]
        step = _round_step((high - low) / _TICKS)
        return [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]

    def _up(self, place: float) -> float:
        share = (place - self.low) / (self.high - self.low)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP), 1)


def _round_step(about: float) -> float:
    """1, 2 or 5 times a power of ten, not less than ``about``."""
    power = 10.0 ** math.floor(math.log10(about))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= about * (1 - 1e-9))


def _usable(points: Sequence[tuple[float, float]], logarithmic: bool) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points if math.isfinite(y) and (y > 0 or not logarithmic)]


def _drawn(curve: Curve, colour: str, last: float, axis: _Axis) -> list[str]:
    places = [(_across(step, last), axis.up(value)) for step, value in curve.points]
    line = " ".join(f"{x},{y}" for x, y in places)
    parts = [f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8"/>']
    if len(places) <= 60:
        parts += [f'<circle cx="{x}" cy="{y}" r="2.4" fill="{colour}"/>' for x, y in places]
    return parts


def _steps_axis(last: float) -> list[str]:
    y = _HEIGHT - _BOTTOM + 18
    step = max(1, round(_round_step(max(last, 1) / _TICKS)))
    ticks = range(0, int(last) + 1, step)
    words = [
        f'<text x="{_across(tick, last)}" y="{y}" text-anchor="middle" fill="{_AXIS}">{tick}</text>' for tick in ticks
    ]
    return [*words, f'<text x="{_WIDTH - _RIGHT}" y="{y + 17}" text-anchor="end" fill="{_AXIS}">steps</text>']


def _legend(names: Sequence[str]) -> list[str]:
    parts, x, y = [], float(_LEFT), _HEIGHT + 8
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(f'<line x1="{x}" x2="{x + 22}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{x + 28}" y="{y}">{escape(name)}</text>')
        x += 48 + 8 * len(name)
    return parts


def _across(step: float, last: float) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * step / max(last, 1), 1)
