"""Outputs that cannot be written are refused before the work starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from MedSegAI.CommandLine.outputs import Output, refuse_unusable
from MedSegAI.CommandLine.written_files import WrittenFiles, told_what_was_written
from MedSegAI.Logic.errors import Cancelled, InputError, StorageError

ENDINGS = (".seg.nrrd", ".nii.gz")


def check(path: Path, *inputs: Path) -> None:
    refuse_unusable([Output("-o", path, ENDINGS)], inputs=inputs)


def test_a_usable_output_is_accepted_also_over_an_older_file(tmp_path):
    check(tmp_path / "OUT.SEG.NRRD")
    (tmp_path / "out.nii.gz").touch()
    check(tmp_path / "out.nii.gz")


def test_an_unknown_ending_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(StorageError, match=r"no ending .*\.seg\.nrrd, \.nii\.gz"):
        check(tmp_path / "out.jpg")


def test_what_is_no_segmentation_is_not_named_like_one(tmp_path):
    with pytest.raises(StorageError, match=r"named like a segmentation.* Use another ending than \.seg\.nrrd: \.nrrd"):
        refuse_unusable([Output("-o", tmp_path / "scan.SEG.nrrd", (".nrrd",))])


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(StorageError, match="no folder"):
        check(tmp_path / "absent" / "out.seg.nrrd")


def test_a_folder_in_the_files_place_is_refused(tmp_path):
    (tmp_path / "out.seg.nrrd").mkdir()
    with pytest.raises(StorageError, match="is a folder"):
        check(tmp_path / "out.seg.nrrd")


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(StorageError, match="no permission"):
        check(tmp_path / "out.seg.nrrd")


def test_the_input_is_never_replaced_not_even_through_a_link(tmp_path):
    scan = tmp_path / "scan.nii.gz"
    scan.touch()
    with pytest.raises(StorageError, match="input itself"):
        check(scan, scan)
    (tmp_path / "link.nii.gz").symlink_to(scan)
    with pytest.raises(StorageError, match="input itself"):
        check(tmp_path / "link.nii.gz", scan)


def test_two_results_in_one_file_are_refused(tmp_path):
    both = [Output(option, tmp_path / "out.nii.gz", ENDINGS) for option in ("-o", "--heatmap")]
    with pytest.raises(StorageError, match="same file"):
        refuse_unusable(both)


def test_a_late_error_says_what_was_written_and_what_was_not():
    files = WrittenFiles({"segmentation": Path("a.seg.nrrd"), "heat map": Path("b.nrrd")})
    with pytest.raises(InputError) as caught, told_what_was_written(files):
        files.write("segmentation", lambda path: None)
        raise InputError("Bad.", advice="Mend it.")
    assert caught.value.problem == "Bad."
    assert caught.value.advice == ("Mend it. Written: segmentation 'a.seg.nrrd'. Not written: heat map 'b.nrrd'.")
    assert files.as_facts() == {"segmentation": "a.seg.nrrd"}


def test_an_early_error_stays_as_it_is():
    error = InputError("Bad.")
    with pytest.raises(InputError) as caught, told_what_was_written(WrittenFiles({"scene": Path("s.mrb")})):
        raise error
    assert caught.value is error


def test_ctrl_c_becomes_a_cancelled_run_that_says_what_was_written():
    files = WrittenFiles({"segmentation": Path("a.seg.nrrd")})
    with pytest.raises(Cancelled, match=r"Written: segmentation 'a.seg.nrrd'\.$"), told_what_was_written(files):
        files.write("segmentation", lambda path: None)
        raise KeyboardInterrupt
