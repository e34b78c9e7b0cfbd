"""A rater's work becomes an entry that holds the changed box alone, in a chain of the rater's own."""

from __future__ import annotations

import datetime
import itertools
import json

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.corrections.entry import Kind, Scan, Status
from MedSegAI.Logic.corrections.journal import read_journal
from MedSegAI.Logic.corrections.label_files import array_name
from MedSegAI.Logic.corrections.record import Rater, changed_box, record_base, record_correction, withdraw
from MedSegAI.Logic.corrections.replay import replay
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume
from Testing.Logic.corrections.conftest import ANNA, BENE, GRID, HEAD, TABLE, TAIL, painted, same, segmentation

SPOT = np.s_[0:2, 0:2, 0:3]
OTHER_SPOT = np.s_[4:6, 6:8, 8:10]


def test_the_changed_box_is_the_smallest_around_the_changed_voxels():
    before = np.zeros((4, 5, 6), np.uint8)
    after = before.copy()
    assert changed_box(before, after) is None
    after[1, 2, 3] = after[2, 4, 3] = 7
    assert changed_box(before, after) == Box((1, 2, 3), (3, 5, 4))
    with pytest.raises(InputError, match="different shapes"):
        changed_box(before, after[1:])


def test_the_first_correction_puts_what_it_started_from_into_the_journal(case, base):
    entry = record_correction(case, base, painted(base, SPOT, 1), rater=ANNA, comment="head goes on “forward”")
    first, second = read_journal(case).entries
    assert second == entry
    assert (first.kind, first.number, first.parent, first.rater) == (Kind.BASE, 1, None, "")
    assert first.box == Box((1, 2, 3), (5, 5, 6))
    assert (second.kind, second.number, second.parent) == (Kind.CORRECTION, 2, 1)
    assert (second.rater, second.role, second.status) == ("Anna", "radiologist", Status.DRAFT)
    assert second.comment == "head goes on “forward”"
    assert (second.origin.model, second.origin.version, second.origin.sha256) == ("hippocampus-mr", "1.2", "a" * 64)
    assert second.started_from == first.result != second.result
    assert second.previous == first.hash
    when = datetime.datetime.fromisoformat(second.time)
    assert when.utcoffset() == datetime.timedelta(0)
    assert abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) < 60


def test_only_the_changed_box_is_stored_and_itk_opens_it_at_its_place(case, base):
    entry = record_correction(case, base, painted(base, SPOT, 2), rater=ANNA)
    assert entry.box == Box((0, 0, 0), (2, 2, 3))
    moved = record_correction(case, base, painted(base, OTHER_SPOT, 2), rater=ANNA)
    image = sitk.ReadImage(str(case / array_name(moved.array)))
    assert image.GetSize() == (2, 2, 2)
    assert (sitk.GetArrayFromImage(image) == 2).all()
    np.testing.assert_allclose(image.GetOrigin(), GRID.lps_of(np.array([4, 6, 8])))
    assert image.GetSpacing() == GRID.spacing


def test_every_state_can_be_replayed_without_the_model(case, base):
    one = painted(base, SPOT, 1)
    two = painted(one, np.s_[1:4, 1:4, 2:4], 0)
    three = painted(two, OTHER_SPOT, 2)
    states = [base, one, two, three]
    for before, after in itertools.pairwise(states):
        record_correction(case, before, after, rater=ANNA)
    journal = read_journal(case)
    for number, state in enumerate(states, start=1):
        replayed = replay(journal, upto=number)
        assert same(replayed, state)
        assert replayed.provenance == base.provenance
        assert list(replayed.table) == list(TABLE)
    assert same(replay(journal), three)
    assert same(replay(journal, rater="Anna", upto=3), two)


