"""Several experts correct one AI result; their corrections are kept, shown, fused and compared."""

from __future__ import annotations

import json

import numpy as np
import pytest
import slicer
from vtkmodules.util.numpy_support import vtk_to_numpy

from MedSegAI.Bridge.rater_nodes import rater_node
from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.consensus.fuse import Method
from MedSegAI.Logic.corrections.entry import Status
from MedSegAI.Logic.corrections.record import Rater
from MedSegAI.Logic.errors import InputError
from MedSegAI.Session.expert_review import ExpertReview
from MedSegAI.Session.exports import segmentation_writer
from MedSegAI.Session.run import Outcome
from MedSegAI.Session.session import Session
from Testing.Session.conftest import work_through


@pytest.fixture
def a_review(a_segmented_crop, tmp_path):
    a_segmented_crop.choose(journal=str(tmp_path / "case"))
    review = ExpertReview(a_segmented_crop)
    yield review
    review.close()


@pytest.fixture
def three_experts(a_review, a_segmented_crop):
    """Ann and Ben take a slab of planes away, each another one; Cleo says it is right as it is."""
    for rater, planes in (("Ann", slice(0, 6)), ("Ben", slice(0, 3)), ("Cleo", None)):
        correct(a_review, a_segmented_crop, rater, planes)
    return a_review


def correct(review, session, rater, planes):
    """One rater takes planes of the AI's result away and says that this is final; then the AI's result comes back."""
    image = session.segmentation.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap")
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    before = voxels.copy()
    if planes is not None:
        voxels[planes] = 0
        image.Modified()
    session.choose(rater=rater, rater_role="radiologist")
    review.start_record(Status.FINAL, comment=f"by {rater}")
    assert work_through(session).outcome is Outcome.DONE, session.run.error
    voxels[...] = before
    image.Modified()


def labels_in(session, node):
    return node_to_segmentation(node, grid=node_to_volume(session.scan).grid)[0].array


def test_a_correction_needs_the_name_of_its_rater(a_review):
    with pytest.raises(InputError, match="name of its rater"):
        a_review.start_record(Status.FINAL)


def test_a_correction_is_one_click_and_only_the_changed_box_is_kept(three_experts, a_segmented_crop):
    rows = {row.rater: row for row in three_experts.rows()}
    assert list(rows) == ["Ann", "Ben", "Cleo"]
    assert (rows["Ann"].status, rows["Ann"].role, rows["Ann"].comment) == ("final", "radiologist", "by Ann")
    ann, ben, cleo = (three_experts.journal().standing(rater) for rater in rows)
    shape = node_to_volume(a_segmented_crop.scan).grid.shape
    assert cleo.box is None and ben.box.shape[0] < ann.box.shape[0] < shape[0]
    assert ann.origin.model == "hippocampus-mr"


def test_nothing_changed_is_said(a_review, a_segmented_crop):
    correct(a_review, a_segmented_crop, "Cleo", None)
    a_segmented_crop.choose(rater="Cleo")
    a_review.start_record(Status.FINAL)
    run = work_through(a_segmented_crop)
    assert run.outcome is Outcome.FAILED and "Nothing was changed" in str(run.error)


def test_raters_are_shown_as_outlines_compared_and_hidden(three_experts, a_segmented_crop):
    three_experts.start_show("Ann", "Ben", "Cleo")
    work_through(a_segmented_crop)
    assert [row.visible for row in three_experts.rows()] == [True, True, True]
    ann, ben = (rater_node(a_segmented_crop.scene, rater) for rater in ("Ann", "Ben"))
    assert labels_in(a_segmented_crop, ann).sum() < labels_in(a_segmented_crop, ben).sum()
    three_experts.start_compare("Ann", "Ben")
    work_through(a_segmented_crop)
    assert [row.visible for row in three_experts.rows()] == [True, True, False]
    assert rater_node(a_segmented_crop.scene, "Ann") is ann
    three_experts.hide("Ann")
    assert not three_experts.rows()[0].visible


