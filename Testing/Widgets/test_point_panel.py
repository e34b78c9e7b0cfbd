"""The panel that points at nodules: its button, its table, and what it says; with real clicks on real MRML."""

from __future__ import annotations

import pytest

from Testing.pointed_model import NAME, a_chest, install_pointed_model

FIRST, SECOND = (10.0, 5.0, 3.0), (-20.0, -10.0, -8.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    install_pointed_model(folder)
    return folder


@pytest.fixture
def panel(bench, models, monkeypatch):
    from MedSegAI.Widgets.point_panel import PointPanel

    monkeypatch.setenv("MEDSEGAI_MODELS", str(models))
    for kind in ("Selection", "Interaction"):
        bench.session.scene.AddNewNodeByClass(f"vtkMRML{kind}Node")
    made = PointPanel(bench.ui, bench.session)
    bench.session.choose(model=NAME)
    bench.session.add_scan(a_chest((FIRST, 6.0), (SECOND, 4.0)))
    made.refresh()
    yield made
    made.close()


def click_at(bench, panel, point):
    """Place a point as a click in a view does, and wait until it has been worked on."""
    from Testing.Widgets.qt_host.waiting import pump

    aims = bench.session.scene.GetNodesByClass("vtkMRMLMarkupsFiducialNode")
    (aim,) = (node for node in aims if node.GetHideFromEditors())
    aim.AddControlPointWorld(*point)
    pump()
    bench.work_through()
    panel.refresh()


def cells(bench):
    table = bench.ui.pointsTable
    return [[table.item(row, column).text() for column in range(5)] for row in range(table.rowCount)]


def test_it_is_there_for_models_that_segment_what_is_pointed_at(bench, panel):
    assert not bench.ui.pointSection.isHidden()
    assert bench.ui.pointNote.text == "Segments what is pointed at; it does not look for nodules."
    bench.session.choose(model="hippocampus-mr")
    panel.refresh()
    assert bench.ui.pointSection.isHidden()


def test_the_region_is_not_asked_for_with_such_a_model(bench, panel):
    from MedSegAI.Widgets.region_panel import RegionPanel

    region = RegionPanel(bench.ui, bench.session)
    region.refresh()
    assert bench.ui.regionSection.isHidden()
    bench.session.choose(model="hippocampus-mr")
    region.refresh()
    assert not bench.ui.regionSection.isHidden()


def test_each_click_gives_a_row_until_the_tool_is_left(bench, panel):
    bench.ui.pointButton.click()
    assert panel.is_aiming and "Click on a nodule" in bench.ui.pointNote.text
    for point in (FIRST, SECOND):
        click_at(bench, panel, point)
    bench.picture(bench.ui.pointSection, "point-panel")
    assert [row[0] for row in cells(bench)] == ["Lung nodule 1", "Lung nodule 2"]
    assert float(cells(bench)[0][1]) == pytest.approx(12.0, abs=1.0)
    assert "x" in bench.ui.pointsTable.item(0, 1).toolTip()
    assert panel.is_aiming and bench.ui.pointButton.checked
    panel.escape(lambda: pytest.fail("Esc leaves the tool first"))
    assert not panel.is_aiming and not bench.ui.pointButton.checked
    pressed = []
    panel.escape(lambda: pressed.append("cancel"))
    assert pressed == ["cancel"]


def test_a_click_on_nothing_is_answered_with_a_sentence(bench, panel):
    bench.ui.pointButton.click()
    click_at(bench, panel, (31.0, 20.0, 0.0))
    assert "No lung nodule was found" in str(bench.session.run.error)
    click_at(bench, panel, (300.0, 0.0, 0.0))
    assert "lies outside" in bench.problem
    assert cells(bench) == [] and bench.ui.pointsTable.isHidden()


def test_the_tool_is_left_with_slicers_own_place_mode(bench, panel):
    import slicer

    bench.ui.pointButton.click()
    slicer.app.applicationLogic().GetInteractionNode().SwitchToViewTransformMode()
    panel.refresh()
    assert not panel.is_aiming and not bench.ui.pointButton.checked


def test_a_heat_map_is_made_for_the_chosen_row(bench, panel):
    bench.ui.pointButton.click()
    click_at(bench, panel, SECOND)
    bench.ui.pointHeatButton.click()
    run = bench.work_through()
    assert run.error is None and "Lung nodule 1" in bench.session.heat_map.GetName()
    bench.ui.explainPointsCheck.click()
    assert bench.session.choices.explain_points


def test_a_deleted_point_offers_to_remove_its_segment(bench, panel):
    from MedSegAI.Bridge.point_lists import remove_point

    bench.ui.pointButton.click()
    for point in (FIRST, SECOND):
        click_at(bench, panel, point)
    heard = []
    bench.session.observe(heard.append)
    points = bench.session.scene.GetFirstNodeByName("Pointed at")
    remove_point(points, "lung_nodule_1")
    assert heard, "the panel learns of it"
    panel.refresh()
    assert "The point of 'Lung nodule 1' was deleted" in bench.ui.pointNote.text
    bench.ui.pointRemoveButton.click()
    panel.refresh()
    assert [row[0] for row in cells(bench)] == ["Lung nodule 2"]


def test_nothing_is_left_of_the_tool_when_the_panel_closes(bench, panel):
    bench.ui.pointButton.click()
    panel.close()
    nodes = bench.session.scene.GetNodesByClass("vtkMRMLMarkupsFiducialNode")
    assert not any(node.GetHideFromEditors() for node in nodes)


def test_the_measures_are_saved_as_a_table(bench, panel, tmp_path):
    from MedSegAI.Widgets.export_panel import ExportPanel

    exports = ExportPanel(bench.ui, bench.session, writing=lambda: None)
    exports.refresh()
    assert bench.ui.saveNodulesButton.isHidden()
    bench.ui.pointButton.click()
    click_at(bench, panel, FIRST)
    exports.refresh()
    assert not bench.ui.saveNodulesButton.isHidden()
    path = tmp_path / "nodules.csv"
    bench.host.dialogs.answers.append(str(path))
    bench.ui.saveNodulesButton.click()
    exports.wait()
    assert path.read_text().splitlines()[1].startswith("Lung nodule 1,lung_nodule_1,10.00,5.00,3.00,")
