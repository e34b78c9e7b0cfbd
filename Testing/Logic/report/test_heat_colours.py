"""The colours of heat rise evenly and can be read without colour vision."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.report.heat_colours import heat_colours


def lightness(colours):
    """CIELAB L* of sRGB colours (D65), computed apart from the ramp's own OKLab."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


def test_more_heat_is_always_lighter_and_never_by_a_jump():
    steps = np.diff(lightness(heat_colours(256)))
    assert steps.min() > 0.05
    assert steps.max() < 4 * steps.mean()


def test_the_ramp_runs_from_dark_violet_to_pale_yellow():
    first, last = heat_colours(256)[[0, -1]]
    assert first.max() < 0.35
    assert first[2] > first[0] > first[1]
    assert last.min() > 0.6
    assert last[0] >= last[1] > last[2]


@pytest.mark.parametrize("count", [2, 7, 256])
def test_any_number_of_colours_lies_in_srgb(count):
    colours = heat_colours(count)
    assert colours.shape == (count, 3)
    assert colours.min() >= 0
    assert colours.max() <= 1


def test_a_person_with_a_red_green_deficiency_still_sees_an_order():
    """Deuteranopia mixes red and green (Machado 2009, severity 1): lightness must still rise."""
    deuteranopia = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    )
    assert np.diff(lightness(np.clip(heat_colours(64) @ deuteranopia.T, 0, 1))).min() > 0
