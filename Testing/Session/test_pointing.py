"""Click to segment, driven as a face drives it: each click a segment, a point and a row, each undone in one step."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Bridge.geometry import box_of
from MedSegAI.Bridge.nodule_segments import nodule_records
from MedSegAI.Bridge.point_lists import point_keys, remove_point
from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Bridge.segment_layers import layer_voxels
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, read_provenance
from MedSegAI.Bridge.volume_nodes import node_to_volume, world_grid
from MedSegAI.Logic.errors import InputError, RegionError, WorkerError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.inference.pointed_result import points_of
from MedSegAI.Session.exports import heat_map_writer, nodules_writer
from MedSegAI.Session.nodules import NoduleTable
from MedSegAI.Session.pointing import Pointing
from MedSegAI.Session.run import Outcome, RunKind
from MedSegAI.Session.session import Session
from Testing.pointed_model import NAME, a_chest, install_pointed_model
from Testing.Session.conftest import work_through

FIRST, SECOND, NOWHERE = (10.0, 5.0, 3.0), (-20.0, -10.0, -8.0), (31.0, 20.0, 0.0)
LUNG = (-20.0, 5.0, 0.0)
CHEST = a_chest((FIRST, 6.0), (SECOND, 4.0))


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    install_pointed_model(folder)
    return folder


@pytest.fixture
def session(a_session, models, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_MODELS", str(models))
    a_session.choose(model=NAME)
    a_session.add_scan(CHEST)
    return a_session


@pytest.fixture
def pointing(session):
    return Pointing(session)


def click(pointing, session, point, *, outcome=Outcome.DONE):
    pointing.segment_at(point)
    run = work_through(session)
    assert run.outcome is outcome, run.error
    return run


def names(session):
    return [row.name for row in session.rows]


def labels_of(session):
    return node_to_segmentation(session.segmentation, grid=world_grid(session.scan))[0].array


def a_ball(centre, radius):
    points = CHEST.grid.lps_of(np.stack(np.meshgrid(*map(np.arange, CHEST.grid.shape), indexing="ij"), axis=-1))
    return np.linalg.norm(points - np.array(centre) * (-1, -1, 1), axis=-1) <= radius


def paint(session, key):
    """Take the first half of a segment's voxels away, as an eraser does."""
    segmentation = session.segmentation.GetSegmentation()
    image = segmentation.GetSegment(key).GetRepresentation("Binary labelmap")
    voxels = layer_voxels(image)
    voxels[: len(voxels) // 2] = 0
    image.Modified()


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_the_chosen_engine_is_asked_for(pointing, session, engine):
    session.choose(engine=engine)
    click(pointing, session, FIRST)
    assert read_provenance(session.segmentation).settings["engine"] == engine


def test_a_click_gives_a_segment_a_point_and_a_row(session, pointing):
    assert pointing.is_possible and pointing.obstacle() == ""
    click(pointing, session, FIRST)
    assert names(session) == ["Lung nodule 1"]
    np.testing.assert_array_equal(labels_of(session) > 0, a_ball(FIRST, 6.0))
    assert point_keys(pointing.points) == ("lung_nodule_1",)
    (row,) = NoduleTable(session).rows()
    assert row.measures.diameter_mm == pytest.approx(12.0, abs=1.0)
    assert row.measures.volume_mm3 == a_ball(FIRST, 6.0).sum()
    assert row.measures.mean == pytest.approx(40, abs=2)
    assert row.point == FIRST and not row.cut and 0.9 < row.confidence <= 1


def test_the_next_click_joins_the_same_segmentation_and_changes_nothing_that_is_there(session, pointing):
    click(pointing, session, FIRST)
    node = session.segmentation
    paint(session, "lung_nodule_1")
    edited = labels_of(session)
    click(pointing, session, SECOND)
    assert session.segmentation is node and names(session) == ["Lung nodule 1", "Lung nodule 2"]
    np.testing.assert_array_equal(labels_of(session) == 1, edited == 1)
    np.testing.assert_array_equal(labels_of(session) == 2, a_ball(SECOND, 4.0))
    made = read_provenance(node)
    assert points_of(made) == [list(FIRST), list(SECOND)] and made.grid_shape == CHEST.grid.shape
    assert session.question() != "", "the correction is still known as one"


def test_each_click_is_undone_and_done_again_in_one_step(session, pointing):
    def facts():
        points = () if pointing.points is None else point_keys(pointing.points)
        return (session.segmentation, points, len(session.rows), session.undo_stack.index())

    seen = [facts()]
    for point in (FIRST, SECOND):
        click(pointing, session, point)
        seen.append(facts())
    assert [one[3] for one in seen] == [seen[0][3] + step for step in range(3)]
    voxels = labels_of(session)
    for expected in (seen[1], seen[0]):
        session.undo()
        assert facts() == expected
    for expected in seen[1:]:
        session.redo()
        assert facts() == expected
    np.testing.assert_array_equal(labels_of(session), voxels)
    assert session.question() == ""
    assert len(NoduleTable(session).rows()) == 2


def test_the_same_nodule_is_not_segmented_twice(session, pointing):
    click(pointing, session, FIRST)
    states = session.undo_stack.n_commands()
    run = click(pointing, session, (FIRST[0] + 3, *FIRST[1:]), outcome=Outcome.FAILED)
    assert "is 'Lung nodule 1', which is there already" in str(run.error)
    assert names(session) == ["Lung nodule 1"] and session.undo_stack.n_commands() == states


def test_where_nothing_is_found_nothing_is_left_behind(session, pointing):
    click(pointing, session, FIRST)
    states = session.undo_stack.n_commands()
    run = click(pointing, session, NOWHERE, outcome=Outcome.FAILED)
    assert "No lung nodule was found at 31.0, 20.0, 0.0" in str(run.error)
    assert point_keys(pointing.points) == ("lung_nodule_1",)
    assert session.undo_stack.n_commands() == states


def test_a_first_click_that_finds_nothing_leaves_no_segmentation(session, pointing):
    click(pointing, session, NOWHERE, outcome=Outcome.FAILED)
    assert session.segmentation is None


def test_a_cancelled_click_leaves_nothing_behind(session, pointing):
    click(pointing, session, FIRST)
    pointing.segment_at(SECOND)
    assert len(point_keys(pointing.points)) == 2, "the place is shown while it is worked on"
    session.cancel()
    assert work_through(session).outcome is Outcome.CANCELLED
    assert point_keys(pointing.points) == ("lung_nodule_1",) and names(session) == ["Lung nodule 1"]


def test_while_one_click_is_worked_on_another_is_refused(session, pointing):
    pointing.segment_at(FIRST)
    with pytest.raises(WorkerError, match="still being computed"):
        pointing.segment_at(SECOND)
    assert work_through(session).outcome is Outcome.DONE
    assert names(session) == ["Lung nodule 1"] and point_keys(pointing.points) == ("lung_nodule_1",)


def test_what_cannot_be_pointed_at_is_refused_with_a_sentence(session, pointing):
    with pytest.raises(RegionError, match="lies outside 'chest'"):
        pointing.segment_at((300.0, 0.0, 0.0))
    with pytest.raises(RegionError, match="segments what is pointed at: point at it in a slice"):
        session.start_segment()
    assert "point at it in a slice" in session.obstacle()
    session.choose(model="hippocampus-mr")
    assert not pointing.is_possible
    with pytest.raises(RegionError, match="does not segment what is pointed at"):
        pointing.segment_at(FIRST)


def test_the_heat_map_follows_where_it_is_wanted_and_lies_around_the_click(session, pointing):
    session.choose(explain_points=True)
    pointing.segment_at(SECOND)
    run = work_through(session)
    assert (run.kind, run.outcome) == (RunKind.EXPLAIN, Outcome.DONE), run.error
    heat = node_to_volume(session.heat_map)
    assert heat.array.max() == 1.0
    assert heat.grid.voxel_count < CHEST.grid.voxel_count
    there, lung = (tuple(np.round(heat.grid.kji_of(np.array(at) * (-1, -1, 1))).astype(int)) for at in (SECOND, LUNG))
    assert heat.array[there] > 0.5 and heat.array[lung] < 0.2
    assert session.heat_map.GetAttribute("MedSegAI.HeatTarget") == "lung_nodule_1"


def test_any_of_the_segments_can_be_explained_later(session, pointing):
    for point in (FIRST, SECOND):
        click(pointing, session, point)
    session.choose(target="lung_nodule_2")
    session.start_explain()
    assert work_through(session).outcome is Outcome.DONE, session.run.error
    heat = node_to_volume(session.heat_map)
    middle = heat.grid.lps_of((np.array(heat.grid.shape) - 1) / 2) * (-1, -1, 1)
    assert np.linalg.norm(middle[:2] - SECOND[:2]) < 8


def test_a_heat_map_is_written_on_the_scans_grid(session, pointing, tmp_path):
    session.choose(explain_points=True)
    click(pointing, session, SECOND)
    path = tmp_path / "heat.nrrd"
    heat_map_writer(session)(path)
    written = read_volume(path)
    assert written.grid.same_frame(CHEST.grid)
    assert written.array.max() == 1.0 and written.array[~a_ball(SECOND, 45.0)].max() == 0


def test_a_corrected_segment_is_measured_as_it_is_now(session, pointing, tmp_path):
    table = NoduleTable(session)
    click(pointing, session, FIRST)
    (before,) = table.rows()
    paint(session, "lung_nodule_1")
    (after,) = table.rows()
    assert after.measures.volume_mm3 == pytest.approx(before.measures.volume_mm3 / 2, rel=0.1)
    path = session.save(tmp_path / "case.mrb")
    assert nodule_records(session.segmentation)["lung_nodule_1"].measures == after.measures
    again = Session(new_scene(), session.runner)
    again.open(path)
    assert NoduleTable(again).rows() == (after,)
    again.close()


def test_a_case_opened_again_goes_on_where_it_was(session, pointing, tmp_path):
    click(pointing, session, FIRST)
    path = session.save(tmp_path / "case.mrb")
    again = Session(new_scene(), session.runner)
    again.open(path)
    assert NoduleTable(again).rows() == NoduleTable(session).rows()
    pointing = Pointing(again)
    click(pointing, again, SECOND)
    assert names(again) == ["Lung nodule 1", "Lung nodule 2"]
    assert point_keys(pointing.points) == ("lung_nodule_1", "lung_nodule_2")
    again.close()


def test_a_segment_is_removed_with_its_point_and_comes_back_in_one_step(session, pointing):
    for point in (FIRST, SECOND):
        click(pointing, session, point)
    before = labels_of(session)
    pointing.remove("lung_nodule_1")
    assert names(session) == ["Lung nodule 2"] and point_keys(pointing.points) == ("lung_nodule_2",)
    assert points_of(read_provenance(session.segmentation)) == [list(SECOND)]
    session.undo()
    np.testing.assert_array_equal(labels_of(session), before)
    assert sorted(point_keys(pointing.points)) == ["lung_nodule_1", "lung_nodule_2"]
    assert names(session) == ["Lung nodule 1", "Lung nodule 2"], "at its place"
    session.redo()
    click(pointing, session, FIRST)
    assert names(session) == ["Lung nodule 2", "Lung nodule 3"]
    with pytest.raises(InputError, match="no such segment"):
        pointing.remove("lung_nodule_1")


def test_a_heat_map_goes_with_its_segment_and_comes_back_with_it(session, pointing):
    session.choose(explain_points=True)
    click(pointing, session, FIRST)
    heat = session.heat_map
    pointing.remove("lung_nodule_1")
    assert session.heat_map is None
    session.undo()
    assert session.heat_map is heat and names(session) == ["Lung nodule 1"]


def test_a_deleted_point_offers_its_segment_for_removal(session, pointing):
    for point in (FIRST, SECOND):
        click(pointing, session, point)
    table = NoduleTable(session)
    assert table.without_point() == ()
    remove_point(pointing.points, "lung_nodule_1")
    (orphan,) = table.without_point()
    assert orphan.name == "Lung nodule 1"
    pointing.remove(orphan.key)
    assert table.without_point() == () and names(session) == ["Lung nodule 2"]
    session.undo()
    assert names(session)[0] == "Lung nodule 1" and point_keys(pointing.points) == ("lung_nodule_2",)


def test_only_what_lies_around_the_click_is_handed_to_the_worker(session, pointing, monkeypatch):
    seen = []
    start = session.runner.start_segment

    def watched(scans, **options):
        seen.append(scans.on.grid.voxel_count)
        return start(scans, **options)

    wide = a_chest((FIRST, 6.0), shape=(60, 200, 200))
    session.add_scan(replace(wide, name="wide"))
    monkeypatch.setattr(session.runner, "start_segment", watched)
    click(pointing, session, FIRST)
    assert seen[0] < 90 * 90 * 60 < wide.grid.voxel_count / 4
    assert box_of(_image(session, "lung_nodule_1")).shape == (12, 12, 12), "cropped to its voxels"


def test_the_table_is_written_as_csv(session, pointing, tmp_path):
    for point in (FIRST, SECOND):
        click(pointing, session, point)
    nodules_writer(session)(tmp_path / "nodules.csv")
    rows = list(csv.DictReader((tmp_path / "nodules.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == ["Lung nodule 1", "Lung nodule 2"]
    assert float(rows[1]["a_mm"]) == -10.0


def _image(session, key):
    return session.segmentation.GetSegmentation().GetSegment(key).GetRepresentation("Binary labelmap")
