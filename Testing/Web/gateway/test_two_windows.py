"""Two windows of a real browser on one address: each has its own case, and nothing is asked of anyone else."""

from __future__ import annotations

from pathlib import Path

import pytest

from Testing.Web.gateway.running_gateway import TOKEN, running_gateway

CHROMIUM = Path("/usr/bin/chromium")
MILLISECONDS = 30_000


@pytest.fixture
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright here: browser tests are left out")
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: browser tests are left out")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def open_window(context, address: str, complaints: list[str]):
    page = context.new_page()
    page.set_default_timeout(MILLISECONDS)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: complaints.append(request.url) if not _is_ours(request.url, address) else None)
    page.goto(address)
    page.get_by_text("0 times").wait_for()
    return page


def _is_ours(url: str, address: str) -> bool:
    return url.startswith((address.partition("?")[0], "data:", "blob:"))


def press(page, *, times: int) -> None:
    for number in range(times):
        page.locator("#count").click()
        page.get_by_text(f"{number + 1} times").wait_for()


def test_two_windows_count_for_themselves_and_a_reload_keeps_the_count(browser):
    complaints = []
    with running_gateway() as gateway:
        context = browser.new_context()
        first, second = (open_window(context, gateway.address, complaints) for _ in range(2))
        assert first.url != second.url
        assert first.url.startswith(f"{gateway.address}case/")
        press(first, times=3)
        press(second, times=1)
        first.reload()
        first.get_by_text("3 times").wait_for()
        second.reload()
        second.get_by_text("1 times").wait_for()
        assert len(gateway.cases()) == 2
    assert complaints == []


def test_with_a_token_a_browser_comes_in_by_its_address_and_forgets_nothing_on_the_way(browser):
    complaints = []
    with running_gateway(token=TOKEN) as gateway:
        page = open_window(browser.new_context(), f"{gateway.address}?token={TOKEN}", complaints)
        assert TOKEN not in page.url
        press(page, times=1)
        page.reload()
        page.get_by_text("1 times").wait_for()
        assert complaints == []
        stranger = browser.new_context().new_page()
        assert stranger.goto(page.url).status == 403
        assert stranger.get_by_text("A token is needed").is_visible()


def test_the_page_of_a_case_can_send_nothing_elsewhere(browser):
    with running_gateway() as gateway:
        page = open_window(browser.new_context(), gateway.address, [])
        for ask in (
            "fetch('http://localhost:1/x')",
            "new Promise(done => { const i = new Image(); i.onload = i.onerror = done; i.src = '//[::1]:1/x' })",
            "new Promise((yes, no) => { const s = new WebSocket('ws://[::1]:1'); s.onopen = yes; s.onerror = no })",
        ):
            refused = page.evaluate(
                "ask => new Promise(done => {"
                " document.addEventListener('securitypolicyviolation', event => done(event.blockedURI), {once: true});"
                " Promise.resolve(eval(ask)).then(() => done('went out'), () => 0); })",
                ask,
            )
            assert ":1" in refused, ask


def test_a_window_whose_case_died_leads_to_a_new_one(browser):
    with running_gateway() as gateway:
        page = open_window(browser.new_context(), gateway.address, [])
        gateway.cases()[0].kill()
        page.reload()
        page.get_by_text("its process was killed (signal 9)").wait_for()
        page.get_by_role("link", name="Open a new case").click()
        page.get_by_text("0 times").wait_for()