def test_two_raters_who_start_from_one_base_do_not_touch_each_others_work(case, base):
    hers, his = painted(base, SPOT, 1), painted(base, OTHER_SPOT, 2)
    record_correction(case, base, hers, rater=ANNA)
    record_correction(case, base, his, rater=BENE)
    again = painted(hers, np.s_[5:6, 0:1, 0:1], 1)
    record_correction(case, hers, again, rater=ANNA)
    journal = read_journal(case)
    assert [entry.parent for entry in journal.entries] == [None, 1, 1, 2]
    assert journal.raters == ("Anna", "Bene")
    assert same(replay(journal, rater="Anna"), again)
    assert same(replay(journal, rater="Bene"), his)


def test_a_reviewer_may_go_on_from_another_raters_labels(case, base):
    hers = painted(base, SPOT, 1)
    record_correction(case, base, hers, rater=ANNA)
    entry = record_correction(case, hers, painted(hers, OTHER_SPOT, 2), rater=BENE)
    assert entry.parent == 2
    assert len(read_journal(case).entries) == 3


def test_another_result_becomes_another_base_of_the_same_case(case, base):
    record_correction(case, base, painted(base, SPOT, 1), rater=ANNA)
    newer = painted(base, np.s_[0:1, 0:1, 0:1], 2)
    entry = record_correction(case, newer, painted(newer, OTHER_SPOT, 1), rater=ANNA)
    journal = read_journal(case)
    assert [e.kind for e in journal.entries] == [Kind.BASE, Kind.CORRECTION, Kind.BASE, Kind.CORRECTION]
    assert entry.parent == 3
    assert same(replay(journal, rater="Anna"), painted(newer, OTHER_SPOT, 1))


def test_a_base_is_recorded_once(case, base):
    first = record_base(case, base, scan=Scan("/scan.nii.gz", "b" * 64))
    assert record_base(case, base) == first == read_journal(case).entries[0]
    assert first.scan == Scan("/scan.nii.gz", "b" * 64)


def test_an_empty_result_can_be_a_base(case):
    nothing = segmentation(np.zeros(GRID.shape, np.uint8))
    entry = record_base(case, nothing)
    assert (entry.box, entry.array) == (None, None)
    assert same(replay(read_journal(case)), nothing)


def test_a_correction_without_a_change_is_recorded_only_where_the_status_changes(case, base):
    assert record_correction(case, base, base, rater=ANNA) is None
    assert not (case / "journal.jsonl").exists()
    agreed = record_correction(case, base, base, rater=ANNA, status=Status.FINAL)
    assert (agreed.number, agreed.box, agreed.array, agreed.status) == (2, None, None, Status.FINAL)
    assert record_correction(case, base, base, rater=ANNA, status=Status.FINAL) is None
    reopened = record_correction(case, base, base, rater=ANNA, status=Status.DRAFT)
    assert (reopened.number, reopened.parent) == (3, 2)
    assert same(replay(read_journal(case), rater="Anna"), base)


def test_the_same_word_is_recorded_once_whatever_the_rater_started_from(case, base):
    changed = painted(base, SPOT, 1)
    entry = record_correction(case, base, changed, rater=ANNA, status=Status.FINAL)
    assert record_correction(case, base, changed, rater=ANNA, status=Status.FINAL) is None
    assert read_journal(case).standing("Anna") == entry


def test_going_back_to_what_the_model_made_is_a_new_word(case, base):
    record_correction(case, base, painted(base, SPOT, 1), rater=ANNA, status=Status.FINAL)
    back = record_correction(case, base, base, rater=ANNA, status=Status.FINAL)
    assert back.box is None and read_journal(case).standing("Anna") == back
    assert same(replay(read_journal(case), rater="Anna"), base)


def test_a_draft_is_made_final_by_an_entry_of_its_own(case, base):
    mine = painted(base, SPOT, 1)
    record_correction(case, base, mine, rater=ANNA)
    final = record_correction(case, mine, mine, rater=ANNA, status=Status.FINAL)
    journal = read_journal(case)
    assert (final.parent, final.box) == (2, None)
    assert journal.standing("Anna") == final
    assert journal.entries[1].status is Status.DRAFT


