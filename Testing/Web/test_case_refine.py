"""Strokes in the browser mend a segment near them, in one undo state; a real case on a real crop of a hippocampus."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("trame_slicer", reason="the browser app's packages are not installed")

from Testing.Web.test_case_app import SECONDS_TO_COMPUTE, WINDOW, Window, start_case
from Testing.Web.test_case_app import browser as browser
from Testing.Web.test_case_app import opengl as opengl


class StrokesWindow(Window):
    """A window in which strokes are drawn beside a segment."""

    def draw(self) -> None:
        """Draw once across the axial view."""
        self.stroke()
        self.page.wait_for_timeout(500)

    def refine(self) -> None:
        """Refine, and wait until that is done."""
        self.tab("edit")
        self.click("refine-start")
        self.wait_for(lambda: self.page.is_disabled(self.named("refine-start")))
        self.wait_for(lambda: self.page.is_enabled(self.named("refine-start")), seconds=SECONDS_TO_COMPUTE)
        assert self.text("run-status").startswith("Done")

    def undo(self) -> None:
        """Take back one step."""
        self.click("undo")
        self.page.wait_for_timeout(400)

    def pressed(self) -> list[str]:
        """The tools that are taken up."""
        tools = ("edit-none", "edit-paint", "edit-erase", "refine-inside", "refine-outside")
        return [tool for tool in tools if self.page.get_attribute(self.named(tool), "aria-pressed") == "true"]

    def green(self) -> int:
        """Pixels of the axial view in about the colour of strokes inside."""
        self.page.mouse.move(8, WINDOW["height"] - 8)
        self.page.wait_for_timeout(300)
        picture = self.picture().astype(float)
        axial = picture[: picture.shape[0] // 2, : picture.shape[1] // 2]
        return int((axial[..., 1] - np.maximum(axial[..., 0], axial[..., 2]) > 40).sum())

    def settled_green(self) -> int:
        """The same once it no longer changes; a busy computer draws a stroke bit by bit."""
        before, now = -1, self.green()
        while now != before:
            before, now = now, self.green()
        return now

    def look(self, name: str) -> None:
        """Keep a picture where the caller asks for it."""
        if folder := os.environ.get("REFINE_PICTURES"):
            self.page.screenshot(path=f"{folder}/{name}.png")


@pytest.fixture(scope="module")
def window(hippocampus_crops, browser, tmp_path_factory) -> Iterator[StrokesWindow]:
    running = start_case(str(hippocampus_crops[0].image))
    page = browser.new_page(viewport=WINDOW, accept_downloads=True)
    opened = StrokesWindow(page, tmp_path_factory.mktemp("downloads"))
    opened.open(running.url)
    yield opened
    page.close()
    running.end()


def test_strokes_wait_for_a_result(window):
    window.tab("edit")
    for control in ("refine-inside", "refine-outside", "refine-start"):
        assert window.page.is_disabled(window.named(control))


def test_a_stroke_inside_lets_the_segment_grow_there_and_one_undo_brings_both_back(window):
    window.segment()
    made = window.voxels()
    window.tab("edit")
    green = window.settled_green()
    window.click("refine-inside")
    window.wait_for(lambda: window.pressed() == ["refine-inside"])
    window.draw()
    window.look("strokes")
    window.wait_for(lambda: window.green() > green + 50)
    drawn = window.settled_green()
    assert (window.voxels() == made).all()
    window.refine()
    window.wait_for(lambda: window.green() < green + 20)
    window.look("refined")
    refined = window.voxels()
    changed = refined != made
    assert changed.sum() > 20
    assert set(np.unique(refined[changed])) == {1}
    window.tab("edit")
    assert window.pressed() == ["edit-none"]
    window.undo()
    assert (window.voxels() == made).all()
    window.tab("edit")
    window.wait_for(lambda: abs(window.green() - drawn) < 50)
    window.look("undone")


def test_a_stroke_outside_takes_away_from_the_chosen_segment_only(window):
    made = window.voxels()
    window.tab("edit")
    # The editor works on the result now; the stroke inside goes from the picture all the same.
    drawn = window.settled_green()
    window.undo()
    window.wait_for(lambda: window.green() < drawn - 50)
    window.click("refine-outside")
    window.click("edit-segment")
    window.page.get_by_role("option", name="Posterior hippocampus").click()
    assert window.pressed() == ["refine-outside"]
    window.draw()
    window.look("outside")
    window.refine()
    window.look("taken-away")
    refined = window.voxels()
    changed = refined != made
    assert changed.sum() > 5
    assert set(np.unique(made[changed])) == {2}
    assert (refined[changed] == 0).all()
    window.undo()
    assert (window.voxels() == made).all()


def test_the_brush_works_on_the_result_again(window):
    made = window.voxels()
    window.tab("edit")
    window.click("refine-outside")
    window.wait_for(lambda: window.pressed() == ["refine-outside"])
    window.click("edit-paint")
    window.wait_for(lambda: window.pressed() == ["edit-paint"])
    window.draw()
    painted = window.voxels()
    assert (painted != made).sum() > 20
    window.undo()
    assert (window.voxels() == made).all()
    assert window.complaints == []
