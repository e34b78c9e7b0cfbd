"""One case, driven as a face drives it: every action once undoable, all of it saved with the scene."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.parameter_node import parameter_node
from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, read_provenance
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.errors import InputError, RegionError, WorkerError
from MedSegAI.Logic.volume import Modality
from MedSegAI.Logic.worker.runner import InlineRunner
from MedSegAI.Session.choices import Choices, RegionChoice
from MedSegAI.Session.run import Outcome
from MedSegAI.Session.session import Session, SessionEvent, installed_models
from Testing.Session.conftest import work_through


def labels_of(session):
    return node_to_segmentation(session.segmentation, grid=node_to_volume(session.scan).grid)[0].array


def test_a_new_session_says_what_is_missing(a_session):
    assert a_session.obstacle() == "Choose the T1 scan (MR) first."
    with pytest.raises(InputError, match="Choose the T1 scan"):
        a_session.start_segment()
    assert a_session.run is None


def test_a_model_that_is_not_installed_is_an_obstacle_not_a_crash(a_session):
    a_session.choose(model="no-such-model")
    assert "There is no model 'no-such-model'" in a_session.obstacle()
    assert a_session.inputs == ()


def test_the_shipped_model_is_offered():
    assert "hippocampus-mr" in [model.card.name for model in installed_models()]


def test_a_scan_of_another_kind_is_refused_before_anything_runs(a_session, a_crop):
    from dataclasses import replace

    a_session.add_scan(replace(a_crop, modality=Modality.CT))
    assert "is a CT scan" in a_session.inputs[0].problem
    assert a_session.obstacle() == a_session.inputs[0].problem


def test_a_scan_that_does_not_tell_its_kind_is_noted_not_refused(a_session_with_a_crop):
    slot = a_session_with_a_crop.inputs[0]
    assert slot.is_ready and "does not say what kind of scan it is" in slot.note


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_the_chosen_engine_is_asked_for(a_session_with_a_crop, engine):
    session = a_session_with_a_crop
    session.choose(engine=engine)
    session.start_segment()
    assert work_through(session).outcome is Outcome.DONE, session.run.error
    assert read_provenance(session.segmentation).settings["engine"] == engine


def test_segmenting_gives_named_segments_with_volumes_and_confidence(a_segmented_crop):
    assert a_segmented_crop.run.outcome is Outcome.DONE, a_segmented_crop.run.error
    rows = {row.key: row for row in a_segmented_crop.rows}
    assert set(rows) == {"anterior_hippocampus", "posterior_hippocampus"}
    assert all(0.5 < row.volume_ml < 3.0 and 0.5 < row.confidence <= 1.0 for row in rows.values())
    assert any("Needs about" in text for text in a_segmented_crop.run.messages)


def test_a_rerun_keeps_the_earlier_result_and_hides_it(a_segmented_crop):
    earlier = a_segmented_crop.segmentation
    before = labels_of(a_segmented_crop)
    a_segmented_crop.start_segment()
    work_through(a_segmented_crop)
    assert a_segmented_crop.segmentation is not earlier
    assert a_segmented_crop.scene.IsNodePresent(earlier)
    assert not earlier.GetDisplayVisibility() and a_segmented_crop.segmentation.GetDisplayVisibility()
    a_segmented_crop.show_result(earlier)
    assert earlier.GetDisplayVisibility()
    assert np.array_equal(labels_of(a_segmented_crop), before)


def test_who_goes_on_to_another_scan_finds_the_result_when_coming_back(a_session_with_a_crop, another_crop):
    session, first = a_session_with_a_crop, a_session_with_a_crop.scan
    session.start_segment()
    second = session.add_scan(another_crop)
    assert work_through(session).outcome is Outcome.DONE, session.run.error
    assert session.scan is second and session.segmentation is None
    (made,) = (
        node for node in session.scene.GetNodesByClass("vtkMRMLSegmentationNode") if not node.GetHideFromEditors()
    )
    assert not made.GetDisplayVisibility()
    session.set_input(0, first)
    assert session.segmentation is made and made.GetDisplayVisibility()


def test_a_heat_map_is_not_laid_over_another_result_that_was_chosen_meanwhile(a_segmented_crop, another_crop):
    a_segmented_crop.start_explain()
    a_segmented_crop.add_scan(another_crop)
    assert work_through(a_segmented_crop).outcome is Outcome.DONE, a_segmented_crop.run.error
    assert a_segmented_crop.heat_map is None


def test_a_corrected_result_is_asked_about(a_segmented_crop):
    assert a_segmented_crop.question() == ""
    segment = a_segmented_crop.segmentation.GetSegmentation().GetNthSegment(0)
    image = segment.GetRepresentation("Binary labelmap")
    image.SetScalarComponentFromFloat(image.GetExtent()[0], image.GetExtent()[2], image.GetExtent()[4], 0, 1)
    image.Modified()
    assert "was corrected" in a_segmented_crop.question()


def test_explaining_lays_a_heat_map_over_the_scan(a_segmented_crop):
    a_segmented_crop.choose(target="posterior_hippocampus", heat_opacity=0.25)
    a_segmented_crop.start_explain()
    assert work_through(a_segmented_crop).outcome is Outcome.DONE, a_segmented_crop.run.error
    heat = a_segmented_crop.heat_map
    assert node_to_volume(heat).array.max() == 1.0
    composite = a_segmented_crop.scene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert composite.GetForegroundVolumeID() == heat.GetID()
    assert composite.GetForegroundOpacity() == 0.25
    a_segmented_crop.choose(heat_in_slices=False)
    assert composite.GetForegroundVolumeID() is None
    a_segmented_crop.choose(heat_in_3d=True)
    assert a_segmented_crop.scene.GetFirstNodeByClass("vtkMRMLModelNode").GetDisplayVisibility()


def test_there_is_nothing_to_explain_without_a_segmentation(a_session_with_a_crop):
    with pytest.raises(InputError, match="no segmentation to explain"):
        a_session_with_a_crop.start_explain()


def test_each_action_is_undone_and_done_again_in_one_step(a_session, a_crop):
    """Scan, choice, segmentation, heat map: four actions, four undo states, forth and back and forth."""

    def facts():
        state = (a_session.scan, a_session.choices, a_session.segmentation, a_session.heat_map)
        return (*state, a_session.scene.GetNumberOfNodesByClass("vtkMRMLDisplayableNode"))

    seen = [facts()]
    a_session.add_scan(a_crop)
    seen.append(facts())
    a_session.choose(region=RegionChoice.WHOLE)
    seen.append(facts())
    a_session.start_segment()
    work_through(a_session)
    seen.append(facts())
    a_session.start_explain()
    work_through(a_session)
    seen.append(facts())
    voxels = labels_of(a_session).sum()
    for expected in reversed(seen[:-1]):
        a_session.undo()
        assert facts() == expected
    assert not a_session.undo_stack.can_undo()
    for expected in seen[1:]:
        a_session.redo()
        assert facts() == expected
    assert labels_of(a_session).sum() == voxels


def test_dragging_a_slider_is_one_undo_state(a_session):
    for step in range(20):
        a_session.choose(heat_threshold=step / 20)
    assert a_session.undo_stack.n_commands() == 1
    a_session.undo()
    assert a_session.choices == Choices()


def test_whoever_writes_the_parameter_node_gets_one_undo_state(a_session):
    parameter_node(a_session.scene).SetParameter("heat_opacity", "0.9")
    assert a_session.choices.heat_opacity == 0.9
    a_session.undo()
    assert a_session.choices.heat_opacity == Choices().heat_opacity


def test_a_refused_choice_changes_nothing(a_session):
    with pytest.raises(InputError):
        a_session.choose(model="mine", heat_opacity=2.0)
    assert a_session.choices == Choices() and not a_session.undo_stack.can_undo()


def test_an_observer_hears_of_changes_until_it_leaves(a_session):
    heard = []
    leave = a_session.observe(heard.append)
    a_session.choose(heat_opacity=0.1)
    assert SessionEvent.CASE in heard
    heard.clear()
    leave()
    leave()
    a_session.choose(heat_opacity=0.2)
    assert heard == []


def test_an_mrb_opened_again_is_the_same_session(a_segmented_crop, a_runner, tmp_path):
    a_segmented_crop.choose(target="posterior_hippocampus", heat_threshold=0.6)
    a_segmented_crop.start_explain()
    work_through(a_segmented_crop)
    a_segmented_crop.place_roi()
    path = a_segmented_crop.save(tmp_path / "case.mrb")
    again = Session(new_scene(), a_runner)
    again.open(path)
    assert again.choices == a_segmented_crop.choices
    for role in ("scan", "segmentation", "heat_map", "roi"):
        assert getattr(again, role).GetName() == getattr(a_segmented_crop, role).GetName(), role
    assert again.rows == a_segmented_crop.rows
    assert np.array_equal(labels_of(again), labels_of(a_segmented_crop))
    assert again.question() == "" and not again.undo_stack.can_undo()
    again.start_explain()
    assert work_through(again).outcome is Outcome.DONE, again.run.error


def test_opening_a_broken_scene_leaves_the_case_as_it_was(a_session_with_a_crop, tmp_path):
    (tmp_path / "broken.mrb").write_bytes(b"PK no scene")
    scan = a_session_with_a_crop.scan
    with pytest.raises(InputError, match="damaged"):
        a_session_with_a_crop.open(tmp_path / "broken.mrb")
    assert a_session_with_a_crop.scan is scan and a_session_with_a_crop.undo_stack.can_undo()


def test_a_closed_scene_is_a_new_case(a_segmented_crop):
    a_segmented_crop.choose(heat_opacity=0.9)
    a_segmented_crop.scene.Clear(False)
    assert a_segmented_crop.scan is None and a_segmented_crop.segmentation is None
    assert a_segmented_crop.choices == Choices()
    assert not a_segmented_crop.undo_stack.can_undo()


def test_a_scan_the_user_removes_is_not_ours_to_bring_back(a_segmented_crop):
    count = a_segmented_crop.undo_stack.n_commands()
    a_segmented_crop.scene.RemoveNode(a_segmented_crop.scan)
    assert a_segmented_crop.scan is None
    assert a_segmented_crop.undo_stack.n_commands() == count


def test_choosing_a_scan_again_brings_its_latest_result(a_segmented_crop, another_crop):
    first, result = a_segmented_crop.scan, a_segmented_crop.segmentation
    a_segmented_crop.add_scan(another_crop)
    assert a_segmented_crop.segmentation is None and not result.GetDisplayVisibility()
    a_segmented_crop.set_input(0, first)
    assert a_segmented_crop.segmentation is result and result.GetDisplayVisibility()


def test_only_one_thing_runs_at_a_time(a_session_with_a_crop):
    a_session_with_a_crop.start_segment()
    with pytest.raises(WorkerError, match="still being computed"):
        a_session_with_a_crop.start_segment()
    a_session_with_a_crop.cancel()
    assert a_session_with_a_crop.run.outcome is Outcome.STOPPING
    assert work_through(a_session_with_a_crop).outcome is Outcome.CANCELLED
    assert a_session_with_a_crop.segmentation is None


def test_a_scene_closed_while_something_runs_gets_no_result(a_session_with_a_crop):
    a_session_with_a_crop.start_segment()
    a_session_with_a_crop.scene.Clear(False)
    assert work_through(a_session_with_a_crop).outcome is Outcome.CANCELLED
    assert a_session_with_a_crop.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def test_a_region_that_was_not_placed_is_said(a_session_with_a_crop):
    a_session_with_a_crop.choose(region=RegionChoice.ROI)
    with pytest.raises(RegionError, match="No region of interest was placed"):
        a_session_with_a_crop.start_segment()
    a_session_with_a_crop.choose(region=RegionChoice.POINT)
    with pytest.raises(RegionError, match="No point was placed"):
        a_session_with_a_crop.start_segment()


def test_a_placed_region_is_segmented_and_nothing_outside_it(a_session_with_a_crop):
    a_session_with_a_crop.choose(region=RegionChoice.ROI)
    a_session_with_a_crop.place_roi()
    a_session_with_a_crop.start_segment()
    work_through(a_session_with_a_crop)
    bounds = np.zeros(6)
    a_session_with_a_crop.roi.GetRASBounds(bounds)
    scan = node_to_volume(a_session_with_a_crop.scan)
    kji = np.argwhere(labels_of(a_session_with_a_crop))
    ras = np.array([scan.grid.lps_of(point) for point in kji]) * (-1, -1, 1)
    assert len(ras) > 0
    assert (ras.min(axis=0) >= bounds[::2] - 0.51).all() and (ras.max(axis=0) <= bounds[1::2] + 0.51).all()


def test_the_examination_tells_of_torch_without_this_process_asking(a_session):
    a_session.start_examine()
    assert work_through(a_session).outcome is Outcome.DONE
    assert "torch" in [check.name for check in a_session.checks]


def test_the_model_is_warmed_up_once_there_is_a_scan_and_again_for_another_choice(a_crop):
    class Noting(InlineRunner):
        def __init__(self):
            super().__init__()
            self.asked = []

        def warm_up(self, model, *, settings):
            self.asked.append((model.card.name, settings.engine.value))

    session = Session(new_scene(), Noting())
    session.warm_up()
    assert session.runner.asked == []
    session.add_scan(a_crop)
    for _ in range(2):
        session.warm_up()
    session.choose(engine="torch")
    session.warm_up()
    assert session.runner.asked == [("hippocampus-mr", "auto"), ("hippocampus-mr", "torch")]
    session.choose(model="no-such-model")
    session.warm_up()
    session.close()