def test_withdrawing_adds_an_entry_and_the_earlier_word_counts_again(case, base):
    one = painted(base, SPOT, 1)
    two = painted(one, OTHER_SPOT, 2)
    record_correction(case, base, one, rater=ANNA)
    record_correction(case, one, two, rater=ANNA, status=Status.FINAL)
    lines = (case / "journal.jsonl").read_bytes()
    taken_back = withdraw(case, 3, rater=ANNA, comment="wrong patient")
    assert (case / "journal.jsonl").read_bytes().startswith(lines)
    journal = read_journal(case)
    assert (taken_back.parent, taken_back.status, taken_back.comment) == (3, Status.WITHDRAWN, "wrong patient")
    assert [journal.status_of(e) for e in journal.entries[1:]] == [Status.DRAFT, Status.WITHDRAWN, Status.WITHDRAWN]
    assert same(replay(journal, rater="Anna"), one)
    assert same(replay(journal, rater="Anna", upto=3), two)
    withdraw(case, 2, rater=ANNA)
    with pytest.raises(InputError, match=r"'Anna' has no correction .* that counts"):
        replay(read_journal(case), rater="Anna")


def test_only_ones_own_entries_can_be_withdrawn_and_only_once(case, base):
    record_correction(case, base, painted(base, SPOT, 1), rater=ANNA)
    with pytest.raises(InputError, match="Entry 2 is not by 'Bene' but by 'Anna'"):
        withdraw(case, 2, rater=BENE)
    with pytest.raises(InputError, match="it is what raters start from"):
        withdraw(case, 1, rater=ANNA)
    with pytest.raises(InputError, match="has no entry 9"):
        withdraw(case, 9, rater=ANNA)
    withdraw(case, 2, rater=ANNA)
    with pytest.raises(InputError, match="withdrawn already"):
        withdraw(case, 2, rater=ANNA)


def test_work_is_recorded_again_after_it_was_withdrawn(case, base):
    mine = painted(base, SPOT, 1)
    record_correction(case, base, mine, rater=ANNA)
    withdraw(case, 2, rater=ANNA)
    record_correction(case, base, mine, rater=ANNA)
    journal = read_journal(case)
    assert journal.standing("Anna").number == 4
    assert same(replay(journal, rater="Anna"), mine)


def test_labels_that_were_renumbered_in_between_are_told_apart_by_their_keys(case, base):
    """Slicer numbers segments anew when a scene is opened; the journal goes on with its own numbers."""
    record_base(case, base)
    other = LabelTable(tuple(Label(3 - x.value, x.key, x.name, x.colour, x.terminology) for x in TABLE))
    swap = np.array([0, 2, 1], np.uint8)
    renumbered = Segmentation(base.labels.with_array(swap[base.labels.array]), other)
    after = painted(renumbered, SPOT, 1)
    entry = record_correction(case, renumbered, after, rater=ANNA)
    assert (entry.parent, entry.box) == (1, Box((0, 0, 0), (2, 2, 3)))
    replayed = replay(read_journal(case))
    assert (replayed.labels.array[SPOT] == 2).all()
    assert list(replayed.table) == list(TABLE)


def test_a_structure_can_be_added_and_another_removed(case, base):
    scar = Label(2, "scar", "Scar", (1.0, 1.0, 0.0))
    array = np.where(base.labels.array == 1, 1, 0).astype(np.uint8)
    array[OTHER_SPOT] = 2
    after = segmentation(array, LabelTable((HEAD, scar)))
    record_correction(case, base, after, rater=ANNA)
    replayed = replay(read_journal(case))
    assert [(x.key, x.value) for x in replayed.table] == [("anterior", 1), ("scar", 3)]
    assert (replayed.labels.array[OTHER_SPOT] == 3).all()
    assert np.count_nonzero(replayed.labels.array == TAIL.value) == 0


