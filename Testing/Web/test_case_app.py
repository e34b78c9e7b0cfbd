"""The browser app of one case, as a real process in a real browser on a real crop of a hippocampus."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest
from PIL import Image

from MedSegAI.Bridge.graphics import gl_state
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Web.case_contract import SECRET_HEADER, SECRET_VARIABLE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("trame_slicer", reason="the browser app's packages are not installed")

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECONDS_TO_START = 60.0
SECONDS_TO_END = 15.0
SECONDS_TO_COMPUTE = 120.0
WINDOW = {"width": 1280, "height": 800}


@dataclass
class CaseProcess:
    """A running case."""

    process: subprocess.Popen
    url: str
    port: int

    def end(self) -> int:
        self.process.stdin.close()
        return self.process.wait(SECONDS_TO_END)


def start_case(*arguments: str, secret: str = "") -> CaseProcess:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", SECRET_VARIABLE: secret}
    process = subprocess.Popen(
        [sys.executable, "-m", "MedSegAI.Web.case", *arguments],
        cwd=REPOSITORY_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    ready = json.loads(process.stdout.readline())["ready"]
    return CaseProcess(process, ready["url"], ready["port"])


@pytest.fixture(scope="module", autouse=True)
def opengl():
    if not gl_state().usable:
        pytest.skip(f"OpenGL is missing: {gl_state().sentence}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def case(hippocampus_crops) -> Iterator[CaseProcess]:
    running = start_case(str(hippocampus_crops[0].image))
    yield running
    if running.process.poll() is None:
        running.end()


@dataclass
class Window:
    """The case's page in the browser, by the names of its controls."""

    page: Page
    folder: Path
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(url)
        self.page.wait_for_selector(self.named("run-segment"))

    @staticmethod
    def named(control: str) -> str:
        return f'[data-testid="{control}"]'

    def click(self, control: str) -> None:
        self.page.click(self.named(control))

    def text(self, control: str) -> str:
        return self.page.inner_text(self.named(control))

    def shows(self, control: str) -> bool:
        return self.page.is_visible(self.named(control))

    def wait_for(self, what: Callable[[], bool], *, seconds: float = 45.0) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, f"waited {seconds} s in vain"
            self.page.wait_for_timeout(50)

    def picture(self) -> np.ndarray:
        """The views as uint8 (rows, columns, RGB)."""
        shot = self.page.locator(self.named("views")).screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))

    def tab(self, name: str) -> None:
        self.click(f"tab-{name}")

    def segment(self) -> None:
        self.tab("segment")
        self.click("run-segment")
        # The line below still tells of the run before.
        self.page.wait_for_selector(self.named("run-cancel"))
        self.wait_for(lambda: self.text("run-status").startswith("Done"), seconds=SECONDS_TO_COMPUTE)

    def voxels(self) -> np.ndarray:
        """The labels (k, j, i) of the downloaded segmentation."""
        self.tab("export")
        with self.page.expect_download() as download:
            self.click("export-segmentation")
        path = self.folder / f"{time.monotonic_ns()}.seg.nrrd"
        download.value.save_as(path)
        return read_segmentation(path).labels.array

    def stroke(self) -> None:
        """Draw with the left mouse button across the middle of the axial view, the upper left of the four."""
        box = self.page.locator(self.named("views")).bounding_box()
        x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 4
        mouse = self.page.mouse
        mouse.move(x - 40, y)
        mouse.down()
        for step in range(1, 9):
            mouse.move(x - 40 + 10 * step, y)
        mouse.up()


@pytest.fixture(scope="module")
def window(case, browser, tmp_path_factory) -> Iterator[Window]:
    page = browser.new_page(viewport=WINDOW, accept_downloads=True)
    opened = Window(page, tmp_path_factory.mktemp("downloads"))
    opened.open(case.url)
    yield opened
    page.close()


def test_the_scan_is_drawn_as_soon_as_the_page_opens(window, hippocampus_crops):
    assert window.text("case-name") == hippocampus_crops[0].name

    window.wait_for(lambda: each_slice_view_is_bright(window))


def each_slice_view_is_bright(window: Window) -> bool:
    picture = window.picture().max(axis=2)
    rows, columns = picture.shape[0] // 2, picture.shape[1] // 2
    quarters = (picture[:rows, :columns], picture[rows:, :columns], picture[rows:, columns:])
    return all((quarter > 60).mean() > 0.15 for quarter in quarters)


