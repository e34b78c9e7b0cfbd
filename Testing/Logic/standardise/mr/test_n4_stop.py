from __future__ import annotations

import sys

import pytest
import SimpleITK as sitk

from MedSegAI.Logic.standardise.mr.n4_stop import StopN4, stopped_quietly
from Testing.Logic.standardise.phantoms import head_array


def stopped_by(error: type[Exception]) -> sitk.N4BiasFieldCorrectionImageFilter:
    filter_ = sitk.N4BiasFieldCorrectionImageFilter()

    def stop() -> None:
        raise error("enough")

    filter_.AddCommand(sitk.sitkIterationEvent, stop)
    image = sitk.GetImageFromArray(head_array((20, 20, 20)))
    with pytest.raises(RuntimeError), stopped_quietly():
        filter_.Execute(image, image > 100)
    return filter_


def test_n4_ends_without_a_word_and_leaves_nothing_behind(capfd):
    before = sys.excepthook
    filter_ = stopped_by(StopN4)
    assert filter_.GetElapsedIterations() <= 1
    assert sys.excepthook is before
    assert not isinstance(getattr(sys, "last_value", None), StopN4)
    assert capfd.readouterr().err == ""


def test_ctrl_c_in_a_command_stays_ctrl_c_and_prints_nothing(capfd):
    filter_ = sitk.N4BiasFieldCorrectionImageFilter()

    def stop() -> None:
        raise KeyboardInterrupt

    filter_.AddCommand(sitk.sitkIterationEvent, stop)
    image = sitk.GetImageFromArray(head_array((20, 20, 20)))
    with pytest.raises(KeyboardInterrupt), stopped_quietly():
        filter_.Execute(image, image > 100)
    assert not isinstance(getattr(sys, "last_value", None), KeyboardInterrupt)
    assert capfd.readouterr().err == ""


def test_any_other_error_of_a_command_is_shown_as_ever(monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: shown.append(kind))
    stopped_by(KeyError)
    assert shown == [KeyError]
