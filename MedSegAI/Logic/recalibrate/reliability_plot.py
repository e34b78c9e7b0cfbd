"""A reliability diagram as SVG text that stands inside a page."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.recalibrate.reliability import Reliability

_SIDE, _LEFT, _TOP, _BOTTOM, _RIGHT = 320, 60, 12, 44, 170
_NOW, _FITTED = "#b00020", "#08519c"


def reliability_svg(before: Reliability, after: Reliability) -> str:
    """Rate of being right against mean probability, bin by bin; on the dashed line a probability means what it says.

    The area of a dot goes with the share of the voxels in its bin.
    """
    width, height = _LEFT + _SIDE + _RIGHT, _TOP + _SIDE + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-label="Reliability diagram before and after">',
        *(_grid_line(tenth / 10) for tenth in range(0, 11, 2)),
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#8a949e" stroke-dasharray="5 4"/>',
        *_curve(before, _NOW),
        *_curve(after, _FITTED),
        f'<text x="{_x(0.5)}" y="{height - 6}" text-anchor="middle">probability of the label that won</text>',
        f'<text transform="translate(14 {_y(0.5)}) rotate(-90)" text-anchor="middle">rate of being right</text>',
        *_legend(0, _NOW, "now"),
        *_legend(1, _FITTED, "fitted"),
        "</svg>",
    ]
    return "\n".join(parts)


def _curve(found: Reliability, colour: str) -> list[str]:
    filled = np.flatnonzero(np.isfinite(found.confidence))
    points = [(_x(found.confidence[n]), _y(found.accuracy[n]), found.share[n]) for n in filled]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    dots = [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2 + 10 * share**0.5:.1f}" fill="{colour}" fill-opacity="0.55"/>'
        for x, y, share in points
    ]
    return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>', *dots]


def _legend(row: int, colour: str, text: str) -> list[str]:
    x, y = _LEFT + _SIDE + 24, _TOP + 20 + 24 * row
    return [f'<circle cx="{x}" cy="{y}" r="6" fill="{colour}"/>', f'<text x="{x + 14}" y="{y + 4}">{text}</text>']


def _grid_line(value: float) -> str:
    return (
        f'<line x1="{_x(0)}" x2="{_x(1)}" y1="{_y(value)}" y2="{_y(value)}" stroke="#e4e8ec"/>'
        f'<text x="{_LEFT - 8}" y="{_y(value) + 4}" text-anchor="end">{value:.1f}</text>'
        f'<text x="{_x(value)}" y="{_TOP + _SIDE + 18}" text-anchor="middle">{value:.1f}</text>'
    )


def _x(value: float) -> float:
    return round(_LEFT + _SIDE * float(value), 1)


def _y(value: float) -> float:
    return round(_TOP + _SIDE * (1 - float(value)), 1)
