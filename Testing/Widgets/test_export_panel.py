"""The export's panel: each result as a file, chosen in a dialog, written beside the main thread."""

from __future__ import annotations

import csv

import pytest

from MedSegAI.Bridge.scan_attributes import SourceSeries
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Session.dicom_export import IDENTITY_KEPT, IDENTITY_REMOVED


@pytest.fixture
def panel(bench):
    from MedSegAI.Widgets.export_panel import ExportPanel

    begun = []
    panel = ExportPanel(bench.ui, bench.session, writing=lambda: begun.append(True))
    panel.begun = begun
    panel.refresh()
    return panel


@pytest.fixture
def segmented(bench, panel, a_crop):
    bench.segment(a_crop)
    panel.refresh()
    return bench


def save(bench, button, path):
    bench.host.dialogs.answers.append(str(path))
    getattr(bench.ui, button).click()


def test_only_what_there_is_can_be_saved(bench, panel):
    assert not bench.ui.saveSegmentationButton.enabled
    assert not bench.ui.saveHeatMapButton.enabled
    assert bench.ui.saveSceneButton.enabled


def test_the_segmentation_is_saved_with_its_names(segmented, panel, tmp_path):
    path = tmp_path / "result.seg.nrrd"
    save(segmented, "saveSegmentationButton", path)
    assert panel.begun == [True]
    panel.wait()
    assert segmented.ui.exportNote.text == f"Saved as {path}"
    names = [label.name for label in read_segmentation(path).table]
    assert names == ["Anterior hippocampus", "Posterior hippocampus"]
    segmented.picture(segmented.ui.exportSection, "export")


def test_a_name_without_ending_gets_one(segmented, panel, tmp_path):
    save(segmented, "saveSegmentationButton", tmp_path / "result")
    panel.wait()
    assert [path.name for path in tmp_path.iterdir()] == ["result.seg.nrrd"]


def test_the_volumes_are_saved_as_a_table(segmented, panel, tmp_path):
    save(segmented, "saveVolumesButton", tmp_path / "volumes.csv")
    panel.wait()
    rows = list(csv.reader((tmp_path / "volumes.csv").open()))
    assert len(rows) == 3
    assert rows[1][0:2] != rows[2][0:2]


def test_the_heat_map_is_saved(segmented, panel, tmp_path):
    segmented.session.start_explain()
    segmented.work_through()
    panel.refresh()
    save(segmented, "saveHeatMapButton", tmp_path / "heat.nrrd")
    panel.wait()
    assert read_volume(tmp_path / "heat.nrrd").array.max() == pytest.approx(1.0)


def test_the_scene_is_saved(segmented, panel, tmp_path):
    save(segmented, "saveSceneButton", tmp_path / "case.mrb")
    assert (tmp_path / "case.mrb").stat().st_size > 1000
    assert segmented.ui.exportNote.text == f"Saved as {tmp_path / 'case.mrb'}"


def test_what_cannot_be_written_is_said_and_leaves_nothing(segmented, panel, tmp_path):
    save(segmented, "saveSegmentationButton", tmp_path / "no such folder" / "result.seg.nrrd")
    panel.wait()
    assert "no such folder" in segmented.problem
    assert segmented.ui.exportNote.text == ""
    assert list(tmp_path.iterdir()) == []


def test_a_cancelled_dialog_saves_nothing(segmented, panel):
    save(segmented, "saveSegmentationButton", "")
    assert panel.begun == [] and segmented.problem == ""


@pytest.fixture
def from_dicom(bench, panel, data_folder):
    """A segmented scan that was read from a DICOM series."""
    pytest.importorskip("highdicom", reason="needs highdicom (pip install highdicom)")
    folder = data_folder / "tcia_brain_dicom" / "Study1" / "13_HCropVolume"
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    (found,) = find_series(folder)
    bench.session.add_scan(read_volume(folder, series=found.uid), source=SourceSeries(folder, found.uid))
    bench.session.start_segment()
    bench.work_through()
    panel.refresh()
    return bench


def modalities(folder):
    import pydicom

    return sorted(pydicom.dcmread(path, stop_before_pixels=True).Modality for path in folder.rglob("*.dcm"))


def test_a_scan_that_did_not_come_as_dicom_has_no_study_to_go_to(segmented):
    assert not segmented.ui.saveDicomButton.enabled
    assert "was not read from DICOM files" in segmented.ui.dicomNote.text


def test_results_go_into_a_new_folder_as_dicom_with_the_patients_identity_and_that_is_said_before(
    from_dicom, panel, tmp_path
):
    assert from_dicom.ui.dicomNote.text == IDENTITY_KEPT
    (tmp_path / "HippoCrop-dicom").mkdir()
    save(from_dicom, "saveDicomButton", tmp_path)
    panel.wait()
    assert from_dicom.problem == ""
    made = tmp_path / "HippoCrop-dicom-2"
    assert from_dicom.ui.exportNote.text == f"Saved as {made}"
    assert modalities(made) == ["SEG", "SR"]
    from_dicom.picture(from_dicom.ui.exportSection, "export-dicom")


def test_without_identity_the_scan_goes_along_and_what_stays_is_said(from_dicom, panel, tmp_path):
    from_dicom.ui.deidentifyCheck.click()
    assert from_dicom.ui.dicomNote.text == IDENTITY_REMOVED
    save(from_dicom, "saveDicomButton", tmp_path)
    panel.wait()
    assert from_dicom.problem == ""
    (made,) = tmp_path.iterdir()
    assert made.name == "deidentified-dicom"
    assert set(modalities(made)) == {"MR", "SEG", "SR"}
    assert from_dicom.ui.exportNote.text.startswith(f"Saved as {made}")


def test_a_cancelled_dialog_exports_no_dicom(from_dicom, panel):
    save(from_dicom, "saveDicomButton", "")
    assert panel.begun == [] and from_dicom.problem == ""
