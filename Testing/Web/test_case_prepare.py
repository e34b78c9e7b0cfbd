"""A CT in the browser: said to be one, shown through a bone window, clipped, and compared with what it was before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from Testing.Web.test_case_app import SECONDS_TO_COMPUTE, WINDOW, Window, start_case
from Testing.Web.test_case_app import browser as browser
from Testing.Web.test_case_app import opengl as opengl


@pytest.fixture(scope="module")
def window(data_folder: Path, browser, tmp_path_factory) -> Iterator[Window]:
    scan = data_folder / "totalseg_ct" / "example_ct_sm.nii.gz"
    if not scan.is_file():
        pytest.skip(f"no real data at {scan}")
    case = start_case(str(scan))
    page = browser.new_page(viewport=WINDOW)
    opened = Window(page, tmp_path_factory.mktemp("downloads"))
    opened.open(case.url)
    opened.tab("prepare")
    yield opened
    page.close()
    case.end()


def choose(window: Window, control: str, option: str) -> None:
    window.click(control)
    window.page.get_by_role("option", name=option, exact=True).click()


def shows(window: Window, control: str) -> bool:
    return window.page.is_visible(window.named(control))


def test_only_steps_and_windows_for_a_ct_are_offered_once_it_is_said_to_be_one(window):
    window.wait_for(lambda: window.text("prepare-scan") == "example_ct_sm")
    assert not shows(window, "window-bone")
    choose(window, "prepare-kind", "CT")
    window.wait_for(lambda: shows(window, "window-bone"))
    window.wait_for(lambda: not shows(window, "prepare-kind"))
    window.click("prepare-step")
    offered = window.page.get_by_role("option").all_inner_texts()
    assert "Air and metal clipping" in offered
    assert not any("N4" in title or "SUV" in title for title in offered)
    window.page.get_by_role("option", name="Air and metal clipping", exact=True).click()


def test_a_bone_window_darkens_the_picture_and_the_lines_say_what_it_is(window):
    before = window.picture()
    window.click("window-bone")
    window.wait_for(lambda: window.page.input_value(window.named("window-level") + " input") == "400")
    assert window.page.input_value(window.named("window-width") + " input") == "1800"
    window.wait_for(lambda: window.picture().mean() < before.mean() - 5)


def test_the_step_that_was_applied_is_said_and_can_be_looked_at_before_and_after(window):
    window.click("prepare-settings")
    window.page.fill(window.named("setting-high") + " input", "-300")
    window.page.press(window.named("setting-high") + " input", "Tab")
    assert not shows(window, "prepare-stage-before")
    as_read = window.picture()
    window.click("prepare-apply")
    window.wait_for(lambda: shows(window, "prepare-stage-before"), seconds=SECONDS_TO_COMPUTE)
    assert "Clipped to -1024..-300 HU" in window.text("prepare-done")
    assert window.text("case-name") == "example_ct_sm (ct-clip)"
    # Soft tissue is -300 HU now, far darker in the window that was kept.
    window.wait_for(lambda: window.picture().mean() < as_read.mean() - 5)

    window.click("prepare-stage-before")
    window.page.mouse.move(5, 790)
    window.wait_for(lambda: abs(float(window.picture().mean()) - float(as_read.mean())) < 1)
    assert window.text("case-name") == "example_ct_sm (ct-clip)"


def test_undo_brings_the_scan_back_as_it_was_read(window):
    while window.text("case-name") != "example_ct_sm":
        window.click("undo")
        window.page.wait_for_timeout(200)
    assert not shows(window, "prepare-stage-before")
    assert window.complaints == []
