"""The run's panel: what is still needed, Segment, progress and time left, Cancel, and the question before a re-run."""

from __future__ import annotations

import dataclasses

import pytest

from MedSegAI.Session.run import Outcome, Run, RunKind


def panel_of(bench):
    from MedSegAI.Widgets.run_panel import RunPanel

    panel = RunPanel(bench.ui, bench.session)
    panel.refresh()
    return panel


def correct_a_voxel(node):
    image = node.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap")
    first = image.GetExtent()[::2]
    image.SetScalarComponentFromFloat(*first, 0, 1 - image.GetScalarComponentAsFloat(*first, 0))
    image.Modified()


def test_without_a_scan_it_says_what_is_needed(bench):
    panel_of(bench)
    assert bench.ui.obstacleLabel.text == "Choose the T1 scan (MR) first."
    assert not bench.ui.segmentButton.enabled
    assert bench.ui.statusLabel.text == "Ready"
    bench.picture(bench.ui.runSection, "run-not-ready")


def test_a_run_tells_its_plan_and_how_long_it_took(bench, a_crop):
    bench.session.add_scan(a_crop)
    panel = panel_of(bench)
    assert bench.ui.obstacleLabel.isHidden() and bench.ui.segmentButton.enabled
    bench.ui.segmentButton.click()
    panel.refresh()
    assert not bench.ui.segmentButton.enabled and bench.ui.cancelButton.enabled
    assert bench.ui.statusLabel.text == "Segmentation: starting"
    assert (bench.ui.progressBar.minimum, bench.ui.progressBar.maximum) == (0, 0)
    bench.work_through()
    panel.refresh()
    assert bench.ui.statusLabel.text.startswith("Segmentation done in ")
    assert "Needs about" in bench.ui.planLabel.text
    assert bench.ui.segmentButton.enabled and not bench.ui.cancelButton.enabled
    bench.picture(bench.ui.runSection, "run-done")


def test_the_device_is_a_choice_of_the_case(bench):
    panel = panel_of(bench)
    bench.choose(bench.ui.deviceCombo, "Processor (CPU)")
    assert bench.session.choices.device.value == "cpu"
    bench.session.undo()
    panel.refresh()
    assert bench.ui.deviceCombo.currentText == "Automatic"


def test_the_engine_is_a_choice_of_the_case(bench):
    panel = panel_of(bench)
    bench.choose(bench.ui.engineCombo, "PyTorch")
    assert bench.session.choices.engine.value == "torch"
    bench.session.undo()
    panel.refresh()
    assert bench.ui.engineCombo.currentText == "Automatic"


def test_a_corrected_segmentation_is_asked_about_and_kept(bench, a_crop):
    bench.segment(a_crop)
    panel_of(bench)
    corrected = bench.session.segmentation
    correct_a_voxel(corrected)
    bench.host.dialogs.answers.append(False)
    bench.ui.segmentButton.click()
    assert "was corrected" in bench.host.dialogs.texts("question")[0]
    assert not bench.session.is_busy
    bench.host.dialogs.answers.append(True)
    bench.ui.segmentButton.click()
    bench.work_through()
    assert bench.session.segmentation is not corrected
    assert bench.session.scene.IsNodePresent(corrected)


def test_an_untouched_segmentation_is_not_asked_about(bench, a_crop):
    bench.segment(a_crop)
    panel_of(bench)
    bench.ui.segmentButton.click()
    assert bench.host.dialogs.shown == [] and bench.session.is_busy
    bench.work_through()


def test_what_cannot_be_started_is_said_on_the_panel(bench, a_crop):
    bench.session.add_scan(a_crop)
    panel = panel_of(bench)
    bench.session.choose(region="roi")
    panel.segment()
    assert bench.problem == "No region of interest was placed. Place one, or choose another region."


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ({"done": 3, "total": 12, "stage": "segmenting"}, "Segmentation: segmenting, 3 of 12"),
        ({"done": 12, "total": 12, "is_finishing": True}, "Segmentation: showing the result"),
        ({"outcome": Outcome.STOPPING}, "Segmentation: stopping"),
        ({"outcome": Outcome.CANCELLED}, "Segmentation cancelled."),
        ({"kind": RunKind.EXPLAIN, "outcome": Outcome.DONE, "started": 1.0, "ended": 3.5}, "Heat map done in 2.5 s."),
        ({"kind": RunKind.EXAMINE}, "Set-up check: starting"),
        ({"kind": RunKind.FUSE, "outcome": Outcome.CANCELLED}, "Consensus cancelled."),
    ],
)
def test_every_state_of_a_run_has_its_sentence(qt_host, state, sentence):
    from MedSegAI.Widgets.run_panel import run_sentence

    assert run_sentence(dataclasses.replace(Run(RunKind.SEGMENT), **state)) == sentence


@pytest.mark.parametrize("kind", list(RunKind))
def test_every_kind_of_work_has_its_sentence(qt_host, kind):
    from MedSegAI.Widgets.run_panel import run_sentence

    assert run_sentence(Run(kind)).endswith(": starting")


def test_the_shown_result_tells_its_model_engine_and_device(bench, a_crop):
    panel = panel_of(bench)
    assert bench.ui.engineLabel.isHidden()
    bench.segment(a_crop)
    panel.refresh()
    version = bench.session.model.card.version
    assert bench.ui.engineLabel.text.startswith(f"Made by hippocampus-mr {version} with PyTorch on the processor in ")
    bench.session.undo()
    panel.refresh()
    assert bench.ui.engineLabel.isHidden()


def test_a_graphics_card_is_told_by_its_name(bench, a_crop):
    from MedSegAI.Bridge.segmentation_nodes import read_provenance
    from MedSegAI.Widgets.run_panel import made_sentence

    bench.segment(a_crop)
    made = read_provenance(bench.session.segmentation)
    on_card = dataclasses.replace(made, engine="other", device="cuda:0 (Some Card (12 GB))", seconds=1.0)
    assert made_sentence(on_card).endswith(" with other on the graphics card Some Card (12 GB) in 1.0 s.")


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "about 1 s"), (59.6, "about 60 s"), (150.0, "about 2 min")])
def test_time_is_told_as_roughly_as_it_is_known(qt_host, seconds, words):
    from MedSegAI.Widgets.run_panel import duration

    assert duration(seconds) == words
