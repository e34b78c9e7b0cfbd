"""``medsegai dicom export``, ``deidentify`` and ``send``, as a person meets them."""

from __future__ import annotations

import json

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.write import write_segmentation, write_volume
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume
from Testing.Logic.corrections.conftest import MADE
from Testing.orthanc_archive import orthanc  # noqa: F401 - a fixture
from Testing.synthetic_series import a_pattern, write_series

pytest.importorskip("highdicom")


@pytest.fixture
def case(tmp_path):
    """A CT of six slices with its result in files, as 'segment' leaves them."""
    write_series(tmp_path / "ct", a_pattern((6, 16, 16)))
    grid = read_volume(tmp_path / "ct").grid
    labels = np.zeros(grid.shape, np.uint8)
    labels[2:4, 4:9, 4:9] = 1
    table = LabelTable((Label(1, "lump", "Lump", (1, 0, 0)),))
    write_segmentation(tmp_path / "out.seg.nrrd", Volume(labels, grid), table, MADE)
    for name in ("heat", "conf"):
        write_volume(tmp_path / f"{name}.nrrd", Volume((labels * 0.75).astype(np.float32), grid))
    return tmp_path


def test_a_result_is_exported_de_identified_and_sent(medsegai, case, orthanc):  # noqa: F811
    exported = medsegai(
        "dicom", "export", case / "out.seg.nrrd", "--source", case / "ct", "-o", case / "dicom", "--heatmap",
        case / "heat.nrrd", "--target", "lump", "--confidence", case / "conf.nrrd", "--creator", "Anna",
    )  # fmt: skip
    assert exported.code == 0, exported.err
    assert exported.out.splitlines()[0] == f"Segmentation: {case / 'dicom' / 'segmentation.dcm'}"
    assert "They name the patient as the scan's own files do." in exported.out
    assert {path.name for path in (case / "dicom").iterdir()} == {
        "segmentation.dcm", "confidence.dcm", "heat-map.dcm", "report.dcm",
    }  # fmt: skip
    refused = medsegai("dicom", "send", case / "dicom", orthanc.dicomweb)
    assert refused.code == 2
    assert "4 of 4 files may name a patient" in refused.err
    cleaned = medsegai(
        "dicom", "deidentify", case / "dicom", "-o", case / "clean", "--map", case / "map.json", "--report",
        case / "report.json", "--keep", "patient,descriptions", "--dates", "shift",
    )  # fmt: skip
    assert cleaned.code == 0, cleaned.err
    assert cleaned.out.startswith(f"De-identified into {case / 'clean'}. Patients: 1, files: 4, ")
    assert "whoever has them can undo this" in cleaned.out
    assert json.loads((case / "report.json").read_text())["files"] == 4
    sent = medsegai("dicom", "send", case / "clean", orthanc.dicomweb)
    assert (sent.code, sent.out) == (0, f"Stored 4 of 4 files in {orthanc.dicomweb}.\n")
    assert orthanc.count("patients") == 1


def test_the_objects_that_are_asked_for_are_written_and_told_to_machines(medsegai, case):
    shown = medsegai(
        "dicom", "export", case / "out.seg.nrrd", "--source", case / "ct", "-o", case / "dicom", "--objects",
        "seg,rtstruct", "--seg-type", "labelmap", "--json",
    )  # fmt: skip
    objects = json.loads(shown.out)["objects"]
    assert [one["kind"] for one in objects] == ["seg", "rtstruct"]
    for one in objects:
        dataset = pydicom.dcmread(one["file"])
        assert (dataset.SOPInstanceUID, dataset.SOPClassUID) == (one["instance_uid"], one["sop_class_uid"])
    assert pydicom.dcmread(objects[0]["file"]).SegmentationType == "LABELMAP"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("export", "out.seg.nrrd", "--source", "ct", "-o", "x", "--objects", "seg,jpeg"), "is no list of"),
        (("export", "out.seg.nrrd", "--source", "ct", "-o", "x", "--objects", "pm"), "nothing to write it from"),
        (("export", "out.seg.nrrd", "--source", "ct", "-o", "ct"), "holds something already"),
        (("export", "out.seg.nrrd", "--source", "ct", "-o", "x", "--target", "liver"), "no label 'liver'"),
        (("deidentify", "ct", "-o", "ct/clean"), "originals and copies would mix"),
        (("deidentify", "ct", "-o", "x", "--keep", "name"), "is no list of"),
        (("deidentify", "ct", "-o", "x", "--map", "x/map.json"), "would lie among the de-identified files"),
        (("send", "ct", "pacs"), "no address of a DICOMweb service"),
        (("send", "ct", "http://127.0.0.1:9/dicom-web", "--identified"), "cannot be reached"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(medsegai, case, monkeypatch, arguments, sentence):
    monkeypatch.chdir(case)
    shown = medsegai("dicom", *arguments)
    assert shown.code == 2
    assert sentence in shown.err.splitlines()[-1]
    assert not (case / "x").exists()


def test_an_address_without_encryption_is_told_before_anything_is_sent(medsegai, case):
    shown = medsegai("dicom", "send", case / "ct", "http://pacs.example/dicom-web")
    assert "http://pacs.example/dicom-web is not encrypted: files, passwords and tokens can be read" in shown.err
    assert "not encrypted" not in medsegai("dicom", "send", case / "ct", "https://pacs.example/dicom-web").err


def test_a_password_comes_from_the_environment_and_a_refused_file_is_named(medsegai, case, monkeypatch):
    from Testing.Logic.files.dicom.test_web_store import answering

    monkeypatch.setenv("MEDSEGAI_DICOMWEB_PASSWORD", "geheim")
    failed = {"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [0x0122]}}]}}
    with answering(409, json.dumps(failed).encode()) as url:
        shown = medsegai("dicom", "send", case / "ct", url, "--user", "anna", "--identified")
    assert shown.code == 2
    assert "Stored 0 of 6 files" in shown.out
    assert f"Not stored: '{case / 'ct' / '000.dcm'}': this kind of object is not taken." in shown.out
    assert "geheim" not in shown.out + shown.err


@pytest.mark.parametrize("option", ["--map", "--report"])
def test_a_map_or_report_that_cannot_be_written_is_said_before_anything_is_de_identified(medsegai, case, option):
    shown = medsegai("dicom", "deidentify", case / "ct", "-o", case / "clean", option, case / "absent" / "file.json")
    assert (shown.code, f"there is no folder '{case / 'absent'}'" in shown.err) == (2, True)
    assert not (case / "clean").exists()


def test_map_and_report_are_two_files(medsegai, case):
    one = case / "one.json"
    shown = medsegai("dicom", "deidentify", case / "ct", "-o", case / "clean", "--map", one, "--report", one)
    assert (shown.code, "name the same file" in shown.err) == (2, True)
    assert not (case / "clean").exists()
