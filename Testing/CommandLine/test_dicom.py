"""``medsegai dicom``: list, check and fetch, with the exit codes their help states."""

from __future__ import annotations

import json

import pytest

from Testing.orthanc_archive import orthanc  # noqa: F401 - a fixture
from Testing.synthetic_series import a_pattern, edit, write_series


@pytest.fixture
def study(tmp_path):
    """A folder with a CT of ten slices and an MR that lacks one."""
    write_series(tmp_path / "study" / "ct", a_pattern((10, 16, 16)))
    write_series(tmp_path / "study" / "mr", a_pattern(), modality="MR", intercept=0, number=2)[3].unlink()
    return tmp_path / "study"


def test_series_are_listed_as_a_table(medsegai, study):
    shown = medsegai("dicom", "list", study)
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert " ".join(lines[0].split()) == "SERIES KIND DESCRIPTION PATIENT DATE FILES SIZE SPACING MM UID"
    assert "Synthetic CT" in lines[1] and "16 x 16 x 10" in lines[1] and "Doe Jane (P-17)" in lines[1]
    assert "'Synthetic MR' cannot be read as a volume: A slice is missing" in lines[3]


def test_the_list_is_json_for_machines(medsegai, study):
    ct, mr = json.loads(medsegai("dicom", "list", study / "ct", study / "mr", "--json").out)["series"]
    assert (ct["problem"], ct["size"]) == ("", [16, 16, 10])
    assert mr["problem"] and mr["size"] is None


def test_a_list_without_a_volume_leaves_with_2(medsegai, study, tmp_path):
    assert medsegai("dicom", "list", study / "mr").code == 2
    (tmp_path / "empty").mkdir()
    shown = medsegai("dicom", "list", tmp_path / "empty")
    assert (shown.code, shown.out) == (2, f"There is no DICOM file in '{tmp_path / 'empty'}'.\n")


def test_a_usable_folder_is_checked_with_0(medsegai, study):
    shown = medsegai("dicom", "check", study)
    assert shown.code == 0
    assert shown.out.startswith("Of 2 scans 1 can be segmented as it is.")
    assert "  ! It is not a volume. A slice is missing" in shown.out


def test_strict_leaves_with_2_for_any_error(medsegai, study):
    assert medsegai("dicom", "check", study / "ct", "--strict").code == 0
    edit(study / "ct" / "004.dcm", KVP=None)
    assert medsegai("dicom", "check", study / "ct").code == 0
    shown = medsegai("dicom", "check", study / "ct", "--strict", "--all")
    assert shown.code == 2
    assert "The standard's validator makes 1 remark." in shown.out


def test_a_folder_that_cannot_be_used_at_all_leaves_with_2(medsegai, study):
    assert medsegai("dicom", "check", study / "mr").code == 2


def test_the_check_writes_a_page_and_json(medsegai, study, tmp_path):
    shown = medsegai("dicom", "check", study, "--html", tmp_path / "report.html", "--json")
    facts = json.loads(shown.out)
    assert facts["usable"] and not facts["clean"]
    assert [series["usable"] for series in facts["series"]] == [True, False]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "It cannot be segmented: it is not a volume." in page


def test_a_page_that_cannot_be_written_is_refused_before_the_check(medsegai, study, tmp_path):
    shown = medsegai("dicom", "check", study, "--html", tmp_path / "report.docx")
    assert (shown.code, shown.out) == (2, "")
    assert "no ending that can be written" in shown.err


def test_an_archive_is_listed_and_a_series_fetched(medsegai, study, orthanc, tmp_path):  # noqa: F811
    pytest.importorskip("dicomweb_client", reason="needs dicomweb-client")
    orthanc.clear()
    orthanc.put_folder(study / "ct")
    listed = json.loads(medsegai("dicom", "fetch", orthanc.dicomweb, "--list", "--json").out)["series"]
    address = listed[0]["url"]
    assert "Doe Jane (P-17)" in medsegai("dicom", "fetch", orthanc.dicomweb, "--list").out
    shown = medsegai("dicom", "fetch", address, "-o", tmp_path / "head")
    assert shown.out == f"Fetched 10 files of 'Synthetic CT' into {tmp_path / 'head'}.\n"
    assert medsegai("dicom", "list", tmp_path / "head").code == 0
    whole = medsegai("dicom", "fetch", address.partition("/series/")[0], "-o", tmp_path / "study2")
    assert whole.code == 0 and len(list((tmp_path / "study2").iterdir())) == 1
    absent = medsegai("dicom", "fetch", address + ".99", "-o", tmp_path / "absent")
    assert (absent.code, (tmp_path / "absent").exists()) == (2, False)
    assert "has no such series" in absent.err or "(HTTP 404)" in absent.err


def test_a_whole_archive_is_not_fetched(medsegai, tmp_path):
    shown = medsegai("dicom", "fetch", "http://127.0.0.1:9/dicom-web", "-o", tmp_path / "all")
    assert shown.code == 2
    assert "names a whole archive" in shown.err
