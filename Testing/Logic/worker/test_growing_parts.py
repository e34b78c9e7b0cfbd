"""Parts of a result reach the parent soon, in order, and never faster than it takes them."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.worker.growing_parts import GrowingParts, show_part
from MedSegAI.Logic.worker.protocol import Part

SHAPE = (12, 5, 6)


class Parent:
    """Hears of parts and takes them when asked to."""

    def __init__(self, folder, *, seconds_between=0.0):
        self.heard, self.boxes = [], []
        self.labels = np.zeros(SHAPE, np.uint8)
        self.worker = GrowingParts(7, folder, self.heard.append, seconds_between=seconds_between)

    def take(self):
        while self.heard:
            show_part(self.heard.pop(0), self._show)

    def _show(self, box, labels):
        self.boxes.append(box)
        self.labels[box.slices] = labels


def slab(first, last):
    return Box((first, 0, 0), (last, *SHAPE[1:]))


@pytest.fixture
def result():
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:9, 1:3, 2:5] = 1
    labels[5, 2, 3] = 2
    return labels


def test_every_part_arrives_and_its_file_is_gone(tmp_path, result):
    parent = Parent(tmp_path)
    for first in range(0, 12, 3):
        parent.worker(slab(first, first + 3), result[first : first + 3])
        parent.take()
    np.testing.assert_array_equal(parent.labels, result)
    assert list(tmp_path.iterdir()) == []


def test_of_a_part_only_what_is_not_background_is_told(tmp_path, result):
    parent = Parent(tmp_path)
    parent.worker(slab(0, 2), result[:2])
    assert parent.heard == []
    parent.worker(slab(2, 6), result[2:6])
    assert [part.box for part in parent.heard] == [[[2, 1, 2], [6, 3, 5]]]


def test_what_was_shown_before_is_taken_back_where_it_has_become_background(tmp_path, result):
    parent = Parent(tmp_path)
    parent.worker(slab(0, 12), result)
    parent.take()
    result[3] = 0
    parent.worker(slab(0, 12), result)
    parent.take()
    np.testing.assert_array_equal(parent.labels, result)


def test_while_the_parent_is_slow_parts_are_put_together(tmp_path, result):
    parent = Parent(tmp_path)
    parent.worker(slab(0, 3), result[0:3])
    for first in range(3, 9):
        parent.worker(slab(first, first + 1), result[first : first + 1])
    assert len(parent.heard) == 1
    parent.take()
    parent.worker(slab(9, 12), result[9:12])
    assert len(parent.heard) == 1
    parent.take()
    np.testing.assert_array_equal(parent.labels, result)


def test_a_held_back_part_gives_way_to_a_newer_one_that_covers_it(tmp_path, result):
    parent = Parent(tmp_path)
    parent.worker(slab(2, 4), result[2:4])
    parent.worker(slab(4, 6), np.full((2, *SHAPE[1:]), 2, np.uint8))
    parent.take()
    parent.worker(slab(0, 12), result)
    assert len(parent.heard) == 1
    parent.take()
    np.testing.assert_array_equal(parent.labels, result)


def test_parts_that_fill_no_box_together_keep_their_order(tmp_path):
    parent = Parent(tmp_path)
    parent.worker(Box((0, 0, 0), (1, 1, 1)), np.ones((1, 1, 1), np.uint8))
    parent.worker(Box((1, 0, 0), (4, 3, 3)), np.ones((3, 3, 3), np.uint8))
    parent.take()
    parent.worker(Box((3, 2, 2), (6, 5, 5)), np.full((3, 3, 3), 2, np.uint8))
    parent.take()
    assert (parent.labels[3, 2, 2], parent.labels[2, 2, 2], parent.labels[5, 4, 4]) == (2, 1, 2)


def test_parts_come_no_faster_than_was_asked_for(tmp_path, result):
    parent = Parent(tmp_path, seconds_between=60)
    for first in range(2, 9):
        parent.worker(slab(first, first + 1), result[first : first + 1])
        parent.take()
    assert parent.boxes == [Box((2, 1, 2), (3, 3, 5))]


def test_labels_are_copied_for_they_may_change_after_the_call(tmp_path, result):
    parent = Parent(tmp_path)
    parent.worker(slab(2, 3), result[2:3])
    held = np.ones((1, *SHAPE[1:]), np.uint8)
    parent.worker(slab(3, 4), held)
    held[...] = 0
    parent.take()
    parent.worker(slab(4, 5), result[4:5])
    parent.take()
    assert parent.labels[3].all()


def test_a_disk_without_room_costs_the_preview_alone(tmp_path, result):
    parent = Parent(tmp_path / "gone")
    parent.worker(slab(2, 6), result[2:6])
    assert parent.heard == []


def test_a_part_that_cannot_be_read_is_not_shown(tmp_path):
    show_part(Part(1, str(tmp_path / "missing.npy"), [[0, 0, 0], [1, 1, 1]]), pytest.fail)
