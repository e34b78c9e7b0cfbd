"""A journal that somebody changed is refused, with the entry named, and left as it is."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from MedSegAI.Logic.corrections.check import problems_of
from MedSegAI.Logic.corrections.entry import entry_of_line
from MedSegAI.Logic.corrections.journal import read_journal
from MedSegAI.Logic.corrections.label_files import array_name, read_array, table_name
from MedSegAI.Logic.corrections.record import record_correction
from MedSegAI.Logic.corrections.replay import replay
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.reporter import SilentReporter
from Testing.Logic.corrections.conftest import ANNA, BENE, painted

SPOT = np.s_[0:2, 0:2, 0:3]
OTHER_SPOT = np.s_[4:6, 6:8, 8:10]


@pytest.fixture
def three(case, base):
    """A case with a base and two corrections."""
    record_correction(case, base, painted(base, SPOT, 1), rater=ANNA, comment="first")
    record_correction(case, base, painted(base, OTHER_SPOT, 2), rater=BENE, comment="second")
    return case


def lines_of(case) -> list[bytes]:
    return (case / "journal.jsonl").read_bytes().splitlines(keepends=True)


def rehashed(line: bytes, **changes) -> bytes:
    """A line that a person changed who knows how the hash is made."""
    members = {**json.loads(line), **changes}
    del members["hash"]
    body = json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
    return body[:-1] + b',"hash":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'


def refused(case, lines, sentence, base):
    content = b"".join(lines)
    (case / "journal.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        replay(read_journal(case))
    with pytest.raises(InputError, match=sentence):
        record_correction(case, base, painted(base, SPOT, 2), rater=ANNA)
    assert (case / "journal.jsonl").read_bytes() == content
    assert list(case.glob("*.torn-*")) == []


def test_an_edited_entry_is_named(three, base):
    base_line, first, second = lines_of(three)
    refused(three, [base_line, first.replace(b"first", b"FIRST"), second], "Entry 2 of .* was edited", base)
    refused(three, [base_line, first, second.replace(b"Bene", b"Anna")], "Entry 3 of .* was edited", base)
    refused(three, [base_line, b"\n", first, second], "Entry 2 of .* was edited", base)
    refused(three, [base_line, b"scribble\n", first, second], "Entry 2 of .* was edited", base)


def test_an_edit_with_a_new_hash_breaks_the_chain_at_the_next_entry(three, base):
    base_line, first, second = lines_of(three)
    edited = rehashed(first, comment="other")
    refused(three, [base_line, edited, second], "Entry 3 of .* does not follow the entry before it", base)


def test_an_entry_taken_out_put_in_or_moved_is_noticed(three, base):
    base_line, first, second = lines_of(three)
    refused(three, [base_line, second], "Entry 2 of .* does not follow", base)
    refused(three, [base_line, first, first, second], "Entry 3 of .* does not follow", base)
    refused(three, [base_line, second, first], "Entry 2 of .* does not follow", base)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": 2}, "it has the format 2"),
        ({"box": [[0, 0, 0], [99, 2, 3]]}, "its box does not lie in its grid"),
        ({"box": [[0, 0, 0], [0, 2, 3]]}, "its box does not lie in its grid"),
        ({"box": None}, "labels without a box"),
        ({"array": "../../../etc/passwd"}, "is no SHA-256"),
        ({"parent": 2}, "its parent does not come before it"),
        ({"parent": None}, "a correction has a parent"),
        ({"parent": True}, "is no whole number"),
        ({"status": "perhaps"}, "perhaps"),
        ({"rater": 5}, "is no text"),
        ({"grid": {}}, "a member is missing or wrong"),
        ({"grid": {"shape": [1, 1], "spacing": [1, 1, 1], "origin": [0, 0, 0], "direction": [1]}}, "3D volume"),
    ],
)
def test_an_entry_that_makes_no_sense_is_named_with_what_is_wrong(three, base, changes, sentence):
    base_line, first, _ = lines_of(three)
    refused(three, [base_line, rehashed(first, **changes)], f"Entry 2 of .* cannot be read: .*{sentence}", base)


def test_an_entry_on_another_grid_is_named(three, base):
    base_line, first, _ = lines_of(three)
    grid = {**json.loads(first)["grid"], "origin": [0, 0, 0]}
    refused(three, [base_line, rehashed(first, grid=grid)], "Entry 2 of .* lies on another grid", base)


def test_a_line_nested_without_end_is_refused(three):
    with pytest.raises(ValueError, match="member is missing or wrong"):
        entry_of_line(b"[" * 100_000)


def test_a_folder_without_a_journal_is_refused(tmp_path):
    with pytest.raises(InputError, match="no correction journal in"):
        read_journal(tmp_path)


def test_labels_that_were_changed_are_named_and_everything_else_can_be_replayed(three):
    journal = read_journal(three)
    path = three / array_name(journal.entries[1].array)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match="was changed: its content does not have the SHA-256 of its name"):
        replay(journal, rater="Anna")
    assert replay(journal, rater="Bene").labels.array.any()
    (problem,) = problems_of(three, reporter=SilentReporter())
    assert problem.startswith("Entry 2: ")
    path.unlink()
    with pytest.raises(InputError, match="cannot be read: No such file"):
        replay(journal, rater="Anna")


def swap_file(case, name_of, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    (case / name_of(digest)).write_bytes(content)
    return digest


def test_files_that_hold_something_else_are_refused_however_well_their_names_fit(three):
    import gzip

    for content, sentence in (
        (b"NRRD0004\n\nnot gzip", "holds no labels"),
        (b"NRRD0004\n\n" + gzip.compress(bytes(5)), "does not hold the 12 voxels"),
        (b"NRRD0004\n\n" + gzip.compress(bytes(50_000_000)), "does not hold the 12 voxels"),
    ):
        digest = swap_file(three, array_name, content)
        with pytest.raises(InputError, match=sentence):
            read_array(three, digest, shape=(2, 2, 3))
    for table in (b"{", b"[{}]", b'[{"value":900,"key":"a","name":"A","colour":[0,0,0]}]'):
        entry = rehashed(lines_of(three)[0], table=swap_file(three, table_name, table))
        (three / "journal.jsonl").write_bytes(entry)
        with pytest.raises(InputError, match="is no table of labels"):
            replay(read_journal(three))


def test_labels_of_another_entry_in_an_entrys_place_are_noticed(three):
    base_line, first, _ = lines_of(three)
    other = swap_file(three, array_name, (three / array_name(json.loads(first)["array"])).read_bytes())
    wrong = rehashed(first, array=other, result="0" * 64)
    (three / "journal.jsonl").write_bytes(base_line + wrong)
    with pytest.raises(InputError, match=r"Entry 2 of .* does not give the labels that its digest names"):
        replay(read_journal(three))


def test_a_record_of_the_making_from_a_newer_version_is_named(three):
    base_line = rehashed(lines_of(three)[0], provenance={"from": "the future"})
    (three / "journal.jsonl").write_bytes(base_line)
    with pytest.raises(InputError, match="Entry 1 carries a record of its making"):
        replay(read_journal(three))


def test_a_whole_journal_has_no_problem(three):
    assert problems_of(three, reporter=SilentReporter()) == ()
