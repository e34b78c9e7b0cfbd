"""LUNA16 is found as it is published."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.luna16 import FOLDS, Luna16Nodule, parse_folds, read_annotations, read_luna16

HEADER = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"


@pytest.fixture
def folder(tmp_path):
    for fold, names in ((0, ("1.2", "1.1")), (3, ("1.3",))):
        (tmp_path / f"subset{fold}").mkdir()
        for name in names:
            for ending in (".mhd", ".raw"):
                (tmp_path / f"subset{fold}" / f"{name}{ending}").touch()
    (tmp_path / "annotations.csv").write_text(HEADER + "1.1,-78.5,-95,-168.25,6.0\n1.3,1,2,3,4\n1.1,5,6,7,8\n")
    return tmp_path


def test_scans_come_by_fold_and_nodules_by_scan(folder):
    data = read_luna16(folder, folds=(0, 3))
    assert [(scan.series, scan.fold) for scan in data.scans] == [("1.1", 0), ("1.2", 0), ("1.3", 3)]
    assert data.scans[2].path == folder / "subset3" / "1.3.mhd"
    assert data.nodules["1.1"] == (
        Luna16Nodule("1.1/1", (-78.5, -95.0, -168.25), 6.0),
        Luna16Nodule("1.1/2", (5.0, 6.0, 7.0), 8.0),
    )
    assert "1.2" not in data.nodules


def test_the_table_may_lie_where_its_zip_is_unpacked_to(folder):
    (folder / "CSVFILES").mkdir()
    (folder / "annotations.csv").rename(folder / "CSVFILES" / "annotations.csv")
    assert set(read_luna16(folder, folds=(3,)).nodules) == {"1.1", "1.3"}


def test_what_is_missing_is_named(folder, tmp_path):
    with pytest.raises(InputError, match="no folder subset1"):
        read_luna16(folder)
    (folder / "subset1").mkdir()
    with pytest.raises(InputError, match=r"subset1' holds no \.mhd scan"):
        read_luna16(folder, folds=(1,))
    (folder / "annotations.csv").unlink()
    with pytest.raises(InputError, match=r"holds no annotations\.csv"):
        read_luna16(folder, folds=(0,))
    with pytest.raises(InputError, match="There is no folder"):
        read_luna16(tmp_path / "absent")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seriesuid,coordX,coordY\n", "lacks the column coordZ, diameter_mm"),
        (HEADER + "1.1,1,2,3,wide\n", "line 2 holds no four numbers"),
        (HEADER + "1.1,1,2,3,4\n1.1,1\n", "line 3 holds no four numbers"),
        ("", "lacks the column"),
    ],
)
def test_a_table_of_another_form_is_refused(tmp_path, text, sentence):
    (tmp_path / "annotations.csv").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_annotations(tmp_path / "annotations.csv")


def test_a_table_that_is_no_text_or_not_there_is_refused(tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"seriesuid\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_annotations(tmp_path / "binary.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_annotations(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("text", "folds"), [("0-9", FOLDS), ("3", (3,)), ("0,2,5-7", (0, 2, 5, 6, 7)), ("1, 1-2", (1, 2))]
)
def test_folds_are_written_as_ranges(text, folds):
    assert parse_folds(text) == folds


@pytest.mark.parametrize("text", ["", "10", "a", "5-3", "1-", "-1"])
def test_other_folds_are_refused(text):
    with pytest.raises(InputError, match="names no folds"):
        parse_folds(text)
