"""The panel of preparation: only fitting steps are offered; the result takes the scan's place and tells its story."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Bridge.window_level import Window, window_of
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.standardise.mr.nyul import Nyul
from MedSegAI.Logic.volume import Modality, Unit
from MedSegAI.Session.preparation import Preparation
from MedSegAI.Session.run import Outcome, RunKind
from Testing.Widgets.qt_host.waiting import pump

SMALL = Box((8, 8, 8), (28, 32, 28))


@pytest.fixture
def panel(bench):
    from MedSegAI.Widgets.prepare_panel import PreparePanel

    panel = PreparePanel(bench.ui, bench.session)
    panel.refresh()
    return panel


@pytest.fixture
def a_ct(data_folder):
    """A part of a real chest CT."""
    from MedSegAI.Logic.files.read import read_volume

    path = data_folder / "totalseg_ct" / "example_ct.nii.gz"
    if not path.is_file():
        pytest.skip(f"no real data at {path}")
    whole = replace(read_volume(path, modality=Modality.CT), unit=Unit.HOUNSFIELD, name="chest")
    part = whole.crop(Box((40, 20, 20), (60, 70, 80)))
    return part.with_array(part.array.copy())


@pytest.fixture
def an_mr(a_crop):
    part = a_crop.crop(SMALL)
    return replace(part, array=part.array.copy(), modality=Modality.MR, name="head")


def offered(bench):
    return [bench.ui.stepCombo.itemData(index) for index in range(bench.ui.stepCombo.count)]


def setting(bench, name):
    from PySide6 import QtWidgets

    return bench.ui.settingsHolder.findChild(QtWidgets.QWidget, f"setting_{name}")


def apply(bench, panel, step):
    bench.choose(bench.ui.stepCombo, step)
    bench.ui.applyButton.click()
    run = bench.work_through()
    panel.refresh()
    return run


def test_without_a_scan_it_says_what_is_needed(bench, panel):
    assert bench.ui.prepareNote.text == "Open a scan first."
    assert bench.ui.applyButton.isHidden() and bench.ui.stageCombo.isHidden() and bench.ui.windowCombo.isHidden()


def test_only_steps_for_this_kind_of_scan_are_offered(bench, panel, a_ct, an_mr):
    bench.session.add_scan(a_ct)
    panel.refresh()
    assert "ct-clip" in offered(bench) and "n4" not in offered(bench)
    assert bench.ui.kindCombo.isHidden()
    bench.session.add_scan(an_mr)
    panel.refresh()
    assert "n4" in offered(bench) and "ct-clip" not in offered(bench)


def test_a_scan_that_does_not_say_its_kind_is_asked_for_it_and_undo_takes_that_back(bench, panel, an_mr):
    bench.session.add_scan(replace(an_mr, modality=Modality.UNKNOWN))
    panel.refresh()
    assert not bench.ui.kindCombo.isHidden() and bench.ui.kindCombo.currentText == "Not known"
    assert {"ct-clip", "n4", "suv"} <= set(offered(bench))
    bench.picture(bench.ui.prepareSection, "prepare-unknown")
    bench.choose(bench.ui.kindCombo, "MR")
    panel.refresh()
    assert "ct-clip" not in offered(bench) and bench.ui.kindCombo.isHidden()
    bench.session.undo()
    panel.refresh()
    assert "ct-clip" in offered(bench)


def test_a_step_with_own_settings_is_applied_told_and_compared_with_before(bench, panel, a_ct):
    bench.session.add_scan(a_ct)
    panel.refresh()
    before = bench.session.scan
    bench.choose(bench.ui.stepCombo, "Air and metal clipping")
    setting(bench, "low").setText("-200")
    setting(bench, "high").setText("200")
    run = apply(bench, panel, "Air and metal clipping")
    assert (run.kind, run.outcome) == (RunKind.PREPARE, Outcome.DONE), run.error
    assert bench.session.scan is not before
    assert bench.ui.prepareNote.text == "chest (ct-clip)"
    assert bench.ui.prepareDone.text.startswith("1. Clipped to -200..200 HU")
    assert bench.session.scan.GetImageData().GetScalarRange() == (-200.0, 200.0)
    bench.choose(bench.ui.stageCombo, "Before")
    assert bench.session.viewed_volume is before
    panel.refresh()
    assert bench.ui.stageCombo.currentText == "Before"
    bench.choose(bench.ui.stageCombo, "After")
    assert bench.session.viewed_volume is bench.session.scan
    bench.picture(bench.ui.prepareSection, "prepare-ct")
    bench.session.undo()
    panel.refresh()
    assert bench.session.scan is before
    assert bench.ui.prepareDone.isHidden() and bench.ui.stageCombo.isHidden()


def test_what_was_typed_for_a_step_is_kept_while_another_is_looked_at(bench, panel, an_mr):
    bench.session.add_scan(an_mr)
    panel.refresh()
    bench.choose(bench.ui.stepCombo, "Percentiles to 0..1")
    setting(bench, "low").setText("2")
    setting(bench, "clip").setChecked(True)
    bench.choose(setting(bench, "foreground"), "auto")
    bench.choose(bench.ui.stepCombo, "Robust z-score")
    assert setting(bench, "low") is None
    bench.choose(bench.ui.stepCombo, "Percentiles to 0..1")
    pump()
    assert setting(bench, "low").text == "2"
    assert setting(bench, "clip").checked
    assert setting(bench, "foreground").currentText == "auto"


def test_a_setting_that_is_no_number_is_told_and_nothing_begins(bench, panel, a_ct):
    bench.session.add_scan(a_ct)
    panel.refresh()
    bench.choose(bench.ui.stepCombo, "Air and metal clipping")
    setting(bench, "low").setText("much")
    bench.ui.applyButton.click()
    assert "'much' is no number" in bench.problem
    assert not bench.session.is_busy


def test_the_bias_field_that_was_found_can_be_looked_at(bench, panel, an_mr):
    bench.session.add_scan(an_mr)
    panel.refresh()
    bench.choose(bench.ui.stepCombo, "Bias field correction (N4)")
    setting(bench, "levels").setText("1")
    setting(bench, "iterations").setText("2")
    run = apply(bench, panel, "Bias field correction (N4)")
    assert run.outcome is Outcome.DONE, run.error
    bench.choose(bench.ui.stageCombo, "Bias field")
    assert bench.session.viewed_volume is not bench.session.scan
    assert bench.session.viewed_volume.GetName() == "head (n4): log_bias_field"


def test_a_step_that_follows_another_scan_asks_which(bench, panel, an_mr):
    other = volume_to_node(replace(an_mr, array=an_mr.array * 3, name="another head"), bench.session.scene)
    bench.session.add_scan(an_mr)
    panel.refresh()
    assert bench.ui.referenceCombo.isHidden()
    bench.choose(bench.ui.stepCombo, "Histogram matching to a reference")
    assert bench.ui.referenceCombo.currentText == "another head"
    run = apply(bench, panel, "Histogram matching to a reference")
    assert run.outcome is Outcome.DONE, run.error
    assert bench.session.scan.GetImageData().GetScalarRange()[1] == pytest.approx(
        other.GetImageData().GetScalarRange()[1], rel=0.05
    )


def test_a_step_that_needs_a_file_asks_for_it(bench, panel, an_mr, tmp_path):
    bench.session.add_scan(an_mr)
    panel.refresh()
    bench.choose(bench.ui.stepCombo, "Histogram landmarks (Nyul)")
    assert not bench.ui.landmarksButton.isHidden()
    bench.ui.applyButton.click()
    assert "No file with landmarks was chosen." in bench.problem or "No file" in str(bench.work_through().error)
    (tmp_path / "landmarks.json").write_text(Nyul.trained_on([an_mr, an_mr]).learned.to_json(), encoding="utf-8")
    bench.host.dialogs.answers += ["", str(tmp_path / "landmarks.json")]
    bench.ui.landmarksButton.click()
    assert bench.ui.landmarksButton.text == "Choose a file..."
    bench.ui.landmarksButton.click()
    assert bench.ui.landmarksButton.text == "landmarks.json"
    run = apply(bench, panel, "Histogram landmarks (Nyul)")
    assert run.outcome is Outcome.DONE, run.error


def test_a_window_of_a_ct_is_chosen_by_name_by_numbers_or_by_itself(bench, panel, a_ct):
    bench.session.add_scan(a_ct)
    panel.refresh()
    bench.choose(bench.ui.windowCombo, "Lung, -1350 to 150 HU")
    assert window_of(bench.session.scan) == Window(1500, -600)
    assert (bench.ui.windowLevelSpin.value, bench.ui.windowWidthSpin.value) == (-600, 1500)
    bench.ui.windowWidthSpin.setValue(1000)
    assert window_of(bench.session.scan) == Window(1000, -600)
    assert bench.ui.windowCombo.currentText == "Own"
    bench.choose(bench.ui.windowCombo, "Automatic")
    assert bench.session.scan.GetDisplayNode().GetAutoWindowLevel()


def test_a_window_is_set_as_finely_as_the_values_need_it_and_one_line_does_not_round_the_other(bench, panel, a_ct):
    bench.session.add_scan(replace(a_ct, array=(a_ct.array / 1e5).astype(np.float32), unit=Unit.ARBITRARY))
    Preparation(bench.session).set_window(Window(0.02, 0.0012345))
    panel.refresh()
    assert (bench.ui.windowLevelSpin.value, bench.ui.windowWidthSpin.value) == (0.00123, 0.02)
    bench.ui.windowWidthSpin.setValue(0.0125)
    assert window_of(bench.session.scan) == Window(0.0125, 0.0012345)
    Preparation(bench.session).set_window(Window(3e6, 2e6))
    panel.refresh()
    assert (bench.ui.windowLevelSpin.value, bench.ui.windowWidthSpin.value) == (2e6, 3e6)


def test_an_mr_has_no_windows_with_names(bench, panel, an_mr):
    bench.session.add_scan(an_mr)
    panel.refresh()
    assert [bench.ui.windowCombo.itemText(index) for index in range(bench.ui.windowCombo.count)] == ["Own", "Automatic"]
