from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.ct.window import WindowCt
from MedSegAI.Logic.standardise.ct.window_presets import WINDOW_PRESETS
from MedSegAI.Logic.volume import Unit
from Testing.Logic.standardise.phantoms import ct_of


def test_the_brain_window_maps_0_and_80_to_0_and_1():
    values = np.array([-1000, 0, 20, 40, 80, 81, 3000], np.int16).reshape(1, 1, 7)
    done = WindowCt("brain").apply(ct_of(values), reporter=SilentReporter())
    assert done.volume.array.ravel() == pytest.approx([0, 0, 0.25, 0.5, 1, 1, 1])
    assert done.volume.array.dtype == np.float32
    assert done.volume.unit is Unit.ARBITRARY
    assert (done.record.figures["voxels_below"], done.record.figures["voxels_above"]) == (1, 2)
    assert done.undo is None


def test_an_own_window_for_display_is_rounded_to_bytes():
    values = np.array([-200, -100, -50, 0, 100, 200], np.int16).reshape(1, 2, 3)
    done = WindowCt("own", level=0, width=200, output="display").apply(ct_of(values), reporter=SilentReporter())
    assert done.volume.array.ravel().tolist() == [0, 0, 64, 128, 255, 255]
    assert done.volume.array.dtype == np.uint8


@pytest.mark.parametrize("preset", WINDOW_PRESETS, ids=lambda preset: preset.key)
def test_it_is_what_simpleitk_makes_of_a_real_ct(data_folder, preset):
    volume = read_volume(data_folder / "totalseg_ct" / "example_ct_sm.nii.gz")
    ours = WindowCt(preset.key).apply(volume, reporter=SilentReporter()).volume.array
    image = sitk.Cast(volume.to_sitk(), sitk.sitkFloat32)
    theirs = sitk.GetArrayFromImage(sitk.IntensityWindowing(image, preset.low, preset.high, 0.0, 1.0))
    assert np.abs(ours - theirs).max() < 1e-5
    assert 0 < ours.mean() < 1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"preset": "spleen"}, "no window 'spleen'"),
        ({"preset": "own", "width": 0}, "shows nothing"),
        ({"level": np.nan}, "'level' is nan"),
        ({"output": "film"}, "'film'"),
    ],
)
def test_settings_that_show_nothing_are_refused(settings, problem):
    with pytest.raises(ValueError, match=problem):
        WindowCt(**settings)