@pytest.mark.parametrize("method", list(Method))
def test_the_raters_are_fused_and_each_is_measured_against_the_consensus(three_experts, a_segmented_crop, method):
    a_segmented_crop.choose(fuse_method=method)
    three_experts.start_fuse()
    assert work_through(a_segmented_crop).outcome is Outcome.DONE, a_segmented_crop.run.error
    assert a_segmented_crop.consensus is a_segmented_crop.segmentation
    rows = {row.rater: row for row in three_experts.rows()}
    assert all(0.5 < row.dice <= 1 and 0.5 < row.sensitivity <= 1 for row in rows.values())
    assert rows["Ben"].dice > rows["Ann"].dice
    record = json.loads(a_segmented_crop.consensus.GetAttribute("MedSegAI.Consensus"))
    assert record["raters"] == ["Ann", "Ben", "Cleo"]


def test_the_consensus_follows_its_threshold_and_undo(three_experts, a_segmented_crop):
    a_segmented_crop.choose(fuse_method=Method.MAJORITY)
    three_experts.start_fuse()
    work_through(a_segmented_crop)
    node = a_segmented_crop.consensus
    middle = (labels_in(a_segmented_crop, node) > 0).sum()
    a_segmented_crop.choose(fuse_threshold=0.2)
    low = (labels_in(a_segmented_crop, node) > 0).sum()
    a_segmented_crop.choose(fuse_threshold=0.9)
    high = (labels_in(a_segmented_crop, node) > 0).sum()
    assert low > middle > high > 0
    a_segmented_crop.undo()
    assert (labels_in(a_segmented_crop, node) > 0).sum() == middle


def test_what_was_fused_goes_and_comes_with_undo_and_stays_with_its_scan(three_experts, a_segmented_crop, another_crop):
    three_experts.start_fuse()
    work_through(a_segmented_crop)
    fused, scan = three_experts.fused, a_segmented_crop.scan
    a_segmented_crop.undo()
    assert three_experts.fused is None and three_experts.rows()[0].dice is None
    assert three_experts.next_place() is None
    a_segmented_crop.redo()
    assert three_experts.fused is fused
    a_segmented_crop.choose(show_disagreement=True)
    a_segmented_crop.add_scan(another_crop)
    assert three_experts.fused is None and a_segmented_crop.disagreement is None
    composite = a_segmented_crop.scene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert composite.GetForegroundVolumeID() is None, "no map of one scan lies over another"
    a_segmented_crop.set_input(0, scan)
    assert three_experts.fused is fused
    assert composite.GetForegroundVolumeID() == a_segmented_crop.disagreement.GetID()
    a_segmented_crop.choose(journal="another folder")
    assert three_experts.fused is None


def test_disagreement_lies_over_the_scan_and_the_next_place_comes_into_the_slices(three_experts, a_segmented_crop):
    three_experts.start_fuse()
    work_through(a_segmented_crop)
    a_segmented_crop.choose(show_disagreement=True)
    composite = a_segmented_crop.scene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert composite.GetForegroundVolumeID() == a_segmented_crop.disagreement.GetID()
    assert "raters disagree" in a_segmented_crop.disagreement.GetDescription()
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(a_segmented_crop.disagreement)
    assert legend.GetTitleText() == "entropy"
    heat = node_to_volume(a_segmented_crop.disagreement).array
    assert 0 < heat.max() <= 1
    view = a_segmented_crop.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    place = three_experts.next_place()
    assert place.said[0].rater == "Ann"
    ras = np.array(place.centre_lps) * (-1, -1, 1)
    assert abs(view.GetSliceOffset() - ras[2]) < 0.51


def test_without_a_fusion_there_is_neither_place_nor_report(a_review):
    assert a_review.next_place() is None
    with pytest.raises(InputError, match="nothing to report"):
        a_review.report_writer()


def test_the_report_and_the_consensus_go_out_as_files(three_experts, a_segmented_crop, tmp_path):
    three_experts.start_fuse()
    work_through(a_segmented_crop)
    three_experts.report_writer()(tmp_path / "report")
    assert "Ann" in (tmp_path / "report" / "agreement.html").read_text()
    segmentation_writer(a_segmented_crop)(tmp_path / "fused.seg.nrrd")
    assert (tmp_path / "fused.seg.nrrd").stat().st_size > 100


def test_fusing_nobody_is_said(a_review, a_segmented_crop):
    a_review.start_fuse()
    run = work_through(a_segmented_crop)
    assert run.outcome is Outcome.FAILED and "no final correction" in str(run.error)


