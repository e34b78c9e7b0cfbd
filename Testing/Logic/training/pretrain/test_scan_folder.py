"""A folder is searched to its depths, without reading a scan."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.pretrain.scan_folder import list_scans, scans_folder


def test_scans_of_every_kind_are_found_in_all_folders_in_the_order_of_their_paths(tmp_path):
    for name in ("b/two.NRRD", "a.nii.gz", "b/c/three.mha", "b/four.nii", "b/five.mhd", "six.nhdr"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for other in ("notes.txt", "b/experts.seg.nrrd", ".hidden.nii", "b/five.raw"):
        (tmp_path / other).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in list_scans(tmp_path)]
    assert found == ["a.nii.gz", "b/c/three.mha", "b/five.mhd", "b/four.nii", "b/two.NRRD", "six.nhdr"]


def test_links_are_followed_and_those_that_lead_in_a_circle_end(tmp_path):
    elsewhere, folder = tmp_path / "elsewhere", tmp_path / "folder"
    for made in (elsewhere, folder):
        made.mkdir()
    (elsewhere / "scan.nii").touch()
    (folder / "linked").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(folder)
    assert list_scans(folder) == (folder / "linked" / "scan.nii",)


def test_only_the_named_scans_are_taken(tmp_path):
    for name in ("one.nii.gz", "two.nii.gz", "three.mha"):
        (tmp_path / name).touch()
    assert [path.name for path in list_scans(tmp_path, only=["two", "three"])] == ["three.mha", "two.nii.gz"]
    with pytest.raises(InputError, match=r"has no scan 'four', which the split names"):
        list_scans(tmp_path, only=["one", "four"])


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "readme.txt").touch()
    with pytest.raises(InputError, match=r"holds no scan\. Name a folder with NIfTI, NRRD or MetaImage files"):
        list_scans(tmp_path)


def test_a_folder_that_vanishes_is_told_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file or directory"):
        list_scans(tmp_path / "gone")


def test_the_folder_is_the_given_one_or_lies_where_the_variable_says(tmp_path, monkeypatch):
    (tmp_path / "data" / "scans").mkdir(parents=True)
    monkeypatch.setenv("MEDSEGAI_DATA", str(tmp_path / "data"))
    assert scans_folder(None, name="scans") == tmp_path / "data" / "scans"
    assert scans_folder(tmp_path, name="scans") == tmp_path
    with pytest.raises(InputError, match="There is no folder"):
        scans_folder(None, name="absent")
    with pytest.raises(InputError, match="No folder of scans was named"):
        scans_folder(None)