def test_a_scan_chosen_again_fills_the_views(window, hippocampus_crops):
    window.click("open-sample")
    window.wait_for(lambda: window.text("case-name").startswith("ICBM152"))
    window.click("input-slot-0")
    window.page.get_by_role("option", name=hippocampus_crops[0].name, exact=True).click()
    window.wait_for(lambda: window.text("case-name") == hippocampus_crops[0].name)
    window.wait_for(lambda: each_slice_view_is_bright(window))
    for _step in range(2):
        window.click("undo")
    window.wait_for(lambda: window.page.is_disabled(window.named("undo")))


@pytest.mark.parametrize("button", ["open-files", "open-folder"])
def test_the_buttons_that_open_scans_ask_for_files(window, button):
    with window.page.expect_file_chooser() as asked:
        window.click(button)
    assert asked.value.is_multiple()


def test_nothing_the_page_needs_comes_from_anywhere_else(window, case):
    here = (f"http://127.0.0.1:{case.port}/", "data:", "blob:")
    assert [address for address in window.requests if not address.startswith(here)] == []
    assert len(window.requests) > 10
    assert window.complaints == []


def test_every_control_has_a_name_to_be_read_aloud(window):
    unnamed = window.page.evaluate(
        """() => [...document.querySelectorAll('#app button, #app input, #app [role=slider]')]
            .filter((one) => one.type !== 'file' && one.tabIndex >= 0 && !one.closest('.v-tab'))
            .filter((one) => !one.getAttribute('aria-label') && !one.innerText && !one.labels?.length)
            .map((one) => one.outerHTML.slice(0, 160))"""
    )
    assert unnamed == []


def test_a_brush_stroke_changes_voxels_and_undo_restores_every_one(window):
    window.segment()
    made = window.voxels()
    assert set(np.unique(made)) == {0, 1, 2}
    window.tab("edit")
    window.click("edit-paint")
    window.stroke()
    window.page.wait_for_timeout(500)
    painted = window.voxels()
    assert (painted != made).sum() > 20
    assert set(np.unique(painted[painted != made])) == {1}
    window.click("undo")
    window.page.wait_for_timeout(300)
    assert (window.voxels() == made).all()
    window.click("redo")
    window.page.wait_for_timeout(300)
    assert (window.voxels() == painted).all()
    window.click("undo")


def test_the_eraser_takes_away_what_the_brush_has_drawn(window):
    made = window.voxels()
    window.page.keyboard.press("b")
    window.stroke()
    window.page.wait_for_timeout(500)
    painted = window.voxels()
    window.page.keyboard.press("e")
    window.stroke()
    window.page.wait_for_timeout(500)
    erased = window.voxels()
    assert (erased != painted).sum() >= (painted != made).sum() > 20
    assert (erased[erased != painted] == 0).all()
    for _ in range(2):
        window.page.keyboard.press("Control+z")
        window.page.wait_for_timeout(300)
    assert (window.voxels() == made).all()
    window.page.keyboard.press("n")


def test_a_speck_that_hangs_together_with_nothing_is_taken_away_by_one_click(window):
    made = window.voxels()
    window.tab("edit")
    window.click("edit-paint")
    box = window.page.locator(window.named("views")).bounding_box()
    x, y = box["x"] + box["width"] / 4 - 90, box["y"] + box["height"] / 4 + 100
    window.page.mouse.move(x - 1, y)
    window.page.mouse.move(x, y)
    window.page.mouse.down()
    window.page.mouse.up()
    window.page.wait_for_timeout(500)
    assert (window.voxels() != made).any()
    window.tab("edit")
    window.click("edit-none")
    window.click("edit-largest")
    window.page.wait_for_timeout(500)
    assert (window.voxels() == made).all()
    for _ in range(2):
        window.click("undo")
        window.page.wait_for_timeout(300)
    assert (window.voxels() == made).all()


def test_a_heat_map_comes_with_what_it_means(window):
    window.tab("heat")
    assert "not a probability" in window.text("heat-legend")
    window.click("heat-explain")
    window.wait_for(lambda: window.shows("heat-name"), seconds=SECONDS_TO_COMPUTE)
    window.tab("export")
    with window.page.expect_download() as download:
        window.click("export-heat-nifti")
    assert download.value.suggested_filename.endswith("-heat.nii.gz")


