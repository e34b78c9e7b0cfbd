from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.mr.z_score import RobustZScore
from Testing.Logic.standardise.phantoms import head_array, mr_of


def applied(volume, **settings):
    return RobustZScore(**settings).apply(volume, reporter=SilentReporter())


def test_median_and_absolute_deviation_worked_out_by_hand():
    # Median 3; distances 2 1 0 1 997, whose median is 1; 1.4826 of it is the spread.
    done = applied(mr_of(np.array([1, 2, 3, 4, 1000]).reshape(1, 1, 5)), foreground="all")
    assert done.record.figures["centre"] == 3
    assert done.record.figures["spread"] == pytest.approx(1.4826)
    assert done.volume.array.ravel()[:4] == pytest.approx([-2 / 1.4826, -1 / 1.4826, 0, 1 / 1.4826])


def test_the_trimmed_mean_worked_out_by_hand():
    values = np.array([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 10_000]).reshape(1, 1, 11)
    done = applied(mr_of(values), measure="trimmed", trim=10, foreground="all")
    kept = np.arange(10, 100, 10)
    assert done.record.figures["centre"] == kept.mean()
    assert done.record.figures["spread"] == pytest.approx(kept.std())


def test_the_spread_is_scipys_on_a_real_head(data_folder):
    volume = read_volume(data_folder / "totalseg_ct" / "example_mr_sm.nii.gz")
    done = applied(volume, foreground="positive")
    values = volume.array[volume.array > 0]
    assert done.record.figures["spread"] == pytest.approx(stats.median_abs_deviation(values, scale=1 / 1.4826))


def test_very_bright_voxels_do_not_move_it():
    head = head_array()
    plain = applied(mr_of(head)).record.figures
    head[20, 20:24, 20:24] = 1e6
    bright = applied(mr_of(head)).record.figures
    assert bright["centre"] == pytest.approx(plain["centre"], rel=0.01)
    assert bright["spread"] == pytest.approx(plain["spread"], rel=0.01)


def test_the_size_of_the_background_does_not_move_it():
    head = head_array()
    wide = np.pad(head, 10)
    assert applied(mr_of(wide)).record.figures["centre"] == pytest.approx(
        applied(mr_of(head)).record.figures["centre"], rel=0.01
    )


def test_crops_whose_values_differ_ten_thousandfold_become_alike(hippocampus_crops):
    for crop in hippocampus_crops:
        volume = read_volume(crop.image)
        for factor in (1.0, 1e4):
            done = applied(mr_of(volume.array * factor))
            assert np.median(done.volume.array) == pytest.approx(0, abs=1e-4)
            assert 1 < np.percentile(done.volume.array, 97) < 6
            assert np.allclose(done.undo(done.volume.array), volume.array * factor, rtol=1e-5, atol=1e-3 * factor)


def test_a_foreground_without_spread_is_refused():
    array = np.full((4, 4, 4), 7)
    array[0, 0, :2] = 9
    with pytest.raises(InputError, match="most of it has one value, 7"):
        applied(mr_of(array), foreground="all")


@pytest.mark.parametrize("settings", [{"measure": "mode"}, {"trim": 50}, {"trim": -1}, {"foreground": "brain"}])
def test_settings_that_do_not_exist_are_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        RobustZScore(**settings)
