"""A list of cases in a CSV file, and what is said of one that is not."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.batch.case_list import read_case_list
from MedSegAI.Logic.errors import InputError


def listed(tmp_path, text, *, encoding="utf-8"):
    path = tmp_path / "cases.csv"
    path.write_text(text, encoding=encoding)
    return read_case_list(path)


def test_scans_are_named_as_seen_from_the_list_and_may_have_ids_and_series(tmp_path):
    one, two = listed(tmp_path, "id, scan, series\nanna, heads/a.nii.gz,\n, /data/study, 1.2.3\n", encoding="utf-8-sig")
    assert (one.id, one.source, one.series) == ("anna", tmp_path / "heads" / "a.nii.gz", None)
    assert (two.id.rpartition("-")[0], str(two.source), two.series) == ("study", "/data/study", "1.2.3")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no column 'scan'"),
        ("path\nx.nii\n", "has a column 'path', which is not known"),
        ("scan\n", "names no case"),
        ("id,scan\na,x.nii\nb,\n", "Line 3 of .* names no scan"),
        ("id,scan\na/b,x.nii\n", "The id 'a/b' in line 2"),
        ("id,scan\n..,x.nii\n", "cannot be a folder's name"),
        ("id,scan\n\na,x.nii\nb,\n", "Line 4 of .* names no scan"),
        ("id,scan\na,x.nii\na,y.nii\n", "would both be the case 'a'"),
        ("id,scan\na,x.nii\nA,y.nii\n", "would both be the case 'A'"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_line(tmp_path, text, sentence):
    with pytest.raises(InputError, match=sentence):
        listed(tmp_path, text)


def test_a_list_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read: No such file or directory\.") as missing:
        read_case_list(tmp_path / "nowhere.csv")
    assert missing.value.advice == "Check the path."
    with pytest.raises(InputError, match="cannot be read"):
        listed(tmp_path, "scan\nä.nii\n", encoding="latin-1")