def test_a_broken_upload_is_explained_and_changes_nothing(window, tmp_path):
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00 not a scan")
    before = window.text("case-name")
    window.page.set_input_files(window.named("files-chooser"), broken)
    window.page.wait_for_selector(window.named("error-dialog"))
    assert "broken.nii.gz" in window.text("error-problem")
    assert window.text("error-advice")
    window.click("error-close")
    assert window.text("case-name") == before


def test_an_uploaded_scan_becomes_the_case(window, hippocampus_crops):
    other = hippocampus_crops[1]
    window.page.set_input_files(window.named("files-chooser"), other.image)
    window.wait_for(lambda: window.text("case-name") == other.name)
    window.click("undo")
    window.wait_for(lambda: window.text("case-name") == hippocampus_crops[0].name)


def test_a_downloaded_case_opens_again_as_it_was(window, tmp_path, hippocampus_crops):
    made = window.voxels()
    with window.page.expect_download() as download:
        window.click("export-scene")
    scene = tmp_path / "case.mrb"
    download.value.save_as(scene)
    window.page.set_input_files(window.named("files-chooser"), hippocampus_crops[1].image)
    window.wait_for(lambda: window.text("case-name").startswith(hippocampus_crops[1].name))
    window.page.set_input_files(window.named("files-chooser"), scene)
    window.wait_for(lambda: window.text("case-name") == hippocampus_crops[0].name)
    assert (window.voxels() == made).all()
    window.tab("heat")
    assert window.shows("heat-name")


def test_a_clicked_point_is_where_the_model_looks(window):
    window.tab("segment")
    window.page.click(f"{window.named('region-choice')} >> nth=0")
    window.page.get_by_role("option", name="Clicked point").click()
    window.wait_for(lambda: window.shows("region-click"))
    box = window.page.locator(window.named("views")).bounding_box()
    for lower in (0, 10):
        # The first point is asked for at once; the second takes its place.
        window.page.mouse.move(box["x"] + box["width"] / 4 - 5, box["y"] + box["height"] / 4 + lower)
        window.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4 + lower)
        window.page.wait_for_timeout(200)
        window.page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4 + lower)
        window.wait_for(lambda: not window.shows("region-click"))
        if not lower:
            window.click("region-place-point")
            window.wait_for(lambda: window.shows("region-click"))
    window.segment()
    window.page.click("summary:has-text('Details')")
    # 36 x 50 x 36 mm around the point, which in a crop this small reaches outside it.
    assert "A part of the region" in window.text("run-messages")
    window.page.click("summary:has-text('Details')")
    assert window.complaints == []


def test_a_double_click_begins_one_run_and_complains_of_nothing(window):
    window.page.dblclick(window.named("run-segment"))
    window.page.wait_for_selector(window.named("run-cancel"))
    window.wait_for(lambda: not window.shows("run-cancel"), seconds=SECONDS_TO_COMPUTE)
    assert window.text("run-status").startswith("Done")
    assert not window.shows("error-dialog")


def test_the_end_of_its_input_ends_the_case_and_its_worker(window, case):
    worker = psutil.Process(case.process.pid).children(recursive=True)
    assert worker, "the worker is kept warm between runs"
    assert case.end() == 0
    _gone, alive = psutil.wait_procs(worker, timeout=SECONDS_TO_END)
    assert alive == []


def test_a_page_whose_case_has_ended_says_so(window, case):
    assert case.process.poll() is not None
    window.wait_for(lambda: window.shows("lost"))
    assert "connection to this case was lost" in window.text("lost")
    assert window.page.get_attribute(f"{window.named('lost')} a", "href") == ""


def test_sigterm_ends_a_case():
    running = start_case("--empty")
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(SECONDS_TO_END) == 0


def test_who_does_not_know_the_secret_is_turned_away():
    running = start_case("--empty", secret="known-to-few")
    address = f"http://127.0.0.1:{running.port}/index.html"
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(address)
        assert refused.value.code == 403
        asked = urllib.request.Request(address, headers={SECRET_HEADER: "known-to-few"})
        assert urllib.request.urlopen(asked).status == 200
    finally:
        running.end()


def test_a_page_of_another_site_is_turned_away():
    running = start_case("--empty")
    asked = urllib.request.Request(
        f"http://127.0.0.1:{running.port}/index.html", headers={"Origin": "http://evil.test"}
    )
    try:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(asked)
        assert refused.value.code == 403
    finally:
        running.end()
