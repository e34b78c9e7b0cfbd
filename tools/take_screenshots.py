"""Make every picture of the tutorial from the real programs: ``python -m tools.take_screenshots [browser|desktop]``.

The browser's are of the app as ``make app`` serves it, in Chromium. The desktop's are of the module's panel in the
tests' Qt host, not of the desktop application: without Slicer's views, and in Qt's plain look. Look at each afterwards.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from PySide6.QtWidgets import QWidget

    from Testing.Web.test_whole_flow import HeadWindow
    from Testing.Widgets.qt_host.open_module import OpenModule

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "Screenshots"
CHINESE_FILE = ROOT / "MedSegAI" / "Resources" / "Translations" / "MedSegAI_zh-CN.ts"
MODULE_FILE = ROOT / "MedSegAI" / "MedSegAI.py"
SECONDS = 180
PANEL_WIDTH = 440
# The ending of the pictures' names, and the browser's language.
LANGUAGES = {"": "en-US", "-zh": "zh-CN"}
SECTIONS = {"3-results": "results", "4-heat-map": "heat", "5-export": "export", "6-set-up": "setup"}


def main() -> None:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", nargs="*", choices=["browser", "desktop", []], default=[])
    faces = parser.parse_args().faces or ["browser", "desktop"]
    if "browser" in faces:
        _browser_pictures()
    if "desktop" in faces:
        _desktop_pictures()


def keep(picture: Image.Image, name: str) -> None:
    """Write a picture into the folder; its colours in steps of three levels halve its size and look the same."""
    target = FOLDER / f"{name}.png"
    picture.convert("RGB").point(lambda level: min(255, (level + 1) // 3 * 3)).save(target, optimize=True)
    sys.stdout.write(f"{target.relative_to(ROOT)}  {target.stat().st_size // 1024} KiB\n")


# The browser app ------------------------------------------------------------------------------------------------------


def _browser_pictures() -> None:
    from playwright.sync_api import sync_playwright

    from Testing.Web.served_app import served_app
    from Testing.Web.test_case_app import CHROMIUM

    with sync_playwright() as running, served_app(threads=2) as app:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for ending, language in LANGUAGES.items():
            with _window(browser, app.address, language) as window:
                _one_tour(window, ending)
            with _window(browser, app.address, language) as window:
                _preparation_tour(window, ending)
        browser.close()


@contextmanager
def _window(browser: Browser, address: str, language: str) -> Iterator[HeadWindow]:
    from Testing.Web.test_whole_flow import HeadWindow

    with tempfile.TemporaryDirectory() as folder:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale=language)
        page.set_default_timeout(1000 * SECONDS)
        window = HeadWindow(page, Path(folder))
        window.open(address)
        yield window
        page.close()


def _one_tour(window: HeadWindow, ending: str) -> None:
    """What the tutorial describes, step by step."""
    _show(window, f"browser-1-opened{ending}")
    window.click("run-segment")
    window.wait_for(lambda: "right hippocampus" in window.text("run-status"), seconds=SECONDS)
    # The bar glides to its place.
    window.page.wait_for_timeout(250)
    _show(window, f"browser-2-running{ending}", still=False)
    _wait_for_end(window)
    _show(window, f"browser-3-segmented{ending}")
    window.tab("heat")
    window.click("heat-explain")
    window.wait_for(lambda: window.shows("heat-name"), seconds=SECONDS)
    _wait_for_end(window)
    window.switch("heat-in-3d")
    _show(window, f"browser-4-heat-map{ending}")
    window.switch("heat-in-3d")
    window.switch("heat-in-slices")
    window.tab("edit")
    window.click("layout-axial")
    window.click("edit-paint")
    _stroke_beside_the_left_hippocampus(window)
    _show(window, f"browser-5-corrected{ending}", still=False)
    window.click("layout-four")
    window.tab("segment")
    window.click("run-segment")
    window.page.wait_for_selector(window.named("question-dialog"))
    _show(window, f"browser-6-question{ending}")
    window.click("question-no")
    window.tab("export")
    _show(window, f"browser-7-downloads{ending}")
    broken = window.folder / "head.nii.gz"
    broken.write_bytes(b"\x1f\x8b\x08\x00 not a scan")
    window.page.set_input_files(window.named("files-chooser"), broken)
    window.page.wait_for_selector(window.named("error-dialog"))
    _show(window, f"browser-8-error{ending}")


def _preparation_tour(window: HeadWindow, ending: str) -> None:
    """A step of preparation, and the series of a study to choose from."""
    window.tab("prepare")
    window.click("prepare-settings")
    window.click("prepare-apply")
    window.wait_for(lambda: window.shows("prepare-stage-before"), seconds=SECONDS)
    _wait_for_end(window)
    window.page.mouse.move(5, 790)
    _show(window, f"browser-9-prepared{ending}")
    window.page.set_input_files(window.named("files-chooser"), _study_of_two_series(window.folder))
    window.page.wait_for_selector(window.named("series-dialog"))
    window.page.wait_for_timeout(500)
    _show(window, f"browser-10-series{ending}", still=False)


def _study_of_two_series(folder: Path) -> Path:
    """A zip with two series of the real data that lie beside the repository."""
    study = Path(os.environ.get("MEDSEGAI_DATA") or ROOT / ".." / "shared" / "data") / "tcia_brain_dicom" / "Study1"
    archive = folder / "study.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name in ("12-T1post-05670", "36459-FLAIRreg-76244"):
            for path in (study / name).iterdir():
                opened.write(path, f"{name}/{path.name}")
    return archive


def _show(window: HeadWindow, name: str, *, still: bool = True) -> None:
    if still:
        window.views()
    keep(Image.open(io.BytesIO(window.page.screenshot())), name)


def _wait_for_end(window: HeadWindow) -> None:
    window.wait_for(lambda: not window.shows("run-cancel"), seconds=SECONDS)


def _stroke_beside_the_left_hippocampus(window: HeadWindow) -> None:
    """Draw downwards from the coloured area on the picture's right, and leave the brush there."""
    window.page.wait_for_selector(f"{window.named('edit-paint')}[aria-pressed=true]")
    made = window.rows()
    window.tab("edit")
    picture = window.picture()
    strong = np.ptp(picture.astype(int), axis=2) > 60
    strong[:, : picture.shape[1] // 2] = False
    row, column = (int(np.median(place)) for place in np.nonzero(strong))
    box = window.page.locator(window.named("views")).bounding_box()
    x, y = box["x"] + column, box["y"] + row
    mouse = window.page.mouse
    mouse.move(x, y)
    mouse.down()
    for step in range(1, 7):
        mouse.move(x + 4 * step, y + 7 * step)
    mouse.up()
    # The stroke's outline is a preview until the stroke is in the segment.
    window.wait_for(lambda: window.rows() != made)
    window.tab("edit")
    mouse.move(x + 24, y + 42)
    window.page.wait_for_timeout(1000)


# The desktop module's panel -------------------------------------------------------------------------------------------


def _desktop_pictures() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_SCALE_FACTOR", "1.5")
    from Testing.Widgets.qt_host.host import QtHost

    for ending in LANGUAGES:
        with QtHost() as host:
            if ending:
                host.speak(CHINESE_FILE)
            _one_desktop_tour(host.open_module(MODULE_FILE), ending)
            host.close()


def _one_desktop_tour(module: OpenModule, ending: str) -> None:
    from Testing.Widgets.qt_host.waiting import pump_until

    session = module.logic.session()

    def press(name: str) -> None:
        pump_until(lambda: module.child(name).enabled, SECONDS)
        module.child(name).click()

    def wait() -> None:
        pump_until(lambda: not session.is_busy, SECONDS)

    press("sampleButton")
    pump_until(lambda: session.scan is not None, SECONDS)
    _unfold(module, "model", "scans", "region", "run")
    _grab_panel(module, f"desktop-1-panel{ending}", down_to="runSection")
    press("segmentButton")
    pump_until(lambda: "right hippocampus" in session.run.stage, SECONDS)
    _unfold(module, "run")
    _grab_panel(module, f"desktop-2-running{ending}", down_to="runSection")
    wait()
    press("explainButton")
    wait()
    press("checkButton")
    wait()
    for name, section in SECTIONS.items():
        _unfold(module, section)
        _grab(getattr(module.ui, f"{section}Section"), f"desktop-{name}{ending}")
    # Last, since the prepared scan has no results yet.
    steps = module.child("stepCombo")
    steps.currentIndex = steps.findData("n4")
    steps.activated.emit(steps.currentIndex)
    press("applyButton")
    wait()
    _unfold(module, "prepare")
    _grab(module.child("prepareSection"), f"desktop-7-preparation{ending}")


def _unfold(module: OpenModule, *wanted: str) -> None:
    from Testing.Widgets.qt_host.waiting import pump

    for name in ("setup", *module.file.SECTIONS):
        getattr(module.ui, f"{name}Section").collapsed = name not in wanted
    # High enough that nothing has to be squeezed.
    module.panel.window().resize(PANEL_WIDTH, 1600)
    pump(0.3)


def _grab_panel(module: OpenModule, name: str, *, down_to: str) -> None:
    """Keep the panel from its top to the end of a section."""
    from Testing.Widgets.qt_host.waiting import pump

    # A text that came meanwhile needs its room.
    module.panel.window().resize(PANEL_WIDTH, 1601)
    pump(0.1)
    panel, last = module.panel, module.child(down_to)
    bottom = last.mapTo(panel, last.rect.bottomLeft()).y() + 8
    _grab(panel, name, height=bottom)


def _grab(widget: QWidget, name: str, *, height: int = 0) -> None:
    from PySide6 import QtCore

    area = QtCore.QRect(0, 0, widget.width, height or widget.height)
    buffer = QtCore.QBuffer()
    buffer.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
    widget.grab(area).save(buffer, "PNG")
    keep(Image.open(io.BytesIO(bytes(buffer.data()))), name)


if __name__ == "__main__":
    main()
