"""The region's panel: what can be chosen with a model, and the box and the point."""

from __future__ import annotations

import dataclasses

import pytest

from MedSegAI.Logic.models.registry import find_model
from MedSegAI.Session.choices import RegionChoice


def panel_of(bench):
    from MedSegAI.Widgets.region_panel import RegionPanel

    panel = RegionPanel(bench.ui, bench.session)
    panel.refresh()
    return panel


@pytest.fixture
def another_model(tmp_path, monkeypatch):
    """Installs the shipped model once more, under the name "another" and with other fields on its card."""
    shipped = find_model("hippocampus-mr")
    monkeypatch.setenv("MEDSEGAI_MODELS", str(tmp_path))

    def install(**fields):
        folder = tmp_path / "another"
        folder.mkdir()
        card = dataclasses.replace(shipped.card, name="another", **fields)
        (folder / "card.json").write_text(card.to_json())
        (folder / "weights.safetensors").symlink_to(shipped.weights_path)
        return "another"

    return install


def test_a_model_with_a_localiser_finds_its_structure_itself(bench):
    panel_of(bench)
    assert bench.ui.findRadio.checked
    assert bench.ui.regionNote.text == ""
    assert not bench.ui.placeRoiButton.enabled


def test_a_point_is_offered_only_for_models_that_take_one(bench, another_model):
    panel = panel_of(bench)
    assert bench.session.model.card.point_box_mm is not None
    assert not bench.ui.pointRadio.isHidden()
    bench.session.choose(model=another_model(point_box_mm=None))
    panel.refresh()
    assert bench.ui.pointRadio.isHidden() and bench.ui.placePointButton.isHidden()


def test_a_model_that_cannot_look_for_its_structure_says_so(bench, another_model):
    bench.session.choose(model=another_model(localiser=None))
    panel_of(bench)
    assert bench.ui.regionNote.text == "This model cannot look for its structure; the whole scan is taken."


@pytest.mark.parametrize(("radio", "region"), [("wholeRadio", RegionChoice.WHOLE), ("roiRadio", RegionChoice.ROI)])
def test_each_choice_is_one_undo_state(bench, radio, region):
    panel = panel_of(bench)
    getattr(bench.ui, radio).click()
    assert bench.session.choices.region is region
    bench.session.undo()
    panel.refresh()
    assert bench.ui.findRadio.checked and not getattr(bench.ui, radio).checked


def test_the_box_is_placed_in_the_scan_and_shown(bench, a_crop):
    panel = panel_of(bench)
    bench.session.add_scan(a_crop)
    bench.ui.roiRadio.click()
    panel.refresh()
    assert bench.ui.regionNote.text == "No box yet."
    bench.ui.placeRoiButton.click()
    panel.refresh()
    assert bench.session.roi.GetDisplayVisibility()
    assert bench.ui.regionNote.text == f"Inside '{bench.session.roi.GetName()}'."
    bench.picture(bench.ui.regionSection, "region-box")


def test_a_box_that_is_in_the_scene_already_can_be_chosen(bench, a_crop):
    panel = panel_of(bench)
    bench.session.add_scan(a_crop)
    assert bench.ui.roiSelector.isHidden()
    bench.ui.roiRadio.click()
    mine = bench.session.scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "My box")
    panel.refresh()
    assert not bench.ui.roiSelector.isHidden() and bench.session.roi is None
    bench.choose_node(bench.ui.roiSelector, mine)
    panel.refresh()
    assert bench.session.roi is mine and bench.ui.regionNote.text == "Inside 'My box'."
    bench.ui.placeRoiButton.click()
    assert bench.session.roi is mine and mine.GetDisplayVisibility()
    bench.session.undo()
    panel.refresh()
    assert bench.ui.roiSelector.currentNode() is None and bench.ui.regionNote.text == "No box yet."


def test_a_point_is_placed_with_the_next_click_in_a_view(bench, a_crop):
    bench.session.add_scan(a_crop)
    panel = panel_of(bench)
    bench.ui.pointRadio.click()
    panel.refresh()
    assert bench.ui.regionNote.text == "No point yet."
    bench.ui.placePointButton.click()
    bench.session.point.AddControlPoint(1.0, 2.0, 3.0)
    panel.refresh()
    assert bench.ui.regionNote.text == f"Around the last point of '{bench.session.point.GetName()}'."
    bench.picture(bench.ui.regionSection, "region-point")


def test_placing_tells_slicer_which_node_the_next_click_belongs_to(bench, a_crop):
    import slicer

    from MedSegAI.Widgets.region_panel import start_placing

    application = slicer.app.applicationLogic()
    scene = bench.session.scene
    scene.AddNewNodeByClass("vtkMRMLInteractionNode")
    scene.AddNewNodeByClass("vtkMRMLSelectionNode")
    bench.session.add_scan(a_crop)
    point = bench.session.place_point()
    start_placing(point)
    selection, interaction = application.GetSelectionNode(), application.GetInteractionNode()
    if selection is None or interaction is None:
        pytest.skip("this application logic has no selection and interaction node")
    assert selection.GetActivePlaceNodeID() == point.GetID()
    assert interaction.GetCurrentInteractionMode() == interaction.Place
