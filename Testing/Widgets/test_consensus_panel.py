"""The consensus' panel: raters are fused, the threshold follows at once, disagreement is shown, the report written."""

from __future__ import annotations

import pytest

from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.consensus.disagreement import DISAGREEMENT_LEGEND
from MedSegAI.Logic.consensus.fuse import Method
from MedSegAI.Session.run import Outcome

DICE, SENSITIVITY, SPECIFICITY = 2, 3, 4


@pytest.fixture
def desk(bench, a_crop, tmp_path):
    """The experts' panels over a segmented crop that three raters corrected, the third only as a draft."""
    from Testing.Widgets.raters_at_work import ExpertsAtWork

    bench.segment(a_crop)
    made = ExpertsAtWork(bench, tmp_path / "case")
    made.correct("Ann", slice(0, 6))
    made.correct("Ben", slice(0, 3))
    made.correct("Cleo", None)
    yield made
    made.review.close()


@pytest.fixture
def fused(desk):
    desk.bench.choose(desk.ui.fuseMethodCombo, "Majority vote")
    run = desk.press("fuseButton")
    assert run.outcome is Outcome.DONE, run.error
    return desk


def voxels(desk):
    grid = node_to_volume(desk.session.scan).grid
    return int((node_to_segmentation(desk.session.consensus, grid=grid)[0].array > 0).sum())


def test_before_anything_was_fused_only_that_is_offered(desk):
    assert desk.ui.fuseButton.enabled
    for name in ("consensusThresholdSlider", "showDisagreementCheck", "nextPlaceButton", "saveReportButton"):
        assert not getattr(desk.ui, name).enabled, name
    assert desk.ui.agreementTable.isHidden() and desk.ui.agreementNote.isHidden()


def test_fusing_shows_the_consensus_and_how_well_each_rater_meets_it(fused):
    assert fused.session.choices.fuse_method is Method.MAJORITY
    assert fused.session.segmentation is fused.session.consensus
    for column in (DICE, SENSITIVITY, SPECIFICITY):
        assert all(0.5 < float(figure) <= 1 for figure in fused.column(column))
    assert float(fused.column(DICE)[1]) > float(fused.column(DICE)[0])
    table = fused.ui.agreementTable
    assert [table.item(row, 0).text() for row in range(table.rowCount)] == [
        "Anterior hippocampus",
        "Posterior hippocampus",
    ]
    assert 0 < float(table.item(0, 1).text()) <= 1 and "95% interval" in table.item(0, 1).toolTip()
    assert "Fleiss' kappa" in fused.ui.agreementNote.text
    fused.bench.picture(fused.ui.consensusSection, "consensus")
    fused.bench.picture(fused.ui.expertsSection, "experts-fused")


def test_every_method_can_be_chosen(desk):
    combo = desk.ui.fuseMethodCombo
    assert [combo.itemData(index) for index in range(combo.count)] == [method.value for method in Method]
    desk.bench.choose(combo, "SIMPLE (without outliers)")
    assert desk.session.choices.fuse_method is Method.SIMPLE


def test_the_slider_moves_the_voxels_at_once_and_undo_moves_them_back(fused):
    middle = voxels(fused)
    fused.ui.consensusThresholdSlider.value = 0.9
    high = voxels(fused)
    fused.ui.consensusThresholdSlider.value = 0.2
    low = voxels(fused)
    assert low > middle > high > 0
    fused.session.undo()
    fused.refresh()
    assert voxels(fused) == middle
    assert fused.ui.consensusThresholdSlider.value == pytest.approx(0.5)


def test_undo_takes_the_consensus_away_and_redo_brings_it_back(fused):
    fused.session.undo()
    fused.refresh()
    assert fused.session.consensus is None and not fused.ui.saveReportButton.enabled
    assert fused.ui.agreementTable.isHidden() and fused.column(DICE) == ["", "", ""]
    fused.session.redo()
    fused.refresh()
    assert fused.ui.saveReportButton.enabled and not fused.ui.agreementTable.isHidden()