def test_labels_on_another_grid_are_refused_with_the_difference(case, base):
    record_base(case, base)
    array = base.labels.array
    grids = {
        r"the case has \(6, 8, 10\) voxels .* these have \(6, 8, 8\)": Grid((6, 8, 8), GRID.spacing, GRID.origin),
        "voxels of 0.5 x 0.75 x 2 mm, these are 0.5 x 0.75 x 3 mm": Grid(GRID.shape, (0.5, 0.75, 3), GRID.origin),
        "they lie 1 mm beside it": Grid(GRID.shape, GRID.spacing, (11.0, -20.5, 30.25)),
        "the axes point another way": Grid(GRID.shape, GRID.spacing, GRID.origin, (-1, 0, 0, 0, -1, 0, 0, 0, 1)),
    }
    for sentence, grid in grids.items():
        elsewhere = Segmentation(Volume(array[:, :, : grid.shape[2]].copy(), grid), TABLE)
        with pytest.raises(InputError, match=sentence):
            record_correction(case, elsewhere, elsewhere, rater=ANNA, status=Status.FINAL)
        with pytest.raises(InputError, match=sentence):
            record_correction(case, base, elsewhere, rater=ANNA)
    assert len(read_journal(case).entries) == 1


def test_a_case_is_about_one_scan_wherever_its_file_lies(case, base):
    """Two patients' scans may have one name and one grid; what they say must not end up in one journal."""
    record_base(case, base, scan=Scan("/a/head.nii.gz", "a" * 64))
    moved, other = Scan("/b/head.nii.gz", "a" * 64), Scan("/b/head.nii.gz", "b" * 64)
    assert record_correction(case, base, painted(base, SPOT, 1), rater=ANNA, scan=moved).scan == moved
    with pytest.raises(InputError, match=r"is about another scan: '/a/head.nii.gz', not '/b/head.nii.gz'"):
        record_correction(case, base, painted(base, SPOT, 2), rater=BENE, scan=other)
    with pytest.raises(InputError, match="about another scan"):
        record_base(case, painted(base, SPOT, 2), scan=other)
    assert len(read_journal(case).entries) == 2


def test_what_cannot_be_recorded_is_refused_and_leaves_no_trace(case, base):
    with pytest.raises(LabelError, match=r"values without a name: \[9\]"):
        record_correction(case, base, painted(base, SPOT, 9), rater=ANNA)
    with pytest.raises(InputError, match="draft or final"):
        record_correction(case, base, base, rater=ANNA, status=Status.WITHDRAWN)
    for name in ("", "  ", "two\nlines"):
        with pytest.raises(InputError, match="name of its rater"):
            Rater(name)
    assert not case.exists()


def test_a_line_can_be_read_by_anybody(case, base):
    """The promises of the README in the folder, kept with nothing but Python's own library."""
    import hashlib

    record_correction(case, base, painted(base, SPOT, 1), rater=ANNA)
    for line in (case / "journal.jsonl").read_text(encoding="utf-8").splitlines():
        body, _, tail = line.rpartition(',"hash":"')
        assert hashlib.sha256((body + "}").encode()).hexdigest() == tail.removesuffix('"}')
        members = json.loads(line)
        assert members["grid"]["shape"] == [6, 8, 10]
        for folder, ending in (("array", ".nrrd"), ("table", ".json")):
            file = case / f"{folder}s" / f"{members[folder]}{ending}"
            assert hashlib.sha256(file.read_bytes()).hexdigest() == members[folder]
    text = (case / "README.txt").read_text(encoding="utf-8")
    assert all(member in text for member in members if not member.startswith(("model", "format")))


def test_the_digest_in_the_readme_is_the_one_that_is_written(case, base):
    import hashlib

    entry = record_base(case, base)
    head = b"MedSegAI labels 1\n6 8 10\nanterior\nposterior\n"
    assert entry.result == hashlib.sha256(head + base.labels.array.tobytes()).hexdigest()