def test_a_withdrawn_correction_no_longer_counts(three_experts):
    three_experts.withdraw("Ann")
    assert three_experts.rows()[0].status == "withdrawn"
    with pytest.raises(InputError, match="'Ann' has no correction that counts"):
        three_experts.withdraw("Ann")


def test_a_mask_from_elsewhere_becomes_a_raters_correction(three_experts, a_segmented_crop, tmp_path):
    segmentation_writer(a_segmented_crop)(tmp_path / "dora.seg.nrrd")
    three_experts.start_import(tmp_path / "dora.seg.nrrd", rater=Rater("Dora"))
    assert work_through(a_segmented_crop).outcome is Outcome.DONE, a_segmented_crop.run.error
    assert three_experts.rows()[-1].rater == "Dora"


def test_the_result_before_corrections_survives_the_scene_file(three_experts, a_segmented_crop, a_runner, tmp_path):
    path = a_segmented_crop.save(tmp_path / "case.mrb")
    session = Session(new_scene(), a_runner)
    session.open(path)
    review = ExpertReview(session)
    correct(review, session, "Eve", slice(0, 2))
    assert review.rows()[-1].rater == "Eve"
    assert len({entry.number for entry in review.journal().entries if not entry.rater}) == 1
    session.close()


def test_another_scan_under_the_same_name_does_not_get_into_the_case(three_experts, a_segmented_crop):
    voxels = node_to_volume(a_segmented_crop.scan).array
    voxels[0, 0, 0] += 1
    a_segmented_crop.choose(rater="Mallory")
    three_experts.start_record(Status.FINAL)
    run = work_through(a_segmented_crop)
    assert run.outcome is Outcome.FAILED and "about another scan" in str(run.error)


def test_where_nobody_chose_a_folder_it_is_named_after_the_scan(a_segmented_crop, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_CASES", str(tmp_path))
    review = ExpertReview(a_segmented_crop)
    assert review.folder == tmp_path / a_segmented_crop.scan.GetName()
    assert review.rows() == () and not review.folder.exists()


def test_a_consensus_of_one_scan_is_not_laid_over_a_scan_chosen_meanwhile(
    three_experts, a_segmented_crop, another_crop
):
    three_experts.start_fuse()
    a_segmented_crop.add_scan(another_crop)
    run = work_through(a_segmented_crop)
    assert run.outcome is Outcome.FAILED and "chosen meanwhile" in str(run.error)
    assert a_segmented_crop.consensus is None and a_segmented_crop.segmentation is None


def test_what_is_done_while_outlines_come_is_an_undo_state_of_its_own(three_experts, a_segmented_crop):
    three_experts.start_show("Ann", "Ben", "Cleo")
    while rater_node(a_segmented_crop.scene, "Ann") is None:
        a_segmented_crop.poll()
    a_segmented_crop.place_roi()
    work_through(a_segmented_crop)
    a_segmented_crop.undo()
    visible = {row.rater: row.visible for row in three_experts.rows()}
    assert visible == {"Ann": True, "Ben": False, "Cleo": False}
    assert a_segmented_crop.roi is not None
    a_segmented_crop.undo()
    assert a_segmented_crop.roi is None and three_experts.rows()[0].visible
    a_segmented_crop.undo()
    assert not three_experts.rows()[0].visible


def test_outlines_of_several_raters_and_a_consensus_with_its_map_are_one_undo_state_each(
    three_experts, a_segmented_crop
):
    three_experts.start_show("Ann", "Ben", "Cleo")
    work_through(a_segmented_crop)
    before = a_segmented_crop.segmentation
    three_experts.start_fuse()
    work_through(a_segmented_crop)
    fused, consensus, disagreement = three_experts.fused, a_segmented_crop.consensus, a_segmented_crop.disagreement
    assert None not in (fused, consensus, disagreement)
    a_segmented_crop.undo()
    assert a_segmented_crop.segmentation is before and disagreement.GetScene() is None
    a_segmented_crop.redo()
    assert three_experts.fused is fused and a_segmented_crop.disagreement is disagreement
    a_segmented_crop.undo()
    a_segmented_crop.undo()
    assert not any(row.visible for row in three_experts.rows())