def test_drafts_count_only_where_that_is_asked(desk):
    desk.correct("Dora", slice(0, 2), button="saveDraftButton")
    desk.press("fuseButton")
    assert desk.review.fused.agreement.raters == ("Ann", "Ben", "Cleo")
    desk.ui.fuseDraftsCheck.click()
    desk.press("fuseButton")
    assert desk.review.fused.agreement.raters == ("Ann", "Ben", "Cleo", "Dora")


def test_the_map_of_disagreement_lies_over_the_slices_and_says_what_it_is(fused):
    fused.session.choose(heat_in_slices=False)
    fused.refresh()
    fused.ui.showDisagreementCheck.click()
    composite = fused.session.scene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert composite.GetForegroundVolumeID() == fused.session.disagreement.GetID()
    assert DISAGREEMENT_LEGEND in fused.ui.disagreementLegend.text and not fused.ui.disagreementLegend.isHidden()
    fused.session.undo()
    fused.refresh()
    assert not fused.ui.showDisagreementCheck.checked and not fused.session.choices.heat_in_slices


def test_the_next_place_comes_into_the_slices_with_who_says_what(fused):
    view = fused.session.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    places, table = fused.review.fused.agreement.places, fused.review.fused.agreement.table
    fused.ui.nextPlaceButton.click()
    assert abs(view.GetSliceOffset() - places[0].centre_lps[2]) < 0.51
    assert fused.ui.placeNote.text == f"Place 1 of {len(places)}: {places[0].sentence(table)}"
    assert "Ann" in fused.ui.placeNote.text
    fused.refresh()
    fused.bench.picture(fused.ui.consensusSection, "consensus-place")
    for _again in places:
        fused.ui.nextPlaceButton.click()
    assert fused.ui.placeNote.text.startswith("Place 1 of")


def test_the_report_is_written_beside_the_main_thread_and_linked(fused, tmp_path):
    folder = tmp_path / "the report"
    fused.bench.host.dialogs.answers.append(str(folder))
    fused.ui.saveReportButton.click()
    assert fused.writing == [True] and not fused.ui.saveReportButton.enabled
    fused.consensus.wait()
    assert {path.name for path in folder.iterdir()} == {"agreement.html", "agreement.csv", "agreement.json"}
    assert (folder / "agreement.html").as_uri() in fused.ui.reportNote.text
    assert fused.ui.saveReportButton.enabled and fused.bench.problem == ""


def test_a_report_that_cannot_be_written_is_said(fused, tmp_path):
    (tmp_path / "a file").write_text("in the way")
    fused.bench.host.dialogs.answers.append(str(tmp_path / "a file"))
    fused.ui.saveReportButton.click()
    fused.consensus.wait()
    assert "a file" in fused.bench.problem and fused.ui.reportNote.text == ""


def test_a_cancelled_dialog_writes_nothing(fused):
    fused.bench.host.dialogs.answers.append("")
    fused.ui.saveReportButton.click()
    assert fused.writing == [] and not fused.consensus.is_writing


def test_fusing_nobody_says_why(bench, a_crop, tmp_path):
    from Testing.Widgets.raters_at_work import ExpertsAtWork

    bench.segment(a_crop)
    desk = ExpertsAtWork(bench, tmp_path / "nobody")
    run = desk.press("fuseButton")
    assert run.outcome is Outcome.FAILED and "no final correction" in str(run.error)
    desk.review.close()


def test_a_consensus_from_an_earlier_day_says_that_it_must_be_fused_again(fused, tmp_path):
    path = fused.session.save(tmp_path / "case.mrb")
    fused.session.open(path)
    fused.refresh()
    assert fused.session.consensus is not None and not fused.ui.consensusThresholdSlider.enabled
    assert "Fuse again" in fused.ui.agreementNote.text


def test_an_edited_journal_is_said_when_fusing(desk, tmp_path):
    path = tmp_path / "case" / "journal.jsonl"
    path.write_text(path.read_text().replace("by Ann", "by Eve"))
    desk.press("fuseButton")
    assert "journal.jsonl" in desk.bench.problem and desk.session.consensus is None
