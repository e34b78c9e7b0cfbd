"""``medsegai corrections``: masks in, lists, checks, masks and training sets out."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.decathlon import read_case


@pytest.fixture
def masks(hippocampus_crops, tmp_path):
    """The expert's labels of a real crop, and the same with a block more of each label."""
    expert = sitk.ReadImage(str(hippocampus_crops[0].labels), sitk.sitkUInt8)
    sitk.WriteImage(expert, str(tmp_path / "model.nii.gz"))
    for name, value, corner in (("anna", 1, 2), ("bene", 2, 8)):
        changed = sitk.Image(expert)
        changed[corner : corner + 3, 3:6, 4:6] = value
        sitk.WriteImage(changed, str(tmp_path / f"{name}.nii.gz"))
    return tmp_path


@pytest.fixture
def case(medsegai, masks, hippocampus_crops):
    """A case of two raters who are done."""
    for rater in ("Anna", "Bene"):
        shown = medsegai(
            *("corrections", "import", masks / f"{rater.lower()}.nii.gz", "--case", masks / "case-7"),
            *("--rater", rater, "--role", "radiologist", "--comment", "looked twice"),
            *("--base", masks / "model.nii.gz", "--scan", hippocampus_crops[0].image),
        )
        assert shown.code == 0, shown.err
        assert "changed a box of" in shown.out
    return masks / "case-7"


def test_what_was_imported_is_listed(medsegai, case):
    shown = medsegai("corrections", "list", case)
    assert shown.code == 0
    lines = [line.split() for line in shown.out.splitlines()]
    assert lines[0][:4] == ["ENTRY", "ON", "STATUS", "RATER"]
    assert [line[:5] for line in lines[2:]] == [
        ["2", "1", "final", "Anna", "radiologist"],
        ["3", "1", "final", "Bene", "radiologist"],
    ]
    assert "looked twice" in shown.out
    entries = json.loads(medsegai("corrections", "list", case, "--json").out)["entries"]
    assert [entry["number"] for entry in entries] == [1, 2, 3]
    assert entries[1]["box"] == [[4, 3, 2], [6, 6, 5]]
    assert entries[2]["previous"] == entries[1]["hash"]


def test_the_same_mask_again_is_nothing_new(medsegai, case, masks):
    again = ("corrections", "import", masks / "anna.nii.gz", "--case", case, "--rater", "Anna")
    assert "Nothing to record" in medsegai(*again).out
    assert json.loads(medsegai(*again, "--json").out) == {"entry": None}
    assert json.loads(medsegai(*again, "--status", "draft", "--json").out)["entry"]["box"] is None


def test_final_corrections_become_a_training_set(medsegai, case, masks, hippocampus_crops):
    shown = medsegai("corrections", "export", case, "-o", masks / "set")
    assert shown.code == 0, shown.err
    assert "2 labelled images" in shown.out
    image, labels = read_case(masks / "set", "case-7-1-Anna")
    assert np.array_equal(image.array, sitk.GetArrayFromImage(sitk.ReadImage(str(hippocampus_crops[0].image))))
    assert np.array_equal(labels.array, sitk.GetArrayFromImage(sitk.ReadImage(str(masks / "anna.nii.gz"))))
    provenance = json.loads((masks / "set" / "dataset.json").read_text())["provenance"]
    listed = json.loads(medsegai("corrections", "list", case, "--json").out)["entries"]
    assert [(one["rater"], one["entry_hash"]) for one in provenance] == [
        ("Anna", listed[1]["hash"]),
        ("Bene", listed[2]["hash"]),
    ]
    one = medsegai("corrections", "export", case, "-o", masks / "one", "--rater", "Bene", "--json")
    assert [entry["name"] for entry in json.loads(one.out)["dataset"]["provenance"]] == ["case-7"]


@pytest.mark.parametrize("ending", [".seg.nrrd", ".nii.gz"])
def test_any_state_is_written_as_a_mask(medsegai, case, masks, ending):
    def labels_of(name):
        return sitk.GetArrayFromImage(sitk.ReadImage(str(masks / name)))

    out = masks / f"out{ending}"
    for options, expected in ((("--rater", "Anna"), "anna"), (("--upto", 1), "model"), ((), "bene")):
        assert medsegai("corrections", "replay", case, "-o", out, *options).code == 0
        assert np.array_equal(labels_of(out.name), labels_of(f"{expected}.nii.gz"))


