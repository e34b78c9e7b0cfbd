"""A table of scores is read column by column."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.score_table import read_score_table

TEXT = "case,sick,ours,theirs,who\na,1,0.9,3,p1\nb,no,0.1,-2.5,p1\nc,TRUE,1e-3,0,p2\n"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "scores.csv").write_text(TEXT)
    return tmp_path / "scores.csv"


def test_the_columns_that_are_asked_for_are_read(path):
    table = read_score_table(path, truth="sick", scores=["theirs", "ours"], subject="who")
    assert table.truth.tolist() == [True, False, True]
    assert list(table.scores) == ["theirs", "ours"]
    assert table.scores["theirs"].tolist() == [3.0, -2.5, 0.0]
    assert table.subjects == ("p1", "p1", "p2")
    assert read_score_table(path, truth="sick", scores=["ours"]).subjects is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("sick", "ill"), "no column 'sick'"),
        (("1e-3", "high"), "line 4, column 'ours' says 'high', which is no number"),
        (("no", "maybe"), "line 3, column 'sick' says 'maybe'"),
        (("a,1", "a,"), "line 2, column 'sick' says ''"),
        ((TEXT[TEXT.index("\n") + 1 :], ""), "holds no case"),
    ],
)
def test_what_cannot_be_understood_is_named(path, change, sentence):
    path.write_text(TEXT.replace(*change))
    with pytest.raises(InputError, match=sentence):
        read_score_table(path, truth="sick", scores=["ours"])


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_score_table(tmp_path / "absent.csv", truth="a", scores=["b"])
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="not a text file"):
        read_score_table(tmp_path / "binary.csv", truth="a", scores=["b"])
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError, match="It has: none"):
        read_score_table(tmp_path / "empty.csv", truth="a", scores=["b"])
