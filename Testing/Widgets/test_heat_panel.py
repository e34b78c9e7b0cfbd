"""The heat map's panel: what is explained, how it is shown, and the sentence that never goes away."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.report.heat_colours import HEAT_COLOUR_MAPS, HEAT_LEGEND
from MedSegAI.Session.run import Outcome


def panel_of(bench):
    from MedSegAI.Widgets.heat_panel import HeatPanel

    panel = HeatPanel(bench.ui, bench.session)
    panel.refresh()
    return panel


def items(combo):
    return [combo.itemText(index) for index in range(combo.count)]


def test_without_a_segmentation_nothing_can_be_explained_but_the_meaning_is_said(bench):
    panel_of(bench)
    assert not bench.ui.explainButton.enabled
    assert HEAT_LEGEND in bench.ui.legendLabel.text
    assert not bench.ui.legendLabel.isHidden()


def test_the_chosen_segment_is_explained(bench, a_crop):
    bench.segment(a_crop)
    panel = panel_of(bench)
    assert items(bench.ui.targetCombo) == ["Anterior hippocampus", "Posterior hippocampus"]
    assert bench.ui.targetCombo.currentText == "Anterior hippocampus"
    bench.choose(bench.ui.targetCombo, "Posterior hippocampus")
    assert bench.session.choices.target == "posterior_hippocampus"
    bench.ui.explainButton.click()
    panel.refresh()
    assert not bench.ui.explainButton.enabled
    assert bench.work_through().outcome is Outcome.DONE
    assert "Posterior hippocampus" in bench.session.heat_map.GetName()
    panel.refresh()
    bench.picture(bench.ui.heatSection, "heat-map")


def test_the_models_own_layer_comes_first_and_is_kept_as_the_models_own(bench, a_crop):
    bench.segment(a_crop)
    panel = panel_of(bench)
    assert items(bench.ui.layerCombo)[:2] == ["decoder1", "decoder2"]
    assert bench.ui.layerCombo.currentText == "decoder1"
    bench.choose(bench.ui.layerCombo, "decoder2")
    assert bench.session.choices.layer == "decoder2"
    bench.choose(bench.ui.layerCombo, "decoder1")
    assert bench.session.choices.layer == ""
    panel.refresh()
    assert bench.ui.layerCombo.currentText == "decoder1"


def test_a_layer_can_be_typed_and_a_wrong_one_is_answered_with_those_that_there_are(bench, a_crop):
    bench.segment(a_crop)
    panel = panel_of(bench)
    bench.ui.layerCombo.lineEdit().setText("decoder9")
    bench.ui.layerCombo.lineEdit().editingFinished.emit()
    assert bench.session.choices.layer == "decoder9"
    panel.refresh()
    assert bench.ui.layerCombo.currentText == "decoder9"
    bench.ui.explainButton.click()
    assert bench.work_through().outcome is Outcome.FAILED
    assert "decoder1" in str(bench.session.run.error)


@pytest.mark.parametrize(
    ("widget", "value", "choice"),
    [("thresholdSlider", 0.6, "heat_threshold"), ("opacitySlider", 0.25, "heat_opacity")],
)
def test_a_slider_changes_the_choice_and_undo_moves_it_back(bench, widget, value, choice):
    panel = panel_of(bench)
    before = getattr(bench.session.choices, choice)
    getattr(bench.ui, widget).value = value
    assert getattr(bench.session.choices, choice) == pytest.approx(value)
    bench.session.undo()
    panel.refresh()
    assert getattr(bench.ui, widget).value == pytest.approx(before)


@pytest.mark.parametrize(("widget", "choice"), [("inSlicesCheck", "heat_in_slices"), ("in3dCheck", "heat_in_3d")])
def test_a_tick_changes_the_choice(bench, widget, choice):
    panel = panel_of(bench)
    before = getattr(bench.session.choices, choice)
    getattr(bench.ui, widget).click()
    assert getattr(bench.session.choices, choice) is not before
    bench.session.undo()
    panel.refresh()
    assert getattr(bench.ui, widget).checked is before


def test_every_colour_map_can_be_chosen(bench):
    panel_of(bench)
    assert items(bench.ui.coloursCombo) == [name.capitalize() for name in HEAT_COLOUR_MAPS]
    bench.choose(bench.ui.coloursCombo, "Viridis")
    assert bench.session.choices.heat_colours == "viridis"


def test_refreshing_changes_nothing(bench, a_crop):
    bench.segment(a_crop)
    panel = panel_of(bench)
    before = bench.session.choices, bench.session.undo_stack.n_commands()
    panel.refresh()
    panel.refresh()
    assert (bench.session.choices, bench.session.undo_stack.n_commands()) == before
