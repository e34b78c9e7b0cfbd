"""Uploads to a case: whatever a person drops on the page is read, or refused with a sentence that names it."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pytest

from MedSegAI.Bridge.scan_attributes import SourceSeries
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.find_series import find_series
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.volume import Modality
from MedSegAI.Web.case.uploads import read_series, read_upload

SMALL_SERIES = "tcia_brain_dicom/Study1/13_HCropVolume"


@pytest.fixture
def series(data_folder: Path) -> Path:
    folder = data_folder / SMALL_SERIES
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


def test_a_nifti_file_is_read_as_the_command_line_reads_it(tmp_path, hippocampus_crops):
    shutil.copy(hippocampus_crops[0].image, tmp_path)
    (scan,) = read_upload(tmp_path).scans
    expected = read_volume(hippocampus_crops[0].image)
    assert (scan.volume.array == expected.array).all()
    assert scan.volume.grid == expected.grid
    assert scan.source is None


def test_several_scans_are_read_in_the_order_of_their_names(tmp_path, hippocampus_crops):
    for crop in hippocampus_crops[:2]:
        shutil.copy(crop.image, tmp_path)
    assert [scan.volume.name for scan in read_upload(tmp_path).scans] == sorted(
        crop.name for crop in hippocampus_crops[:2]
    )


def test_the_files_of_a_dicom_series_are_one_scan(tmp_path, series):
    shutil.copytree(series, tmp_path / "series")
    (scan,) = read_upload(tmp_path).scans
    assert scan.volume.modality is Modality.MR
    assert scan.volume.array.shape == read_volume(series).array.shape
    assert scan.source == SourceSeries(tmp_path, find_series(series)[0].uid)


def test_a_zip_of_a_dicom_series_is_one_scan(tmp_path, series):
    with zipfile.ZipFile(tmp_path / "series.zip", "w") as archive:
        for path in series.iterdir():
            archive.write(path, f"patient/series/{path.name}")
    (scan,) = read_upload(tmp_path).scans
    assert scan.volume.array.shape == read_volume(series).array.shape


def test_a_scene_is_left_for_the_scene_to_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "case.mrb", "w") as archive:
        archive.writestr("case/case.mrml", "<MRML></MRML>")
    assert read_upload(tmp_path).scene == tmp_path / "case.mrb"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.nii.gz", b"\x1f\x8b\x08\x00cut short"),
        ("empty.nrrd", b""),
        ("letter.txt", b"Dear colleague"),
        ("torn.zip", b"PK\x03\x04torn"),
        ("torn.mrb", b"PK\x03\x04torn"),
    ],
)
def test_what_cannot_be_read_is_named_without_our_private_folder(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_upload(tmp_path)
    assert name in caught.value.problem
    assert caught.value.advice
    assert str(tmp_path) not in str(caught.value)


def test_several_series_are_listed_to_choose_from_and_read_when_one_is_chosen(tmp_path, series):
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        for path in (*series.iterdir(), *find_series(series.parent / "12-T1post-05670")[0].files[:4]):
            archive.write(path, f"{path.parent.name}/{path.name}")

    upload = read_upload(tmp_path)

    assert (upload.scans, upload.folder) == ((), tmp_path)
    assert {one.file_count for one in upload.series} == {len(list(series.iterdir())), 4}
    chosen = next(one for one in upload.series if one.file_count > 4)
    opened = read_series(upload.folder, chosen.uid)
    assert opened.volume.array.shape == read_volume(series).array.shape
    assert opened.source == SourceSeries(tmp_path, chosen.uid)


def test_a_series_beside_another_scan_is_not_passed_over(tmp_path, series, hippocampus_crops):
    shutil.copytree(series, tmp_path / "series")
    shutil.copy(hippocampus_crops[0].image, tmp_path)
    (tmp_path / "read me.txt").write_text("From the workstation.")

    upload = read_upload(tmp_path)

    assert [scan.volume.name for scan in upload.scans] == [hippocampus_crops[0].name]
    (found,) = upload.series
    assert (found.file_count, upload.folder) == (len(list(series.iterdir())), tmp_path)


def test_dicom_files_without_a_scan_among_them_are_refused_with_the_reason(tmp_path, series):
    shutil.copy(next(series.iterdir()), tmp_path / "single.dcm")
    with pytest.raises(InputError, match="There is no scan among the DICOM files") as caught:
        read_upload(tmp_path)
    assert str(tmp_path) not in str(caught.value)


def test_a_truncated_scan_is_refused(tmp_path, hippocampus_crops):
    whole = hippocampus_crops[0].image.read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut\.nii\.gz"):
        read_upload(tmp_path)


def test_an_upload_without_files_is_refused(tmp_path):
    with pytest.raises(InputError, match="There is no file in what was uploaded"):
        read_upload(tmp_path)
