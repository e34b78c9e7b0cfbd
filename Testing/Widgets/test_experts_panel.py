"""The experts' panel: a correction is kept with one click, everybody's are listed, shown, compared and withdrawn."""

from __future__ import annotations

import json
import re

import pytest

from MedSegAI.Session.exports import segmentation_writer
from MedSegAI.Session.run import Outcome

RATER, STATUS, DICE, SENSITIVITY, SPECIFICITY, TIME, ROLE, COMMENT = range(8)


@pytest.fixture
def desk(bench, a_crop, tmp_path):
    """The experts' panels over a segmented crop."""
    from Testing.Widgets.raters_at_work import ExpertsAtWork

    bench.segment(a_crop)
    made = ExpertsAtWork(bench, tmp_path / "case")
    yield made
    made.review.close()


@pytest.fixture
def two_raters(desk):
    desk.correct("Ann", slice(0, 6), role="radiologist")
    desk.correct("Ben", slice(0, 3), role="resident")
    return desk


def ticked(desk):
    from PySide6 import QtCore

    table = desk.ui.ratersTable
    states = [table.item(row, RATER).checkState() for row in range(table.rowCount)]
    return [state == QtCore.Qt.CheckState.Checked for state in states]


def tick(desk, row, state=True):
    from PySide6 import QtCore

    states = QtCore.Qt.CheckState
    desk.ui.ratersTable.item(row, RATER).setCheckState(states.Checked if state else states.Unchecked)
    desk.refresh()
    desk.bench.work_through()
    desk.refresh()


def test_without_a_segmentation_nothing_can_be_saved(bench, tmp_path):
    from Testing.Widgets.raters_at_work import ExpertsAtWork

    desk = ExpertsAtWork(bench, tmp_path / "case")
    assert not desk.ui.saveFinalButton.enabled and not desk.ui.saveDraftButton.enabled
    assert desk.ui.ratersTable.isHidden() and desk.ui.journalNote.isHidden()


