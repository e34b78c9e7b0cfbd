"""Two experts correct one result in a real browser; their corrections are kept, compared, fused and taken along."""

from __future__ import annotations

import os
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.corrections.journal import JOURNAL, read_journal
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from Testing.Web.test_case_app import WINDOW, CaseProcess, Window, start_case
from Testing.Web.test_case_app import browser as browser
from Testing.Web.test_case_app import opengl as opengl

SECONDS_TO_FUSE = 30.0
EXPERTS = (("Ann", "radiologist", 0), ("Ben", "student", 25))
"""Name, role, and by how many pixels the stroke is lower than the middle of the axial view."""


@pytest.fixture(scope="module")
def cases_folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("cases")


@pytest.fixture(scope="module")
def case(hippocampus_crops, cases_folder) -> Iterator[CaseProcess]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MEDSEGAI_CASES", str(cases_folder))
        running = start_case(str(hippocampus_crops[0].image))
    yield running
    running.end()


@pytest.fixture(scope="module")
def window(case, browser, tmp_path_factory) -> Iterator[Window]:
    page = browser.new_page(viewport=WINDOW, accept_downloads=True)
    opened = Window(page, tmp_path_factory.mktemp("downloads"))
    opened.open(case.url)
    opened.segment()
    yield opened
    page.close()


@pytest.fixture(scope="module")
def journal_folder(cases_folder, hippocampus_crops) -> Path:
    return cases_folder / hippocampus_crops[0].name


@pytest.fixture(scope="module")
def made(window) -> np.ndarray:
    return window.voxels()


@pytest.fixture(scope="module")
def two_experts(window, made) -> Window:
    """Each adds a stroke of the brush, another one, to the model's result, and says that this is final."""
    for name, role, lower in EXPERTS:
        window.tab("edit")
        window.click("edit-paint")
        draw(window, lower=lower)
        window.page.wait_for_timeout(500)
        window.click("edit-none")
        window.tab("experts")
        fill(window, "experts-rater", name)
        fill(window, "experts-role", role)
        window.page.fill(f"{window.named('experts-comment')} textarea >> nth=0", f"by {name}")
        window.click("experts-final")
        window.wait_for(lambda name=name: window.shows(f"rater-{name}"))
        window.click("experts-anew")
        window.page.wait_for_timeout(300)
    return window


@pytest.fixture(scope="module")
def fused(two_experts) -> Window:
    """Their majority vote; what only one of two says has the probability one half."""
    two_experts.tab("experts")
    two_experts.page.click(f"{two_experts.named('fuse-method')} >> nth=0")
    two_experts.page.get_by_role("option", name="Majority vote").click()
    two_experts.click("fuse-start")
    two_experts.wait_for(lambda: two_experts.shows("fuse-next"), seconds=SECONDS_TO_FUSE)
    return two_experts


def draw(window: Window, *, lower: int) -> None:
    """Draw with the left mouse button across the axial view, the upper left of the four."""
    box = window.page.locator(window.named("views")).bounding_box()
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 4 + lower
    window.page.mouse.move(x - 40, y)
    window.page.mouse.down()
    window.page.mouse.move(x + 40, y, steps=8)
    window.page.mouse.up()


def fill(window: Window, control: str, text: str) -> None:
    window.page.fill(f"{window.named(control)} input", text)


def turn(window: Window, control: str) -> None:
    """Turn a switch."""
    window.page.click(f"{window.named(control)} input")


def cells(window: Window, expert: str) -> list[str]:
    return window.page.locator(f"{window.named(f'rater-{expert}')} td").all_inner_texts()


def volumes(window: Window) -> list[float]:
    """Volumes in the table of the result, mL."""
    window.tab("segment")
    texts = window.page.locator(f"{window.named('results-table')} tbody td:nth-child(3)").all_inner_texts()
    window.tab("experts")
    return [float(text.split()[0]) for text in texts]


def move_slider(window: Window, control: str, key: str, times: int = 1) -> None:
    window.page.focus(f"{window.named(control)} [role=slider] >> nth=0")
    for _ in range(times):
        window.page.keyboard.press(key)
    window.page.wait_for_timeout(500)


def place_of(window: Window, view: str) -> float:
    return float(window.page.get_attribute(f"{window.named(f'slice-{view}')} [role=slider] >> nth=0", "aria-valuenow"))


def test_a_correction_without_a_name_is_not_kept(window, journal_folder):
    window.tab("experts")
    window.click("experts-final")
    window.page.wait_for_selector(window.named("error-dialog"))
    assert "name of its rater" in window.text("error-problem")
    window.click("error-close")
    assert not journal_folder.exists()


def test_each_expert_begins_with_the_models_result_and_is_listed(two_experts, made, journal_folder):
    assert (two_experts.voxels() == made).all()
    two_experts.tab("experts")
    for name, role, _lower in EXPERTS:
        assert {name, role, "final"} <= set("\n".join(cells(two_experts, name)).split())
    assert two_experts.page.input_value(f"{two_experts.named('experts-comment')} textarea >> nth=0") == ""
    assert two_experts.page.input_value(f"{two_experts.named('experts-folder')} input") == str(journal_folder)
    journal = read_journal(journal_folder)
    ann, ben = (journal.standing(name) for name in ("Ann", "Ben"))
    assert (ann.comment, ben.comment) == ("by Ann", "by Ben")
    assert ann.parent == ben.parent == journal.latest_base().number
    assert ann.box is not None and ben.box is not None