def test_a_withdrawn_entry_stays_in_the_list_and_leaves_the_training_set(medsegai, case, masks):
    shown = medsegai("corrections", "withdraw", case, 2, "--rater", "Anna", "--comment", "wrong side")
    assert shown.code == 0
    assert "Entry 2 no longer counts; entry 4 says so." in shown.out
    entries = json.loads(medsegai("corrections", "list", case, "--json").out)["entries"]
    assert [entry["status_now"] for entry in entries] == ["final", "withdrawn", "final", "withdrawn"]
    exported = json.loads(medsegai("corrections", "export", case, "-o", masks / "set", "--json").out)
    assert [one["rater"] for one in exported["dataset"]["provenance"]] == ["Bene"]


def test_a_whole_journal_is_verified_with_the_hash_to_keep(medsegai, case):
    shown = medsegai("corrections", "verify", case)
    last = json.loads(medsegai("corrections", "list", case, "--json").out)["entries"][-1]["hash"]
    assert shown.code == 0
    assert f"3 entries, all whole; the last hash is {last}" in shown.out


def test_an_edited_entry_is_refused_in_one_sentence_by_every_action(medsegai, case, masks):
    path = case / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"rater":"Anna"', b'"rater":"Otto"'))
    edited = path.read_bytes()
    for action in (
        ("verify", case),
        ("list", case),
        ("export", case, "-o", masks / "set"),
        ("replay", case, "-o", masks / "out.nii.gz"),
        ("withdraw", case, 3, "--rater", "Bene"),
        ("import", masks / "anna.nii.gz", "--case", case, "--rater", "Anna"),
    ):
        shown = medsegai("corrections", *action)
        assert shown.code == 2
        assert shown.err.startswith("medsegai: Entry 2 of ")
        assert "was edited" in shown.err
        assert len(shown.err.splitlines()) == 1
    error = json.loads(medsegai("corrections", "verify", case, "--json").out)["error"]
    assert error["kind"] == "InputError"
    assert path.read_bytes() == edited
    assert not (masks / "set").exists()


def test_labels_that_were_changed_are_told_by_verify(medsegai, case):
    array = next((case / "arrays").iterdir())
    array.write_bytes(array.read_bytes() + b"?")
    shown = medsegai("corrections", "verify", case)
    assert shown.code == 2
    assert "was changed" in shown.out
    assert json.loads(medsegai("corrections", "verify", case, "--json").out)["problems"]


def test_a_torn_last_line_is_told_and_nothing_else_is_lost(medsegai, case):
    path = case / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-300])
    shown = medsegai("corrections", "list", case)
    assert (shown.code, len(shown.out.splitlines())) == (0, 3)
    assert "was cut off" in shown.err
    shown = medsegai("corrections", "verify", case)
    assert shown.code == 0
    assert "was cut off" in shown.out


def test_a_mask_that_does_not_fit_is_refused_in_one_sentence(medsegai, case, masks, hippocampus_crops):
    fractions = sitk.ReadImage(str(masks / "anna.nii.gz"), sitk.sitkFloat32) * 0.5
    sitk.WriteImage(fractions, str(masks / "fractions.nii.gz"))
    foreign = sitk.ReadImage(str(masks / "anna.nii.gz"))
    foreign[0, 0, 0] = 9
    sitk.WriteImage(foreign, str(masks / "foreign.nii.gz"))
    for mask, sentence in (
        (hippocampus_crops[1].labels, "does not lie on the case's grid"),
        (masks / "fractions.nii.gz", "is no label map"),
        (masks / "foreign.nii.gz", "that the case does not have"),
        (masks / "none.nii.gz", "none.nii.gz"),
    ):
        shown = medsegai("corrections", "import", mask, "--case", case, "--rater", "Clara")
        assert shown.code == 2
        assert sentence in shown.err
        assert len(shown.err.splitlines()) == 1
    assert len(json.loads(medsegai("corrections", "list", case, "--json").out)["entries"]) == 3


def test_a_case_that_is_none_and_outputs_that_cannot_be_are_refused(medsegai, case, masks):
    for arguments, sentence in (
        (("list", masks), "no correction journal"),
        (("replay", case, "-o", masks / "out.png"), "no ending that can be written"),
        (("replay", case, "-o", masks / "out.dcm"), "belongs to the DICOM series"),
        (("replay", case, "-o", masks / "out.nii.gz", "--rater", "Zoe"), "'Zoe' has no correction"),
        (("replay", case, "-o", masks / "out.nii.gz", "--upto", 99), "has no entry 99"),
        (("export", case, "-o", case), "not an empty folder"),
    ):
        shown = medsegai("corrections", *arguments)
        assert shown.code == 2
        assert sentence in shown.err
    copy = shutil.copytree(case, masks / "elsewhere" / "case-7")
    assert "Two cases are called" in medsegai("corrections", "export", case, copy, "-o", masks / "set").err
