"""Whether a scan is still the same: by size and time, and by its bytes where a time differs."""

from __future__ import annotations

import os

import pytest

from MedSegAI.Logic.batch.case import BatchCase
from MedSegAI.Logic.batch.input_state import InputState, files_of, is_unchanged, state_of
from MedSegAI.Logic.errors import InputError
from Testing.synthetic_series import a_pattern, edit, write_series


@pytest.fixture
def case(tmp_path) -> BatchCase:
    (tmp_path / "head.nii").write_bytes(b"voxels")
    return BatchCase("head", tmp_path / "head.nii")


def test_a_state_survives_its_way_through_json(case):
    state = state_of(case)
    assert InputState(**state.to_plain()) == state
    assert is_unchanged(case, state)


def test_another_time_with_the_same_bytes_is_no_change(case):
    state = state_of(case)
    os.utime(case.source, ns=(0, 0))
    assert is_unchanged(case, state)


@pytest.mark.parametrize("content", [b"VOXELS", b"more voxels"])
def test_other_bytes_are_a_change(case, content):
    state = state_of(case)
    case.source.write_bytes(content)
    os.utime(case.source, ns=(0, 0))
    assert not is_unchanged(case, state)


@pytest.mark.parametrize(
    ("name", "header"),
    [("x.mhd", b"NDims = 3\nElementDataFile = x.raw\n"), ("x.nhdr", b"NRRD0004\ndata file: x.raw\n")],
)
def test_the_voxels_beside_a_header_count(tmp_path, name, header):
    (tmp_path / name).write_bytes(header)
    (tmp_path / "x.raw").write_bytes(b"1")
    case = BatchCase("x", tmp_path / name)
    state = state_of(case)
    (tmp_path / "x.raw").write_bytes(b"2")
    os.utime(tmp_path / "x.raw", ns=(0, 0))
    assert not is_unchanged(case, state)


def test_all_files_of_a_folder_count_or_those_of_the_series(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).write_bytes(name.encode())
    assert files_of(BatchCase("x", tmp_path)) == (tmp_path / "a", tmp_path / "b")
    assert files_of(BatchCase("x", tmp_path, "1.2.3", (tmp_path / "b",))) == (tmp_path / "b",)


def test_one_dicom_file_stands_for_those_beside_it(tmp_path):
    first, *_, last = write_series(tmp_path, a_pattern((3, 8, 8)))
    case = BatchCase("x", first)
    state = state_of(case)
    assert state.count == 3
    edit(last, SliceLocation=1)
    assert not is_unchanged(case, state)


def test_a_scan_that_is_gone_is_told(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.nii' could not be read: No such file"):
        state_of(BatchCase("x", tmp_path / "nowhere.nii"))
