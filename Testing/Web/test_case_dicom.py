"""DICOM in the browser: a zip of two series, one of them chosen, segmented, and downloaded as objects of its study."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("highdicom", reason="needs highdicom (pip install highdicom)")

from MedSegAI.Logic.files.dicom.find_series import find_series
from Testing.Web.test_case_app import WINDOW, Window, start_case
from Testing.Web.test_case_app import browser as browser
from Testing.Web.test_case_app import opengl as opengl


@pytest.fixture(scope="module")
def study(data_folder: Path) -> Path:
    folder = data_folder / "tcia_brain_dicom" / "Study1"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


@pytest.fixture(scope="module")
def window(study, browser, tmp_path_factory) -> Iterator[Window]:
    case = start_case("--empty")
    page = browser.new_page(viewport=WINDOW, accept_downloads=True)
    opened = Window(page, tmp_path_factory.mktemp("downloads"))
    opened.open(case.url)
    yield opened
    page.close()
    case.end()


@pytest.fixture(scope="module")
def two_series(study, tmp_path_factory) -> Path:
    """The crop around a hippocampus, and four images of another series."""
    archive = tmp_path_factory.mktemp("upload") / "study.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in (*(study / "13_HCropVolume").iterdir(), *find_series(study / "12-T1post-05670")[0].files[:4]):
            opened.write(path, f"{path.parent.name}/{path.name}")
    return archive


def test_several_series_are_listed_and_the_chosen_one_is_opened(window, two_series):
    window.page.set_input_files(window.named("files-chooser"), two_series)
    window.page.wait_for_selector(window.named("series-dialog"))
    listed = window.text("series-dialog")
    assert "T1post (12)" in listed and "512 x 512 x 4" in listed and "4 images" in listed
    assert "HippoCrop" in listed and "35 x 51 x 32" in listed
    rows = {window.text(f"series-{row}").split("\n")[0].strip(): row for row in range(2)}
    assert window.page.is_checked(window.named(f"series-choice-{rows['T1post (12)']}") + " input")
    for row in rows.values():
        window.page.click(window.named(f"series-choice-{row}") + " input")
    window.click("series-open")
    window.wait_for(lambda: window.text("case-name") == "HippoCrop")


def test_without_a_result_the_download_says_what_is_missing(window):
    window.tab("export")
    assert "no segmentation" in window.text("export-dicom-obstacle")
    assert window.page.is_disabled(window.named("export-dicom"))


def test_the_result_is_downloaded_as_objects_of_the_scans_study(window, study, tmp_path):
    import pydicom

    window.segment()
    window.tab("export")
    assert "patient's name" in window.text("export-identity")
    made = downloaded(window, tmp_path / "named", name="HippoCrop-dicom.zip")
    source = pydicom.dcmread(next((study / "13_HCropVolume").iterdir()), stop_before_pixels=True)
    assert sorted(one.Modality for one in made) == ["SEG", "SR"]
    assert {one.StudyInstanceUID for one in made} == {source.StudyInstanceUID}
    assert {str(one.PatientName) for one in made} == {str(source.PatientName)}


def test_it_can_leave_without_the_patients_identity(window, study, tmp_path):
    window.tab("export")
    window.page.click(window.named("export-deidentify") + " input")
    window.wait_for(lambda: "look at the images before they leave" in window.text("export-identity"))
    made = downloaded(window, tmp_path / "unnamed", name="deidentified-dicom.zip")
    assert sorted({one.Modality for one in made}) == ["MR", "SEG", "SR"]
    assert all(one.PatientIdentityRemoved == "YES" for one in made)
    assert window.complaints == []


def downloaded(window: Window, folder: Path, *, name: str) -> list:
    """The headers of the DICOM files in the downloaded zip."""
    import pydicom

    with window.page.expect_download() as download:
        window.click("export-dicom")
    assert download.value.suggested_filename == name
    folder.mkdir()
    download.value.save_as(folder / "case.zip")
    with zipfile.ZipFile(folder / "case.zip") as archive:
        archive.extractall(folder)
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in folder.rglob("*.dcm")]
