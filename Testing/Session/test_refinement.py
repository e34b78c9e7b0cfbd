"""A damaged AI result is mended by a few strokes, in one undo state."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.errors import DeviceError, InputError
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.worker.running_job import InlineJob
from MedSegAI.Session.refinement import Refinement
from MedSegAI.Session.run import Outcome
from Testing.Session.conftest import work_through

KEY = "posterior_hippocampus"
VALUE = 2


def labels_in(session, node):
    return node_to_segmentation(node, grid=node_to_volume(session.scan).grid)[0]


def draw(session, node, mask, value):
    """Draw a stroke as the faces' brushes do: voxels of the node's own segments."""
    strokes = labels_in(session, node)
    array = strokes.array.copy()
    array[mask] = value
    update_segments(node, strokes.with_array(array))


@pytest.fixture
def a_damaged_result(a_segmented_crop):
    """The posterior part has lost its hindmost third; the lost voxels come along."""
    labels = labels_in(a_segmented_crop, a_segmented_crop.segmentation)
    array = labels.array.copy()
    j = np.nonzero((array == VALUE).any(axis=(0, 2)))[0]
    lost = np.zeros(array.shape, bool)
    lost[:, : j[0] + len(j) // 3] = True
    lost &= array == VALUE
    array[lost] = 0
    update_segments(a_segmented_crop.segmentation, labels.with_array(array))
    return a_segmented_crop, lost


def test_a_stroke_brings_back_most_of_what_was_lost_and_undo_takes_it_away_again(a_damaged_result):
    session, lost = a_damaged_result
    refinement = Refinement(session)
    strokes = refinement.place_strokes()
    k, j, _ = (int(np.median(index)) for index in np.nonzero(lost))
    mask = np.zeros(lost.shape, bool)
    mask[k, j] = lost[k, j]
    assert mask.any()
    draw(session, strokes, mask, 1)
    before = labels_in(session, session.segmentation).array
    refinement.start_refine(KEY)
    assert work_through(session).outcome is Outcome.DONE, session.run.error
    after = labels_in(session, session.segmentation).array
    assert (after[mask] == VALUE).all()
    assert (after[lost] == VALUE).mean() > 0.5
    assert not labels_in(session, strokes).array.any()
    session.undo()
    assert np.array_equal(labels_in(session, session.segmentation).array, before)
    assert np.array_equal(labels_in(session, strokes).array == 1, mask)
    session.redo()
    assert np.array_equal(labels_in(session, session.segmentation).array, after)


def test_other_labels_are_not_written_over(a_damaged_result):
    session, lost = a_damaged_result
    refinement = Refinement(session)
    draw(session, refinement.place_strokes(), lost & (np.cumsum(lost) % 3 == 0).reshape(lost.shape), 1)
    before = labels_in(session, session.segmentation).array
    refinement.start_refine(KEY)
    work_through(session)
    assert np.array_equal(labels_in(session, session.segmentation).array == 1, before == 1)


def test_without_strokes_a_sentence_says_so(a_segmented_crop):
    refinement = Refinement(a_segmented_crop)
    with pytest.raises(InputError, match="no strokes"):
        refinement.start_refine(KEY)
    refinement.place_strokes()
    refinement.start_refine(KEY)
    assert work_through(a_segmented_crop).outcome is Outcome.FAILED
    assert "stroke" in str(a_segmented_crop.run.error)


def test_the_place_for_strokes_is_made_once_and_undone(a_segmented_crop):
    refinement = Refinement(a_segmented_crop)
    node = refinement.place_strokes()
    assert refinement.place_strokes() is node
    a_segmented_crop.undo()
    assert refinement.strokes is None


def test_what_is_painted_while_it_is_refined_is_not_written_over(a_damaged_result):
    session, lost = a_damaged_result
    refinement = Refinement(session)
    draw(session, refinement.place_strokes(), lost, 1)
    refinement.start_refine(KEY)
    painted = labels_in(session, session.segmentation)
    painted = painted.with_array(np.where(lost, np.uint8(1), painted.array))
    update_segments(session.segmentation, painted)
    run = work_through(session)
    assert run.outcome is Outcome.FAILED and "changed while it was being refined" in str(run.error)
    assert np.array_equal(labels_in(session, session.segmentation).array, painted.array)
    assert np.array_equal(labels_in(session, refinement.strokes).array == 1, lost)


def test_strokes_drawn_while_it_is_refined_come_back_with_the_others(a_damaged_result):
    session, lost = a_damaged_result
    refinement = Refinement(session)
    first = lost & (np.cumsum(lost) % 5 == 0).reshape(lost.shape)
    draw(session, refinement.place_strokes(), first, 1)
    refinement.start_refine(KEY)
    draw(session, refinement.strokes, lost, 1)
    assert work_through(session).outcome is Outcome.DONE, session.run.error
    session.undo()
    assert np.array_equal(labels_in(session, refinement.strokes).array == 1, lost)


def test_strokes_on_one_scan_are_not_taken_for_strokes_on_another(a_segmented_crop, another_crop):
    refinement = Refinement(a_segmented_crop)
    node = refinement.place_strokes()
    a_segmented_crop.add_scan(another_crop)
    assert refinement.strokes is None
    other = refinement.place_strokes()
    assert other is not node and refinement.strokes is other


def test_the_network_is_asked_near_the_strokes_alone_and_a_worker_that_fails_does_not_matter(
    a_damaged_result, monkeypatch
):
    session, lost = a_damaged_result
    asked = []
    ask = session.runner.start_probability

    def start(*arguments, **options):
        asked.append(options["box"])
        if len(asked) == 2:
            return InlineJob(fail)
        return ask(*arguments, **options)

    def fail():
        raise DeviceError("The computer's memory does not suffice.")

    monkeypatch.setattr(session.runner, "start_probability", start)
    after = []
    for _ in range(2):
        refinement = Refinement(session)
        k, j, _ = (int(np.median(index)) for index in np.nonzero(lost))
        mask = np.zeros(lost.shape, bool)
        mask[k, j] = lost[k, j]
        draw(session, refinement.place_strokes(), mask, 1)
        refinement.start_refine(KEY)
        assert work_through(session).outcome is Outcome.DONE, session.run.error
        after.append(labels_in(session, session.segmentation).array)
        session.undo()
        session.undo()
    assert len(asked) == 2
    assert all(box.union(Box.around(mask)) == box for box in asked)
    assert [(labels[lost] == VALUE).mean() > 0.3 for labels in after] == [True, True]
