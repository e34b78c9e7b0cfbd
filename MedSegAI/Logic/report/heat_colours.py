"""The colours of a heat map: perceptually ordered, so that twice the step in value looks like twice the step in colour.

A ramp in OKLab (Ottosson 2020, "A perceptual color space for image processing"): lightness rises evenly from a dark
violet over red and orange to a pale yellow. It can be read in grey and by people with a red-green deficiency. Beside it
stand three maps that Slicer's users know, of the same kind.
"""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.errors import InputError

HEAT_LEGEND = "shows what drove this label in this model; not a probability"
"""What stands beside every heat map, in every face."""

HEAT_COLOUR_MAPS = ("heat", "viridis", "plasma", "cividis")
"""The colours a heat map can be shown in; the first is our own and the default."""

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


# Evenly spaced colours along the maps, as sRGB bytes; the maps are their authors' (van der Walt and Smith 2015, Nunez
# et al. 2018), in the public domain. Between these, straight lines in sRGB stay within 4 percent of the full tables.
_KNOWN_MAPS = {
    "viridis": (
        "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c "
        "1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725"
    ),
    "plasma": (
        "0d0887 310597 4c02a1 6600a7 7e03a8 9511a1 aa2395 bc3587 cc4778 "
        "da5a6a e66c5c f0804e f89540 fdac33 fdc527 f8df25 f0f921"
    ),
    "cividis": (
        "00224e 002e6a 1a386f 32436d 434e6c 535a6d 61656f 6f7073 7d7c78 "
        "8c8878 9b9476 aba072 bcae6c cdbb63 dec958 f0d846 fee838"
    ),
}


def heat_colours(count: int = 256, *, name: str = HEAT_COLOUR_MAPS[0]) -> np.ndarray:
    """sRGB colours (count, 3), float64 0..1, from the lowest heat to the highest.

    Args:
        count: How many.
        name: One of ``HEAT_COLOUR_MAPS``.

    Raises:
        InputError: if there are no such colours.
    """
    position = np.linspace(0.0, 1.0, count)
    if name in _KNOWN_MAPS:
        return _between(_KNOWN_MAPS[name].split(), position)
    if name != HEAT_COLOUR_MAPS[0]:
        raise InputError(
            f"There are no heat map colours '{name}'.", advice=f"Choose one of: {', '.join(HEAT_COLOUR_MAPS)}."
        )
    lightness = _DARKEST + (_LIGHTEST - _DARKEST) * position
    chroma = np.interp(position, _STOPS, _CHROMA)
    hue = np.deg2rad(np.interp(position, _STOPS, _HUE))
    oklab = np.column_stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])
    linear = (oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_LINEAR_SRGB.T
    return _encode_srgb(np.clip(linear, 0.0, 1.0))


def _between(colours: list[str], position: np.ndarray) -> np.ndarray:
    """Evenly spaced colours ("rrggbb"), interpolated at ``position`` (0..1): (positions, 3)."""
    known = np.array([list(bytes.fromhex(colour)) for colour in colours]) / 255
    places = np.linspace(0.0, 1.0, len(known))
    return np.column_stack([np.interp(position, places, channel) for channel in known.T])


def _encode_srgb(linear: np.ndarray) -> np.ndarray:
    """The sRGB transfer function (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
