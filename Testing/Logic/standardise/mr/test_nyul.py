from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.standardise.mr.nyul_landmarks import train_landmarks
from Testing.Logic.standardise.phantoms import head_array, mr_of

RAMP = np.arange(101, dtype=np.float32).reshape(1, 1, 101)


def applied(step, volume):
    return step.apply(volume, reporter=SilentReporter())


def test_the_percentiles_land_on_the_landmarks_with_straight_lines_between():
    step = Nyul((0, 50, 100), (0, 80, 100), foreground="all")
    done = applied(step, mr_of(RAMP))
    assert done.volume.array.ravel()[[0, 25, 50, 75, 100]] == pytest.approx([0, 40, 80, 90, 100])
    assert np.allclose(done.undo(done.volume.array), RAMP, atol=1e-3)
    assert done.record.figures["percentile_50"] == 50


def test_beyond_the_outer_landmarks_it_goes_on_as_a_line():
    step = Nyul((10, 90), (0, 100), foreground="all")
    assert applied(step, mr_of(RAMP)).volume.array.ravel()[[0, 100]] == pytest.approx([-12.5, 112.5])


def test_two_contrasts_of_one_head_become_the_same():
    head = head_array()
    other = (head / 400) ** 1.5 * 9000 + 50
    step = Nyul.trained_on([mr_of(head), mr_of(other)])
    first, second = (applied(step, mr_of(array)).volume.array for array in (head, other))
    tissue = head > 150
    assert np.abs(first - second)[tissue].mean() < 1.5
    assert np.abs(head / head.max() - other / other.max())[tissue].mean() > 0.05


def test_real_crops_come_together(hippocampus_crops):
    volumes = [read_volume(crop.image) for crop in hippocampus_crops]
    step = Nyul.of(train_landmarks(volumes))
    medians = [np.median(applied(step, volume).volume.array) for volume in volumes]
    assert step.scans == 4
    assert np.ptp(medians) < 1e-3 * np.mean(medians)
    before = [np.median(volume.array) for volume in volumes]
    assert np.ptp(before) > 0.1 * np.mean(before)


def test_the_step_is_made_of_a_text():
    step = Nyul.trained_on([mr_of(head_array())])
    assert Nyul.from_json(step.learned.to_json()) == step


def test_a_foreground_of_one_value_is_refused():
    flat = np.ones((1, 1, 101))
    flat[0, 0, 0] = 2
    with pytest.raises(InputError, match="all the same value, 1"):
        applied(Nyul((10, 90), (0, 100), foreground="all"), mr_of(flat))


def test_landmarks_that_fall_are_refused():
    with pytest.raises(ValueError, match="must rise"):
        Nyul((10, 90), (100, 0))
