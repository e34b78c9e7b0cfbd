"""The page speaks the language of the browser that opens it, until its reader chooses another."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("trame_slicer", reason="the browser app's packages are not installed")

from MedSegAI.Bridge.graphics import gl_state
from MedSegAI.Web.case.texts import closest_language

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.parametrize(
    ("wanted", "spoken"), [("zh-CN", "zh"), ("zh", "zh"), ("en-US", "en"), ("fr", "en"), ("", "en")]
)
def test_a_browser_is_answered_in_the_closest_language(wanted: str, spoken: str):
    assert closest_language(wanted) == spoken


def test_a_chinese_browser_opens_the_page_in_chinese_and_a_choice_outlives_a_reload():
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    if not gl_state().usable:
        pytest.skip(f"OpenGL is missing: {gl_state().sentence}")
    from playwright.sync_api import expect, sync_playwright

    from Testing.Web.test_case_app import start_case

    case = start_case("--empty")
    try:
        with sync_playwright() as running:
            browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(locale="zh-CN", viewport={"width": 1280, "height": 800})
            button = page.locator("[data-testid=run-segment]")
            page.goto(case.url)
            expect(button).to_contain_text("分割", timeout=30_000)
            assert "自动" in page.locator("[data-testid=model-device]").first.inner_text()
            assert "自动" in page.locator("[data-testid=model-engine]").first.inner_text()
            page.click("[data-testid=language]")
            expect(button).to_contain_text("Segment")
            page.reload()
            # Long enough for the page to ask for its browser's language again.
            page.wait_for_timeout(1000)
            expect(button).to_contain_text("Segment", timeout=30_000)
            browser.close()
    finally:
        case.end()