def test_the_experts_are_measured_against_what_was_fused_from_them(fused):
    for name in ("Ann", "Ben"):
        dice, sensitivity, specificity = (float(text) for text in cells(fused, name)[3:6])
        assert 0.8 < dice <= 1 and 0.8 < sensitivity <= 1 and 0.8 < specificity <= 1
    assert "kappa" in fused.text("fuse-sentences")


def test_the_threshold_changes_the_consensus_at_once(fused):
    before = sum(volumes(fused))
    move_slider(fused, "fuse-threshold", "ArrowLeft", times=3)
    wider = sum(volumes(fused))
    assert wider > before > 0
    fused.click("undo")
    fused.page.wait_for_timeout(500)
    assert sum(volumes(fused)) == pytest.approx(before)


def test_the_next_place_of_disagreement_comes_into_the_slices(fused):
    move_slider(fused, "slice-axial", "Home")
    away = place_of(fused, "axial")
    fused.click("fuse-next")
    fused.wait_for(lambda: "Ann" in fused.text("fuse-place") and "Ben" in fused.text("fuse-place"))
    fused.wait_for(lambda: abs(place_of(fused, "axial") - away) > 3)


def test_the_map_of_disagreement_lies_over_the_slices_beside_what_it_means(fused):
    assert "where the raters disagree" in fused.text("fuse-legend")
    plain = fused.picture()
    turn(fused, "fuse-disagreement")
    fused.page.wait_for_timeout(1000)
    covered = fused.picture()
    assert (np.abs(covered.astype(int) - plain).max(axis=2) > 60).sum() > 50
    turn(fused, "fuse-disagreement")


def test_two_experts_are_compared_by_their_outlines(fused):
    fused.click("experts-compare")
    fused.wait_for(lambda: fused.page.locator(f"{fused.named('raters-table')} .mdi-eye").count() == 2)
    fused.click("rater-show-Ben")
    fused.wait_for(lambda: fused.page.locator(f"{fused.named('raters-table')} .mdi-eye").count() == 1)


def test_the_report_and_the_consensus_are_taken_along(fused, tmp_path, made):
    fused.tab("experts")
    for control in ("fuse-report", "fuse-consensus"):
        with fused.page.expect_download() as download:
            fused.click(control)
        download.value.save_as(tmp_path / control)
    with zipfile.ZipFile(tmp_path / "fuse-report") as archive:
        pages = {Path(name).name: archive.read(name).decode() for name in archive.namelist()}
    assert set(pages) == {"agreement.html", "agreement.csv", "agreement.json"}
    assert all("Ann" in text and "Ben" in text for text in pages.values())
    consensus = (tmp_path / "fuse-consensus").rename(tmp_path / "consensus.seg.nrrd")
    assert read_segmentation(consensus).labels.array.shape == made.shape


def test_a_mask_from_elsewhere_is_kept_as_a_correction(two_experts, hippocampus_crops):
    two_experts.tab("experts")
    two_experts.click("experts-anew")
    fill(two_experts, "experts-rater", "Cleo")
    two_experts.page.keyboard.press("Tab")
    two_experts.page.set_input_files(two_experts.named("mask-chooser"), hippocampus_crops[0].labels)
    two_experts.wait_for(lambda: two_experts.shows("rater-Cleo"))
    assert "final" in cells(two_experts, "Cleo")[2]


def test_a_withdrawn_correction_stays_in_the_table(two_experts):
    two_experts.tab("experts")
    two_experts.click("rater-withdraw-Ben")
    assert "Ben" in two_experts.text("question-dialog")
    two_experts.click("question-yes")
    two_experts.wait_for(lambda: "withdrawn" in cells(two_experts, "Ben")[2])


def test_the_journal_is_read_anew_where_a_busy_server_hears_of_going_away_and_back_at_once(
    two_experts, case, journal_folder
):
    two_experts.tab("experts")
    two_experts.wait_for(lambda: two_experts.shows("rater-Ann"))
    path = journal_folder / JOURNAL
    whole = path.read_bytes()
    for content, edited in ((whole.replace(b"by Ann", b"by Eve"), True), (whole, False)):
        path.write_bytes(content)
        os.kill(case.process.pid, signal.SIGSTOP)
        try:
            # While an answer is due the page gathers what changes; away and back is no change then.
            two_experts.click("layout-four")
            for tab in ("edit", "experts"):
                two_experts.tab(tab)
                two_experts.page.wait_for_timeout(100)
        finally:
            os.kill(case.process.pid, signal.SIGCONT)
        two_experts.wait_for(lambda edited=edited: two_experts.shows("experts-remark") == edited)


def test_an_edited_journal_is_said_and_nothing_else_breaks(two_experts, journal_folder):
    path = journal_folder / JOURNAL
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"by Ann", b"by Eve"))
    two_experts.tab("edit")
    two_experts.wait_for(lambda: two_experts.shows("edit-segment"))
    two_experts.tab("experts")
    two_experts.wait_for(lambda: two_experts.shows("experts-remark"))
    assert "edited" in two_experts.text("experts-remark")
    assert not two_experts.shows("raters-table")
    path.write_bytes(whole)
    two_experts.tab("edit")
    two_experts.wait_for(lambda: two_experts.shows("edit-segment"))
    two_experts.tab("experts")
    two_experts.wait_for(lambda: two_experts.shows("rater-Ann"))
    assert not two_experts.shows("experts-remark")
    assert two_experts.complaints == []
