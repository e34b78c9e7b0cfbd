"""The colours of a heat map: perceptually ordered, so that twice the step in value looks like twice the step in colour.

A ramp in OKLab (Ottosson 2020, "A perceptual color space for image processing"): lightness rises evenly from a dark
violet over red and orange to a pale yellow. It can be read in grey and by people with a red-green deficiency.
"""

from __future__ import annotations

import numpy as np

HEAT_LEGEND = "shows what drove this label in this model; not a probability"
"""What stands beside every heat map, in every face."""

# Chroma and hue (degrees) along the ramp. Chroma stays inside what sRGB can show at the lightness there.
_STOPS = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
_CHROMA = np.array([0.10, 0.17, 0.18, 0.165, 0.145, 0.09])
_HUE = np.array([-70.0, -45.0, 0.0, 38.0, 75.0, 103.0])
_DARKEST, _LIGHTEST = 0.25, 0.97

_OKLAB_TO_LMS = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_LINEAR_SRGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def heat_colours(count: int = 256) -> np.ndarray:
    """sRGB colours (count, 3), float64 0..1, from the lowest heat to the highest."""
    position = np.linspace(0.0, 1.0, count)
    lightness = _DARKEST + (_LIGHTEST - _DARKEST) * position
    chroma = np.interp(position, _STOPS, _CHROMA)
    hue = np.deg2rad(np.interp(position, _STOPS, _HUE))
    oklab = np.column_stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])
    linear = (oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_LINEAR_SRGB.T
    return _encode_srgb(np.clip(linear, 0.0, 1.0))


def _encode_srgb(linear: np.ndarray) -> np.ndarray:
    """The sRGB transfer function (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
