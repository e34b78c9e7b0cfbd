"""Data sets are found by their layout, their split and their cases."""

from __future__ import annotations

import json

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.decathlon import case_file, data_folder, read_split, read_subset


@pytest.fixture
def a_data_folder(tmp_path):
    for name in ("imagesTr", "labelsTr"):
        (tmp_path / "data" / name).mkdir(parents=True)
    return tmp_path / "data"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"train": ["a"], "val": ["a", "b"]}', "'a' is both trained and validated on"),
        ('{"train": [], "val": ["b"]}', "no list of cases 'train'. It has: train, val"),
        ('{"train": ["a"]}', "no list of cases 'val'. It has: train"),
        ("{", "is not a JSON file"),
        ("[]", "no list of cases 'train'. It has: none"),
    ],
)
def test_a_split_that_cannot_be_used_is_refused_with_a_sentence(tmp_path, content, sentence):
    (tmp_path / "split.json").write_text(content)
    with pytest.raises(InputError, match=sentence):
        read_split(tmp_path / "split.json")


def test_a_missing_split_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_split(tmp_path / "split.json")


def test_any_list_of_a_split_can_be_read(tmp_path):
    (tmp_path / "split.json").write_text(json.dumps({"note": "by person", "test": ["a", "b"]}))
    assert read_subset(tmp_path / "split.json", "test") == ("a", "b")


@pytest.mark.parametrize("ending", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_a_case_is_found_whatever_its_format(tmp_path, ending):
    (tmp_path / f"case{ending}").touch()
    assert case_file(tmp_path, "case") == tmp_path / f"case{ending}"


def test_a_missing_case_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(InputError, match="has no file for the case 'other'"):
        case_file(tmp_path, "other")


def test_the_data_folder_is_the_one_given_or_in_that_of_the_environment(a_data_folder, monkeypatch):
    monkeypatch.setenv("MEDSEGAI_DATA", str(a_data_folder.parent))
    assert data_folder(None, name="data") == a_data_folder
    monkeypatch.delenv("MEDSEGAI_DATA")
    assert data_folder(a_data_folder) == a_data_folder
    with pytest.raises(InputError, match="No data folder was named"):
        data_folder(None)


def test_a_folder_without_images_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(InputError, match="lacks imagesTr or labelsTr"):
        data_folder(tmp_path)
