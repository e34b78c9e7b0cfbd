"""What counts as a case, and that its id stays the same."""

from __future__ import annotations

import shutil

import pytest

from MedSegAI.Logic.batch.case import case_id
from MedSegAI.Logic.batch.find_cases import find_cases
from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.volume import Modality


def found(*paths, modality=Modality.MR, without=None, reporter=None):
    return find_cases(paths, modality=modality, without=without, reporter=reporter or SilentReporter())


def test_every_image_below_a_folder_is_a_case_but_results_and_hidden_files_are_not(tmp_path):
    for name in ("b/T1.nii.gz", "a/T1.nrrd", "a/T1.seg.nrrd", ".cache/x.nii", "a/.x.nii", "notes.txt", "out/y.nii"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    cases = found(tmp_path, without=tmp_path / "out")
    assert [case.source.relative_to(tmp_path).as_posix() for case in cases] == ["a/T1.nrrd", "b/T1.nii.gz"]
    assert [case.id.rpartition("-")[0] for case in cases] == ["a_T1", "b_T1"]


def test_an_id_depends_on_the_place_inside_the_folder_only(tmp_path):
    for root in ("here", "elsewhere"):
        (tmp_path / root).mkdir()
        (tmp_path / root / "head.nii").write_bytes(b"")
    (tmp_path / "elsewhere" / "another.nii").write_bytes(b"")
    (here,) = found(tmp_path / "here")
    assert here.id in {case.id for case in found(tmp_path / "elsewhere")}


def test_files_of_one_name_in_two_folders_differ_where_both_are_named(tmp_path):
    for root in ("one", "two"):
        (tmp_path / root).mkdir()
        (tmp_path / root / "head.nii").write_bytes(b"")
    ids = {case.id for case in found(tmp_path / "one" / "head.nii", tmp_path / "two" / "head.nii")}
    assert len(ids) == 2
    with pytest.raises(InputError, match="would both be the case 'head-"):
        found(tmp_path / "one", tmp_path / "two")
    assert len(found(tmp_path / "one", tmp_path / "one")) == 1


@pytest.mark.parametrize("name", ["sub-01/T1 (post)", "头/T1", "..", "x" * 300, ""])
def test_an_id_is_a_name_for_a_folder(name, tmp_path):
    made = case_id(name, identity="1.2.3")
    (tmp_path / made).mkdir()
    assert len(made) <= 80
    assert made[0] not in ".-"


def test_each_dicom_series_is_a_case_that_can_be_read_and_another_modality_is_passed_over(data_folder, tmp_path):
    study = data_folder / "tcia_brain_dicom" / "Study1"
    if not study.is_dir():
        pytest.skip(f"no real data at {study}")
    for series in ("13_HCropVolume",):
        shutil.copytree(study / series, tmp_path / "together", dirs_exist_ok=True)
    reporter = SilentReporter()
    (case,) = found(tmp_path, reporter=reporter)
    assert reporter.messages == []
    assert (case.source, len(case.files)) == (tmp_path / "together", len(list((tmp_path / "together").iterdir())))
    assert read_volume(case.source, series=case.series).grid.shape[0] == len(case.files)
    shutil.copytree(tmp_path / "together", tmp_path / "copy")
    assert len(found(tmp_path, reporter=reporter)) == 1
    assert "is there twice; the first one is taken." in reporter.messages[-1]
    with pytest.raises(InputError, match="There is no scan in"):
        found(tmp_path, modality=Modality.CT, reporter=reporter)
    assert reporter.messages[-1] == "Passed over: 2 DICOM series of another kind than CT."


def test_looking_for_cases_can_be_stopped(tmp_path):
    class Stopped(SilentReporter):
        def cancelled(self) -> bool:
            return True

    (tmp_path / "head.nii").write_bytes(b"")
    with pytest.raises(Cancelled):
        found(tmp_path, reporter=Stopped())
