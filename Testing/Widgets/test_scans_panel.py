"""The scans' panel: one selector for each input of the model's card, and what speaks against a choice."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.models.registry import SHIPPED_MODELS
from MedSegAI.Logic.volume import Modality
from MedSegAI.Session.run import Outcome, RunKind
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


@pytest.fixture
def two_inputs(tmp_path, monkeypatch):
    """A model that takes a T1 and a T2; only its card is looked at."""
    folder = tmp_path / "models" / "two-scans"
    shutil.copytree(SHIPPED_MODELS / "hippocampus-mr", folder)
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    card["name"] = "two-scans"
    card["inputs"].append({**card["inputs"][0], "name": "T2"})
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    monkeypatch.setenv("MEDSEGAI_MODELS", str(folder.parent))
    return "two-scans"


@pytest.fixture
def moved_apart(bench, a_crop, two_inputs):
    """Two scans of one head that say nothing of a common space; the second lies 6 mm beside the first."""
    first = replace(a_crop, modality=Modality.MR, name="t1")
    x, y, z = first.grid.origin
    grid = replace(first.grid, origin=(x + 6.0, y, z))
    bench.session.choose(model=two_inputs)
    bench.session.add_scan(first)
    bench.session.add_scan(replace(first, grid=grid, name="t2"))
    return panel_of(bench)


def test_a_model_with_one_input_has_no_buttons_for_several(bench, a_crop):
    bench.session.add_scan(a_crop)
    panel_of(bench)
    for name in ("inputView0", "inputAlign0", "inputTakeOff0"):
        assert child(bench, name).isHidden(), name
    assert bench.ui.sameSpaceCheck.isHidden()


def test_several_scans_say_how_they_lie_to_the_first_and_which_one_is_shown(bench, moved_apart):
    assert child(bench, "inputSpace0").isHidden() and child(bench, "inputAlign0").isHidden()
    told = child(bench, "inputSpace1").text
    assert bench.session.inputs[1].space.sentence in told and bench.session.inputs[1].space.advice in told
    assert not child(bench, "inputAlign1").isHidden() and child(bench, "inputTakeOff1").isHidden()
    assert child(bench, "inputView1").checked and not child(bench, "inputView0").checked
    bench.picture(bench.ui.scansSection, "scans-apart")
    child(bench, "inputView0").click()
    moved_apart.refresh()
    assert bench.session.viewed_input.GetName() == "t1"
    assert child(bench, "inputView0").checked and not child(bench, "inputView1").checked


def test_aligning_moves_a_scan_and_putting_it_back_undoes_that(bench, moved_apart):
    child(bench, "inputAlign1").click()
    run = bench.work_through()
    assert (run.kind, run.outcome) == (RunKind.ALIGN, Outcome.DONE), run.error
    moved_apart.refresh()
    moved = bench.session.inputs[1]
    assert moved.lies_right and moved.node.GetParentTransformNode() is not None
    assert child(bench, "inputSpace1").text == moved.space.sentence
    bench.picture(bench.ui.scansSection, "scans-aligned")
    child(bench, "inputTakeOff1").click()
    moved_apart.refresh()
    assert moved.node.GetParentTransformNode() is None
    assert not bench.session.inputs[1].lies_right
    bench.session.undo()
    assert moved.node.GetParentTransformNode() is not None


def test_a_person_can_say_that_they_lie_right_as_they_are(bench, moved_apart):
    assert not bench.ui.sameSpaceCheck.isHidden()
    bench.ui.sameSpaceCheck.click()
    moved_apart.refresh()
    assert bench.session.inputs[1].lies_right
    bench.session.undo()
    moved_apart.refresh()
    assert not bench.ui.sameSpaceCheck.checked and not bench.session.inputs[1].lies_right
