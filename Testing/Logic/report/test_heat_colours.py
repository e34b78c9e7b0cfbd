"""The colours of heat rise evenly and can be read without colour vision."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.report.heat_colours import HEAT_COLOUR_MAPS, heat_colours


def lightness(colours):
    """CIELAB L* of sRGB colours (D65), computed apart from the ramp's own OKLab."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


@pytest.mark.parametrize("name", HEAT_COLOUR_MAPS)
def test_more_heat_is_always_lighter_and_never_by_a_jump(name):
    steps = np.diff(lightness(heat_colours(256, name=name)))
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


@pytest.mark.parametrize("name", HEAT_COLOUR_MAPS[1:])
def test_the_maps_that_people_know_are_what_their_name_says(name):
    matplotlib = pytest.importorskip("matplotlib", reason="compared with matplotlib's tables")
    known = matplotlib.colormaps[name](np.linspace(0, 1, 256))[:, :3]
    np.testing.assert_allclose(heat_colours(256, name=name), known, atol=0.045)


def test_our_own_map_is_the_default():
    assert HEAT_COLOUR_MAPS[0] == "heat"
    np.testing.assert_array_equal(heat_colours(16), heat_colours(16, name="heat"))


def test_colours_that_do_not_exist_are_refused_with_those_that_do():
    with pytest.raises(InputError, match=r"'jet'.*heat, viridis, plasma, cividis"):
        heat_colours(name="jet")
