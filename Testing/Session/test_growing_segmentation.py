"""A segmentation is shown while it grows, and leaves nothing behind however it ends."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from MedSegAI.Bridge.growing_segmentation import GROWING_ATTRIBUTE
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.geometry import Box
from MedSegAI.Session import growing_segmentation
from MedSegAI.Session.case_results import growing_on
from MedSegAI.Session.growing_segmentation import GrowingSegmentation
from MedSegAI.Session.run import Outcome, Run, RunKind
from MedSegAI.Session.session import SessionEvent
from Testing.Session.conftest import work_through

BOX = Box((2, 3, 4), (5, 9, 11))


def segmentations_in(session):
    return nodes_of_class(session.scene, "vtkMRMLSegmentationNode")


def visible_in(session):
    return [node for node in segmentations_in(session) if node.GetDisplayVisibility()]


def labels_in(node, scan):
    return node_to_segmentation(node, grid=node_to_volume(scan).grid)[0].array


def keys_of(node):
    segmentation = node.GetSegmentation()
    return [segmentation.GetNthSegmentID(number) for number in range(segmentation.GetNumberOfSegments())]


class Onlooker:
    """Looks at the scene whenever a growing result comes into it."""

    def __init__(self, session, *, do=lambda: None):
        self.session, self.seen, self._do = session, [], do
        session.observe(self)

    def __call__(self, event):
        growing = growing_on(self.session.scene, self.session.scan)
        if event is SessionEvent.CASE and growing is not None:
            self.seen.append((growing, visible_in(self.session)))
            self._do()


@pytest.fixture
def deep_crop(a_crop):
    """The crop with as much air above it, so that the network finds the structure before the last window."""
    air = np.zeros_like(a_crop.array)
    grid = dataclasses.replace(a_crop.grid, shape=(2 * len(air), *air.shape[1:]))
    return dataclasses.replace(a_crop, array=np.concatenate([a_crop.array, air]), grid=grid)


@pytest.fixture
def growing(a_session_with_a_crop):
    """One that has shown a part already."""
    session = a_session_with_a_crop
    grid = node_to_volume(session.scan).grid
    grows = GrowingSegmentation(session.state, session.scan, grid=grid, table=session.model.card.labels)
    grows.show(BOX, np.ones(BOX.shape, np.uint8), run=Run(RunKind.SEGMENT))
    return grows


def test_parts_are_in_the_scene_before_the_result_which_takes_their_place_in_one_undo_state(a_session_with_a_crop):
    session = a_session_with_a_crop
    looked = Onlooker(session)
    session.start_segment()
    assert work_through(session).outcome is Outcome.DONE, session.run.error
    growing, visible = looked.seen[0]
    assert session.run.parts >= 1
    assert visible == [growing]
    assert keys_of(session.segmentation) == [row.key for row in session.rows]
    assert growing not in segmentations_in(session)
    session.undo()
    assert segmentations_in(session) == []
    assert session.segmentation is None and session.scan is not None


def test_one_of_both_is_shown_at_all_times_until_the_result_is_there(a_session_with_a_crop):
    session = a_session_with_a_crop
    session.start_segment()
    session.poll()
    states = session.undo_stack.n_commands()
    shown = []
    while not session.poll():
        shown.append((growing_on(session.scene, session.scan) is not None, session.segmentation is not None))
        assert len(visible_in(session)) == 1
        assert session.undo_stack.n_commands() == states + shown[-1][1]
    before = shown.index((False, True))
    assert before >= 3, "made ready in small steps"
    assert set(shown[:before]) == {(True, False)} and set(shown[before:]) == {(False, True)}


def test_a_result_that_is_being_shown_can_no_longer_be_cancelled(a_session_with_a_crop):
    session = a_session_with_a_crop
    session.start_segment()
    assert session.run.can_be_cancelled
    session.poll()
    assert session.run.is_finishing and not session.run.can_be_cancelled
    session.cancel()
    assert work_through(session).outcome is Outcome.DONE
    assert session.rows


def test_a_scene_closed_in_the_last_steps_stays_closed(a_session_with_a_crop):
    session = a_session_with_a_crop
    session.start_segment()
    for _ in range(3):
        session.poll()
    session.scene.Clear(False)
    assert work_through(session).outcome is Outcome.CANCELLED
    assert segmentations_in(session) == []


def test_a_run_cancelled_half_way_shows_what_was_there_before(a_session, deep_crop):
    session = a_session
    session.add_scan(deep_crop)
    session.choose(region="whole")
    session.start_segment()
    work_through(session)
    earlier = session.segmentation
    looked = Onlooker(session, do=session.cancel)
    session.start_segment()
    assert work_through(session).outcome is Outcome.CANCELLED
    growing, visible = looked.seen[0]
    assert visible == [growing]
    assert keys_of(growing) == keys_of(earlier)
    assert growing not in segmentations_in(session)
    assert session.segmentation is earlier
    assert visible_in(session) == [earlier]


def test_a_scene_closed_half_way_stays_closed(a_session, deep_crop):
    a_session.add_scan(deep_crop)
    a_session.choose(region="whole")
    Onlooker(a_session, do=lambda: a_session.scene.Clear(False))
    a_session.start_segment()
    assert work_through(a_session).outcome is Outcome.CANCELLED
    assert segmentations_in(a_session) == []


def test_a_part_is_written_over_what_was_shown_there_before(growing, a_session_with_a_crop):
    session = a_session_with_a_crop
    run = Run(RunKind.SEGMENT)
    inner = Box((3, 4, 5), (4, 6, 7))
    growing.show(inner, np.full(inner.shape, 2, np.uint8), run=run)
    growing.show(Box((2, 3, 4), (3, 9, 11)), np.zeros((1, 6, 7), np.uint8), run=run)
    expected = np.zeros(node_to_volume(session.scan).grid.shape, np.uint8)
    expected[BOX.slices], expected[2], expected[inner.slices] = 1, 0, 2
    np.testing.assert_array_equal(labels_in(growing_on(session.scene, session.scan), session.scan), expected)
    assert run.parts == 2


def test_whoever_goes_on_to_another_scan_sees_it_grow_only_when_coming_back(
    growing, a_session_with_a_crop, another_crop
):
    session = a_session_with_a_crop
    node, first = growing_on(session.scene, session.scan), session.scan
    assert visible_in(session) == [node]
    session.add_scan(another_crop)
    assert visible_in(session) == []
    session.set_input(0, first)
    assert visible_in(session) == [node]


def test_what_is_not_finished_is_neither_saved_nor_undone_nor_offered(growing, a_session_with_a_crop, tmp_path):
    session = a_session_with_a_crop
    node = growing_on(session.scene, session.scan)
    assert node.GetHideFromEditors()
    session.undo()
    assert session.scan is None and node in segmentations_in(session)
    session.redo()
    session.save(tmp_path / "half.mrb")
    growing.remove()
    session.open(tmp_path / "half.mrb")
    assert session.scan is not None
    assert segmentations_in(session) == []


def test_a_part_that_cannot_be_shown_ends_the_showing_and_nothing_else(
    growing, a_session_with_a_crop, monkeypatch, caplog
):
    def fail(*_, **__):
        raise RuntimeError("no memory")

    monkeypatch.setattr(growing_segmentation, "write_part", fail)
    growing.show(BOX, np.ones(BOX.shape, np.uint8), run=Run(RunKind.SEGMENT))
    monkeypatch.undo()
    growing.show(BOX, np.ones(BOX.shape, np.uint8), run=Run(RunKind.SEGMENT))
    assert "cannot be shown" in caplog.text
    assert all(node.GetAttribute(GROWING_ATTRIBUTE) is None for node in segmentations_in(a_session_with_a_crop))