def test_two_raters_save_and_are_listed(two_raters):
    assert two_raters.column(RATER) == ["Ann", "Ben"]
    assert two_raters.column(ROLE) == ["radiologist", "resident"]
    assert two_raters.column(STATUS) == ["final", "final"]
    assert two_raters.column(COMMENT) == ["by Ann", "by Ben"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", time) for time in two_raters.column(TIME))
    assert two_raters.column(DICE) == ["", ""]
    assert two_raters.ui.commentEdit.text == ""
    colours = {two_raters.ui.ratersTable.item(row, RATER).icon().pixmap(9, 9).toImage().pixel(4, 4) for row in (0, 1)}
    assert len(colours) == 2
    two_raters.bench.picture(two_raters.ui.expertsSection, "experts")


def test_the_next_rater_starts_anew_from_the_models_result(desk):
    from Testing.Widgets.raters_at_work import voxels_of

    made = voxels_of(desk.session.segmentation)[0].copy()
    desk.correct("Ann", slice(0, 6))
    corrected = voxels_of(desk.session.segmentation)[0].copy()
    assert (corrected != made).any()
    desk.press("startAnewButton")
    assert (voxels_of(desk.session.segmentation)[0] == made).all()
    desk.session.undo()
    assert (voxels_of(desk.session.segmentation)[0] == corrected).all()


def test_a_draft_is_told_from_a_final_one(desk):
    desk.correct("Ann", slice(0, 2), button="saveDraftButton")
    assert desk.column(STATUS) == ["draft"]


def test_without_a_name_nothing_is_kept_and_the_comment_stays(desk):
    desk.ui.commentEdit.setText("too large")
    desk.press("saveFinalButton")
    assert "needs the name of its rater" in desk.bench.problem
    assert desk.ui.commentEdit.text == "too large" and desk.column(RATER) == []


def test_where_nothing_changed_the_comment_stays_too(desk):
    desk.correct("Ann", None)
    desk.ui.commentEdit.setText("again")
    run = desk.press("saveFinalButton")
    assert run.outcome is Outcome.FAILED and "Nothing was changed" in str(run.error)
    assert desk.ui.commentEdit.text == "again"


def test_a_name_that_is_still_being_typed_is_not_overwritten_and_counts(desk):
    from PySide6.QtTest import QTest

    QTest.keyClicks(desk.ui.raterEdit, "Cleo")
    desk.refresh()
    assert desk.ui.raterEdit.text == "Cleo"
    desk.press("saveFinalButton")
    assert desk.column(RATER) == ["Cleo"]


def test_the_folder_is_chosen_in_a_dialog_and_undone(desk, tmp_path):
    before = desk.ui.journalEdit.text
    desk.type_into(desk.ui.raterEdit, "Ann")
    desk.bench.host.dialogs.answers.append(str(tmp_path / "elsewhere"))
    desk.ui.journalButton.click()
    desk.refresh()
    assert desk.ui.journalEdit.text == str(tmp_path / "elsewhere")
    desk.session.undo()
    desk.refresh()
    assert desk.ui.journalEdit.text == before


def test_without_a_chosen_folder_the_usual_one_is_shown(desk, tmp_path, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_CASES", str(tmp_path))
    desk.type_into(desk.ui.journalEdit, "")
    desk.refresh()
    assert desk.ui.journalEdit.placeholderText == str(tmp_path / desk.session.scan.GetName())


def test_a_tick_shows_the_outlines_and_no_tick_hides_them(two_raters):
    assert ticked(two_raters) == [False, False]
    tick(two_raters, 0)
    assert ticked(two_raters) == [True, False]
    tick(two_raters, 0, state=False)
    assert ticked(two_raters) == [False, False]
    tick(two_raters, 1)
    two_raters.session.undo()
    two_raters.refresh()
    assert ticked(two_raters) == [False, False]


def test_a_tick_while_something_runs_is_refused_and_goes_away(two_raters):
    two_raters.session.start_segment()
    tick(two_raters, 0)
    assert "still being computed" in two_raters.bench.problem
    assert ticked(two_raters) == [False, False]


def test_two_selected_raters_are_compared_and_no_others_shown(two_raters):
    two_raters.correct("Cleo", None)
    tick(two_raters, 2)
    two_raters.select(0)
    assert not two_raters.ui.compareButton.enabled and two_raters.ui.withdrawButton.enabled
    two_raters.select(0, 1)
    assert two_raters.ui.compareButton.enabled and not two_raters.ui.withdrawButton.enabled
    two_raters.press("compareButton")
    assert ticked(two_raters) == [True, True, False]


def test_a_withdrawn_correction_is_asked_about_and_stays_listed(two_raters):
    two_raters.select(1)
    two_raters.bench.host.dialogs.answers += [False, True]
    two_raters.press("withdrawButton")
    assert two_raters.column(STATUS) == ["final", "final"]
    two_raters.press("withdrawButton")
    assert two_raters.column(STATUS) == ["final", "withdrawn"]
    assert "Ben" in two_raters.bench.host.dialogs.texts("question")[0]
    assert not two_raters.ui.withdrawButton.enabled


def test_a_mask_from_a_file_becomes_a_raters_correction(two_raters, tmp_path):
    segmentation_writer(two_raters.session)(tmp_path / "dora.seg.nrrd")
    two_raters.type_into(two_raters.ui.raterEdit, "Dora")
    two_raters.bench.host.dialogs.answers.append(str(tmp_path / "dora.seg.nrrd"))
    run = two_raters.press("importMaskButton")
    assert run.outcome is Outcome.DONE, run.error
    assert two_raters.column(RATER)[-1] == "Dora" and two_raters.column(STATUS)[-1] == "final"


def test_an_edited_journal_is_said_in_the_panel_and_nothing_is_lost(two_raters, tmp_path):
    path = tmp_path / "case" / "journal.jsonl"
    lines = path.read_text().splitlines()
    entry = json.loads(lines[1]) | {"comment": "somebody else's words"}
    path.write_text("\n".join([lines[0], json.dumps(entry, separators=(",", ":")), *lines[2:]]) + "\n")
    edited = path.read_bytes()
    two_raters.refresh()
    assert not two_raters.ui.journalNote.isHidden()
    assert "journal.jsonl" in two_raters.ui.journalNote.text
    assert two_raters.ui.ratersTable.isHidden()
    two_raters.ui.commentEdit.setText("mine")
    run = two_raters.press("saveFinalButton")
    assert run.outcome is Outcome.FAILED
    assert two_raters.ui.commentEdit.text == "mine" and path.read_bytes() == edited
    two_raters.bench.picture(two_raters.ui.expertsSection, "experts-edited-journal")
    path.write_text("\n".join(lines) + "\n")
    two_raters.refresh()
    assert two_raters.ui.journalNote.isHidden() and two_raters.column(RATER) == ["Ann", "Ben"]


def test_a_line_that_a_crash_cut_off_is_told_and_the_rest_is_listed(two_raters, tmp_path):
    with (tmp_path / "case" / "journal.jsonl").open("ab") as file:
        file.write(b'{"format":1,"numb')
    two_raters.refresh()
    assert "was cut off" in two_raters.ui.journalNote.text
    assert two_raters.column(RATER) == ["Ann", "Ben"]


def test_the_folder_is_not_read_while_nobody_looks(two_raters, tmp_path):
    two_raters.ui.expertsSection.collapsed = True
    (tmp_path / "case" / "journal.jsonl").write_text("nonsense\n")
    two_raters.refresh()
    assert two_raters.ui.journalNote.text == ""
    two_raters.ui.expertsSection.collapsed = False
    assert two_raters.ui.journalNote.text != ""


@pytest.mark.parametrize(("utc", "shown"), [("", ""), ("some day", "some day")])
def test_a_time_that_is_none_is_shown_as_it_is(qt_host, utc, shown):
    from MedSegAI.Widgets.raters_table import local_time

    assert local_time(utc) == shown
