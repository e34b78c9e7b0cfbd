"""A click on a nodule in the browser segments it, measures it and explains it; a real case, worker and model folder."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("trame_slicer", reason="the browser app's packages are not installed")

from MedSegAI.Logic.files.write import write_volume
from Testing.pointed_model import a_chest, install_pointed_model
from Testing.Web.test_case_app import SECONDS_TO_COMPUTE, WINDOW, Window, start_case
from Testing.Web.test_case_app import browser as browser
from Testing.Web.test_case_app import opengl as opengl

# Both in the axial slice that the app opens with, which lies at 0.
FIRST, SECOND = (20.0, 10.0, 0.0), (-20.0, -10.0, 0.0)
SIDE_MM = 120


class PointingWindow(Window):
    """A window in which nodules are clicked in the axial view, the upper left of the four."""

    def click_at(self, right_mm: float, anterior_mm: float) -> None:
        """Click at a place of the slice; the scan fills the lower of the view's two sides but for its margin."""
        box = self.page.locator(self.named("views")).bounding_box()
        width, height = box["width"] / 2, box["height"] / 2
        pixels = min(width, height) / SIDE_MM * 0.94
        x, y = box["x"] + width / 2 - right_mm * pixels, box["y"] + height / 2 - anterior_mm * pixels
        self.page.mouse.move(x - 5, y)
        self.page.wait_for_timeout(150)
        self.page.mouse.move(x, y)
        self.page.wait_for_timeout(150)
        self.page.mouse.click(x, y)

    def rows(self) -> list[list[str]]:
        """The table's cells, row by row."""
        script = "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim()))"
        return self.page.eval_on_selector_all('[data-testid^="point-row-"]', script)

    def is_aiming(self) -> bool:
        return self.page.get_attribute(self.named("point-aim"), "aria-pressed") == "true"

    def wait_for_rows(self, count: int) -> None:
        done = lambda: len(self.rows()) == count and not self.shows("run-cancel")  # noqa: E731
        self.wait_for(done, seconds=SECONDS_TO_COMPUTE)

    def look(self, name: str) -> None:
        """Keep a picture where the caller asks for it."""
        if folder := os.environ.get("POINTING_PICTURES"):
            self.page.screenshot(path=f"{folder}/{name}.png")


@pytest.fixture(scope="module")
def window(browser, tmp_path_factory) -> Iterator[PointingWindow]:
    folder = tmp_path_factory.mktemp("pointing")
    install_pointed_model(folder / "models")
    write_volume(folder / "chest.nrrd", a_chest((FIRST, 7.0), (SECOND, 6.0), shape=(60, SIDE_MM, SIDE_MM)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDSEGAI_MODELS", str(folder / "models"))
        running = start_case(str(folder / "chest.nrrd"))
    page = browser.new_page(viewport=WINDOW, accept_downloads=True)
    opened = PointingWindow(page, tmp_path_factory.mktemp("downloads"))
    opened.open(running.url)
    opened.page.click(f"{opened.named('model-name')} >> nth=0")
    opened.page.get_by_role("option", name="Bright nodule in CT").click()
    opened.wait_for(lambda: opened.shows("point-aim"))
    yield opened
    page.close()
    running.end()


def test_a_model_that_segments_what_is_pointed_at_offers_the_tool_instead_of_a_region(window):
    assert not window.shows("run-segment") and not window.shows("region-choice")
    assert "does not look for nodules" in window.text("point-note")


def test_a_click_segments_and_measures_the_nodule_under_it(window):
    window.click("point-aim")
    window.wait_for(window.is_aiming)
    window.click_at(*FIRST[:2])
    window.wait_for_rows(1)
    window.look("first")
    name, diameter, volume, density, confidence = window.rows()[0][:5]
    assert name == "Lung nodule 1"
    assert float(diameter) == pytest.approx(14.0, abs=1.5)
    assert float(volume) == pytest.approx(4 / 3 * np.pi * 343, rel=0.3)
    assert float(density) > -150 and 0.5 < float(confidence) <= 1


def test_the_tool_stays_for_the_next_nodule_until_escape(window):
    assert window.is_aiming()
    window.click_at(*SECOND[:2])
    window.wait_for_rows(2)
    window.look("second")
    assert [row[0] for row in window.rows()] == ["Lung nodule 1", "Lung nodule 2"]
    window.page.keyboard.press("Escape")
    window.wait_for(lambda: not window.is_aiming())
    window.click_at(0.0, 0.0)
    window.page.wait_for_timeout(500)
    assert len(window.rows()) == 2 and not window.shows("error-dialog")


def test_a_click_on_nothing_is_answered_with_a_sentence(window):
    window.click("point-aim")
    window.wait_for(window.is_aiming)
    window.click_at(FIRST[0] + 2, FIRST[1])
    window.page.wait_for_selector(window.named("error-dialog"), timeout=1000 * SECONDS_TO_COMPUTE)
    assert "which is there already" in window.text("error-problem")
    window.click("error-close")
    window.wait_for(lambda: not window.shows("error-dialog"))
    window.page.keyboard.press("Escape")
    assert len(window.rows()) == 2


def test_a_row_can_be_explained(window):
    window.click("point-heat-lung_nodule_2")
    window.page.wait_for_selector(window.named("run-cancel"))
    window.wait_for(lambda: window.text("run-status").startswith("Done"), seconds=SECONDS_TO_COMPUTE)
    window.look("heat")
    window.tab("heat")
    assert "Lung nodule 2: what drove it" in window.text("heat-name")
    window.tab("segment")


def test_the_table_is_downloaded(window):
    window.tab("export")
    with window.page.expect_download() as download:
        window.click("export-nodules")
    path = window.folder / "nodules.csv"
    download.value.save_as(path)
    assert [line.split(",")[0] for line in path.read_text().splitlines()] == ["name", "Lung nodule 1", "Lung nodule 2"]
    assert set(np.unique(window.voxels())) == {0, 1, 2}
    window.tab("segment")


def test_a_segment_is_removed_after_a_question_and_undo_brings_it_back(window):
    window.click("point-remove-lung_nodule_1")
    window.page.wait_for_selector(window.named("question-dialog"))
    window.click("question-yes")
    window.wait_for_rows(1)
    window.click("undo")
    window.wait_for_rows(2)
    assert [row[0] for row in window.rows()] == ["Lung nodule 1", "Lung nodule 2"]
    assert window.complaints == []
