"""The next expert begins with the model's result, whatever the one before has done to it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from MedSegAI.Bridge.segment_edits import is_edited
from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.corrections.entry import Status
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.files.slicer_segments import CONSENSUS_FIELD
from MedSegAI.Session.begin_anew import begin_anew
from MedSegAI.Session.expert_review import ExpertReview
from MedSegAI.Session.exports import consensus_writer
from Testing.Session.conftest import work_through


def labels_in(session, node):
    return node_to_segmentation(node, grid=node_to_volume(session.scan).grid)[0]


def cut_away(session, planes):
    """An expert takes planes of the shown segmentation away."""
    labels = labels_in(session, session.segmentation)
    array = labels.array.copy()
    array[planes] = 0
    update_segments(session.segmentation, labels.with_array(array))


def test_the_models_result_comes_back_and_undo_brings_the_correction(a_segmented_crop):
    node = a_segmented_crop.segmentation
    made = labels_in(a_segmented_crop, node).array.copy()
    cut_away(a_segmented_crop, slice(0, 12))
    corrected = labels_in(a_segmented_crop, node).array.copy()
    assert is_edited(node) and (corrected != made).any()
    begin_anew(a_segmented_crop)
    assert not is_edited(node) and np.array_equal(labels_in(a_segmented_crop, node).array, made)
    a_segmented_crop.undo()
    assert np.array_equal(labels_in(a_segmented_crop, node).array, corrected)
    a_segmented_crop.redo()
    assert not is_edited(node)


def test_the_result_takes_the_place_of_a_consensus_which_can_still_be_written(a_segmented_crop, tmp_path):
    node, review = a_segmented_crop.segmentation, ExpertReview(a_segmented_crop)
    a_segmented_crop.choose(journal=str(tmp_path / "case"))
    for rater in ("Ann", "Ben"):
        a_segmented_crop.choose(rater=rater)
        cut_away(a_segmented_crop, slice(0, 12))
        review.start_record(Status.FINAL)
        work_through(a_segmented_crop)
        begin_anew(a_segmented_crop)
    review.start_fuse()
    work_through(a_segmented_crop)
    consensus = labels_in(a_segmented_crop, a_segmented_crop.consensus).array
    assert a_segmented_crop.segmentation is not node
    begin_anew(a_segmented_crop)
    assert a_segmented_crop.segmentation is node and not is_edited(node)
    assert node.GetDisplayVisibility() and not a_segmented_crop.consensus.GetDisplayVisibility()
    consensus_writer(a_segmented_crop, review.fused.consensus)(tmp_path / "fused.seg.nrrd")
    assert np.array_equal(read_segmentation(tmp_path / "fused.seg.nrrd").labels.array, consensus)
    header = (tmp_path / "fused.seg.nrrd").read_bytes().split(b"\n\n")[0].decode()
    record = next(line for line in header.splitlines() if line.startswith(CONSENSUS_FIELD))
    assert json.loads(record.partition(":=")[2])["threshold"] == 0.5
    review.close()


def test_without_a_result_there_is_nothing_to_begin_with(a_session_with_a_crop):
    with pytest.raises(InputError, match="no result of a model"):
        begin_anew(a_session_with_a_crop)
