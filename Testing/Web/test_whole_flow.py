"""The browser app from its address to its downloads: real gateway, cases, workers and browser, on the sample head.

The tests are the steps of one story, in the order in which a person takes them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("trame_slicer", reason="the browser app's packages are not installed")

from MedSegAI.Bridge.scene import load_scene
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.localise.atlas import icbm152_t1
from MedSegAI.Logic.worker.runner import InlineRunner
from MedSegAI.Session.session import Session
from Testing.Web.served_app import ServedApp, served_app
from Testing.Web.test_case_app import SECONDS_TO_COMPUTE, WINDOW, Window
from Testing.Web.test_case_app import browser as browser
from Testing.Web.test_case_app import opengl as opengl

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = [f"{side} {part} hippocampus" for side in ("Left", "Right") for part in ("anterior", "posterior")]
# Not the first of the list; the patient's right is on the left of the picture, away from the heat map's legend.
TARGET = "Right anterior hippocampus"
SECONDS_TO_OPEN = 60


class HeadWindow(Window):
    """A window on a case, and what a person reads and sees in it."""

    def rows(self) -> dict[str, tuple[float, str]]:
        """Volume in mL and confidence of each segment in the table, by name."""
        self.tab("segment")
        cells = [row.inner_text().split("\t") for row in self.page.locator("[data-testid^=row-]").all()]
        return {name.strip(): (float(volume.split()[0]), confidence) for _eye, name, volume, confidence in cells}

    def choose(self, control: str, title: str) -> None:
        """Choose an entry of a list."""
        self.click(control)
        self.page.get_by_role("option", name=title, exact=True).click()

    def switch(self, control: str) -> None:
        """Turn a switch."""
        self.page.locator(f"{self.named(control)} input").click()

    def download(self, control: str) -> Path:
        """The file that a button of the downloads gives."""
        self.tab("export")
        with self.page.expect_download() as download:
            self.click(control)
        path = self.folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def views(self) -> dict[str, np.ndarray]:
        """What each view shows, as uint8 (rows, columns, RGB), once it stands still."""
        pictures = [self.picture()]
        self.wait_for(lambda: pictures.append(self.still()) or (pictures[-1] == pictures[-2]).all())
        picture = pictures[-1]
        row, column = picture.shape[0] // 2, picture.shape[1] // 2
        left, right = picture[:, :column], picture[:, column:]
        return {"axial": left[:row], "coronal": left[row:], "3d": right[:row], "sagittal": right[row:]}

    def still(self) -> np.ndarray:
        """The picture a moment later, with the mouse where it brings up no tooltip."""
        self.page.mouse.move(8, WINDOW["height"] - 8)
        self.page.wait_for_timeout(400)
        return self.picture()


def coloured(picture: np.ndarray) -> int:
    """Pixels of a strong colour; the scan is grey."""
    return int((np.ptp(picture.astype(int), axis=2) > 60).sum())


def differing(one: np.ndarray, other: np.ndarray) -> int:
    """Pixels that clearly differ."""
    return int((np.abs(one.astype(int) - other).max(axis=2) > 30).sum())


@pytest.fixture(scope="module")
def app() -> Iterator[ServedApp]:
    with served_app(threads=2) as served:
        yield served


@pytest.fixture(scope="module")
def window(app: ServedApp, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeadWindow]:
    person = browser.new_context(viewport=WINDOW, accept_downloads=True, locale="en-US")
    person.set_default_timeout(1000 * SECONDS_TO_OPEN)
    page = person.new_page()
    opened = HeadWindow(page, tmp_path_factory.mktemp("downloads"))
    opened.open(app.address)
    yield opened
    person.close()


def test_the_address_opens_a_case_with_the_sample_head(window, app):
    assert window.page.url.startswith(f"{app.address}case/")
    assert window.text("case-name") == "ICBM152 T1"
    views = window.views()
    for name in ("axial", "coronal", "sagittal"):
        assert (views[name].max(axis=2) > 60).mean() > 0.15, name
        assert coloured(views[name]) == 0, name


def test_cancelling_mid_run_leaves_the_case_as_it_was(window):
    window.click("run-segment")
    window.wait_for(lambda: window.shows("run-cancel"))
    seen = set()

    def counted_further() -> bool:
        seen.add(window.text("run-status"))
        return sum("%" in text for text in seen) > 1

    window.wait_for(counted_further, seconds=SECONDS_TO_COMPUTE)
    assert any("registering to the template" in text for text in seen)
    window.click("run-cancel")
    window.wait_for(lambda: window.text("run-status") == "Cancelled", seconds=SECONDS_TO_COMPUTE)
    assert window.rows() == {}
    window.wait_for(lambda: not window.shows("run-cancel"))
    assert window.page.is_disabled(window.named("undo"))


def test_a_run_after_it_finds_both_parts_of_both_hippocampi(window):
    window.segment()
    rows = window.rows()
    assert list(rows) == NAMES
    for name, (volume_ml, confidence) in rows.items():
        assert 1.0 < volume_ml < 4.0, name
        assert 0.5 < float(confidence) <= 1, name
    for name, picture in window.views().items():
        assert coloured(picture) > 200, name


def test_the_heat_map_of_one_label_shows_in_slices_and_in_3d(window):
    before = window.views()
    window.tab("heat")
    window.choose("heat-target", TARGET)
    window.click("heat-explain")
    window.wait_for(lambda: window.shows("heat-name"), seconds=SECONDS_TO_COMPUTE)
    assert TARGET in window.text("heat-name")
    in_slices = window.views()
    for name in ("axial", "coronal"):
        left = slice(0, before[name].shape[1] // 2)
        assert differing(in_slices[name][:, left], before[name][:, left]) > 200, name
    assert differing(in_slices["3d"], before["3d"]) == 0
    window.switch("heat-in-3d")
    assert differing(window.views()["3d"], in_slices["3d"]) > 1000
    window.switch("heat-in-3d")
    window.switch("heat-in-slices")
    away = window.views()
    assert all(differing(away[name], before[name]) == 0 for name in away)
    window.switch("heat-in-slices")


def test_a_stroke_on_the_models_segment_changes_its_volume_and_undo_brings_it_back(window):
    made = window.rows()
    window.tab("edit")
    window.choose("edit-segment", TARGET)
    window.click("edit-paint")
    window.page.wait_for_selector(f"{window.named('edit-paint')}[aria-pressed=true]")
    window.stroke()
    window.wait_for(lambda: window.rows()[TARGET][0] > made[TARGET][0])
    window.click("undo")
    window.wait_for(lambda: window.rows() == made)


def test_a_scan_cut_short_on_its_way_is_explained_and_changes_nothing(window, tmp_path):
    before = window.rows()
    broken = tmp_path / "head.nii.gz"
    broken.write_bytes(gzip.compress(np.random.default_rng(0).bytes(3_000_000))[:-100_000])
    window.page.set_input_files(window.named("files-chooser"), broken)
    window.page.wait_for_selector(window.named("error-dialog"))
    assert "head.nii.gz" in window.text("error-problem")
    assert window.text("error-advice")
    window.click("error-close")
    assert window.text("case-name") == "ICBM152 T1"
    assert window.rows() == before


def test_what_is_downloaded_is_what_the_table_and_the_heat_map_say(window):
    scan = icbm152_t1()
    rows = window.rows()
    segmentation = read_segmentation(window.download("export-segmentation"))
    assert [label.name for label in segmentation.table] == NAMES
    voxel_ml = float(np.prod(scan.grid.spacing)) / 1000.0
    for label in segmentation.table:
        volume_ml = voxel_ml * (segmentation.labels.array == label.value).sum()
        assert rows[label.name][0] == pytest.approx(volume_ml, abs=0.0051)
    heat = read_volume(window.download("export-heat-nifti"))
    assert heat.grid.same_frame(scan.grid)
    assert heat.array.min() >= 0.0 and heat.array.max() == pytest.approx(1.0, abs=1e-3)
    assert (read_volume(window.download("export-heat-nrrd")).array == heat.array).all()


def test_the_downloaded_case_is_the_same_session(window):
    opened = load_scene(window.download("export-scene"))
    session = Session(opened, InlineRunner())
    assert session.scan.GetName() == "ICBM152 T1"
    assert {row.name: round(row.volume_ml, 2) for row in session.rows} == {
        name: volume for name, (volume, _) in window.rows().items()
    }
    assert session.choices.target == next(row.key for row in session.rows if row.name == TARGET)
    assert session.heat_map is not None


def test_a_run_over_a_correction_asks_and_keeps_what_was_corrected(window):
    made = window.rows()
    window.tab("edit")
    window.stroke()
    window.wait_for(lambda: window.rows() != made)
    corrected = window.rows()
    window.click("run-segment")
    window.page.wait_for_selector(window.named("question-dialog"))
    assert "was corrected" in window.text("question-dialog")
    window.click("question-no")
    window.page.wait_for_selector(window.named("question-dialog"), state="hidden")
    assert not window.shows("run-cancel")
    assert window.rows() == corrected
    window.click("run-segment")
    window.click("question-yes")
    window.wait_for(lambda: window.rows() == made, seconds=SECONDS_TO_COMPUTE)
    window.choose("results-choice", "ICBM152 T1 segmentation")
    window.wait_for(lambda: window.rows() == corrected)


def test_a_second_window_has_a_case_of_its_own(window, app):
    before = window.rows()
    page = window.page.context.new_page()
    other = HeadWindow(page, window.folder, requests=window.requests, complaints=window.complaints)
    other.open(app.address)
    assert page.url != window.page.url
    assert other.rows() == {}
    assert len(app.cases) == 2
    page.close()
    window.page.reload()
    window.page.wait_for_selector(window.named("run-segment"))
    window.wait_for(lambda: window.rows() == before)


def test_no_request_of_any_window_left_this_computer(window, app):
    here = (app.address, "data:", "blob:")
    assert [address for address in window.requests if not address.startswith(here)] == []
    assert len([address for address in window.requests if address.startswith(app.address)]) > 20
    assert window.complaints == []


def test_ending_the_gateway_ends_every_case_and_worker(app):
    everything = app.everything
    assert len(app.cases) == 2 and app.workers
    app.process.terminate()
    assert app.process.wait(20) == 0
    assert psutil.wait_procs(everything, timeout=5)[1] == []
