"""A CT in the browser is prepared and compared with what it was before; a model of two scans asks where they lie."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.weights import build_network, save_model
from Testing.Web.test_case_app import SECONDS_TO_COMPUTE, WINDOW, Window, start_case
from Testing.Web.test_case_app import browser as browser
from Testing.Web.test_case_app import opengl as opengl


@pytest.fixture(scope="module")
def models(repository_root, tmp_path_factory) -> Path:
    """A folder of models with one of two inputs, which is never run here."""
    template = repository_root / "MedSegAI" / "Resources" / "Training" / "hippocampus-mr.card.json"
    card = ModelCard.from_json(template.read_text(encoding="utf-8"))
    second = replace(card.inputs[0], name="T2")
    arguments = {**card.network_arguments, "in_channels": 2}
    changes = {"name": "two-inputs", "title": "Two scans", "inputs": (card.inputs[0], second), "localiser": None}
    card = replace(card, **changes, network_arguments=arguments)
    folder = tmp_path_factory.mktemp("models")
    save_model(folder / "two-inputs", card, state=build_network(card.network, card.network_arguments).state_dict())
    return folder


@pytest.fixture(scope="module")
def window(data_folder: Path, models, browser, tmp_path_factory) -> Iterator[Window]:
    scan = data_folder / "totalseg_ct" / "example_ct_sm.nii.gz"
    if not scan.is_file():
        pytest.skip(f"no real data at {scan}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MEDSEGAI_MODELS", str(models))
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


@pytest.mark.parametrize(("line", "typed"), [("window-level", "nan"), ("window-width", "0"), ("window-width", "1,800")])
def test_a_window_that_shows_nothing_or_could_mean_two_is_refused_and_the_line_says_again_what_is_shown(
    window, line, typed
):
    shown = window.page.input_value(window.named(line) + " input")
    window.page.fill(window.named(line) + " input", typed)
    window.page.press(window.named(line) + " input", "Tab")
    window.page.wait_for_selector(window.named("error-dialog"))
    window.click("error-close")
    window.wait_for(lambda: window.page.input_value(window.named(line) + " input") == shown)


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


def test_two_scans_find_their_inputs_and_whether_they_lie_right_is_asked(window, hippocampus_crops, tmp_path):
    window.tab("segment")
    choose(window, "model-name", "Two scans")
    for name, crop in zip(("head-T1", "head-T2"), hippocampus_crops):
        shutil.copy(crop.image, tmp_path / f"{name}.nii.gz")
    window.page.set_input_files(window.named("files-chooser"), sorted(tmp_path.iterdir()))
    window.wait_for(
        lambda: "Nothing says that 'head-T2' and 'head-T1' lie in one space" in window.text("input-space-1")
    )
    assert shows(window, "inputs-align-1") and not shows(window, "inputs-take-off-1")
    assert "Align it first" in window.text("run-obstacle")

    window.page.click(window.named("inputs-same-space") + " input")
    window.wait_for(lambda: "without registration" in window.text("input-space-1"))
    assert not shows(window, "run-obstacle")

    window.click("input-show-0")
    window.wait_for(lambda: window.page.get_attribute(window.named("input-show-0"), "aria-pressed") == "true")
    assert window.complaints == []
