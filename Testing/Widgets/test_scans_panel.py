"""The scans' panel: one selector for each input of the model's card, and what speaks against a choice."""

from __future__ import annotations

from dataclasses import replace

from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.volume import Modality
from Testing.Widgets.qt_host.waiting import pump


def panel_of(bench):
    from MedSegAI.Widgets.scans_panel import ScansPanel

    panel = ScansPanel(bench.ui, bench.session)
    panel.refresh()
    return panel


def child(bench, name):
    from PySide6 import QtWidgets

    return bench.ui.scansSection.findChildren(QtWidgets.QWidget, name)[-1]


def test_there_is_a_selector_for_the_models_one_input(bench):
    panel_of(bench)
    selector = child(bench, "inputSelector0")
    assert selector.currentNode() is None
    assert "T1 scan (MR)" in selector.toolTip
    assert not bench.ui.sampleButton.isHidden()


def test_choosing_a_volume_makes_it_the_sessions_scan_and_undo_takes_it_back(bench, a_crop):
    panel = panel_of(bench)
    node = volume_to_node(a_crop, bench.session.scene)
    bench.choose_node(child(bench, "inputSelector0"), node)
    assert bench.session.scan is node
    panel.refresh()
    assert bench.ui.sampleButton.isHidden()
    bench.picture(bench.ui.scansSection, "scans")
    bench.session.undo()
    panel.refresh()
    assert bench.session.scan is None
    assert child(bench, "inputSelector0").currentNode() is None


def test_a_scan_of_another_kind_is_refused_beside_its_selector(bench, a_crop):
    bench.session.add_scan(replace(a_crop, modality=Modality.CT))
    panel_of(bench)
    assert "is a CT scan" in child(bench, "inputNote0").text
    bench.picture(bench.ui.scansSection, "scans-refused")


def test_a_scan_that_does_not_tell_its_kind_is_noted(bench, a_crop):
    bench.session.add_scan(a_crop)
    panel_of(bench)
    assert "does not say what kind of scan it is" in child(bench, "inputNote0").text


def test_refreshing_keeps_the_selectors_and_tells_nobody(bench, a_crop):
    panel = panel_of(bench)
    bench.session.add_scan(a_crop)
    panel.refresh()
    states, selector = bench.session.undo_stack.n_commands(), child(bench, "inputSelector0")
    panel.refresh()
    pump()
    assert child(bench, "inputSelector0") is selector
    assert selector.currentNode() is bench.session.scan
    assert bench.session.undo_stack.n_commands() == states


def test_a_model_that_is_gone_leaves_no_selector(bench):
    panel = panel_of(bench)
    bench.session.choose(model="no-such-model")
    panel.refresh()
    pump()
    from PySide6 import QtWidgets

    assert bench.ui.scansSection.findChildren(QtWidgets.QWidget, "inputSelector0") == []


def test_the_only_volume_of_a_scene_is_taken_but_none_of_two(bench, a_crop):
    panel = panel_of(bench)
    first = volume_to_node(a_crop, bench.session.scene)
    second = volume_to_node(a_crop, bench.session.scene)
    panel.choose_the_only_scan()
    assert bench.session.scan is None
    bench.session.scene.RemoveNode(second)
    panel.choose_the_only_scan()
    assert bench.session.scan is first


def test_the_sample_head_comes_with_one_click(bench):
    panel_of(bench)
    bench.ui.sampleButton.click()
    assert bench.session.scan.GetName() == "ICBM152 T1"
    assert bench.session.inputs[0].is_ready and bench.session.inputs[0].note == ""
