"""The panel of refinement: strokes are drawn in the Segment Editor, and mend the chosen segment."""

from __future__ import annotations

import pytest

from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Session.refinement import Refinement
from MedSegAI.Session.run import Outcome


def panel_of(bench):
    from MedSegAI.Widgets.refine_panel import RefinePanel

    panel = RefinePanel(bench.ui, bench.session)
    panel.refresh()
    return panel


def labels_in(bench, node):
    return node_to_segmentation(node, grid=node_to_volume(bench.session.scan).grid)[0]


@pytest.fixture
def with_strokes(bench, a_crop):
    """A segmented crop whose posterior part lost its hindmost third, with the Segment Editor open on the strokes."""
    bench.segment(a_crop)
    panel = panel_of(bench)
    labels = labels_in(bench, bench.session.segmentation)
    array = labels.array.copy()
    rows = (array == 2).any(axis=(0, 2)).nonzero()[0]
    lost = array == 2
    lost[:, rows[0] + len(rows) // 3 :] = False
    array[lost] = 0
    update_segments(bench.session.segmentation, labels.with_array(array))
    bench.choose(bench.ui.refineCombo, "Posterior hippocampus")
    bench.ui.drawStrokesButton.click()
    panel.refresh()
    panel.lost = lost
    return panel


def test_without_a_segmentation_it_says_what_is_needed(bench):
    panel_of(bench)
    assert bench.ui.refineNote.text == "Segment the scan first."
    assert not bench.ui.drawStrokesButton.enabled and not bench.ui.refineButton.enabled


def test_strokes_are_drawn_in_the_segment_editor(bench, with_strokes):
    import slicer

    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    assert editor.segmentationNode() is Refinement(bench.session).strokes
    assert editor.sourceVolumeNode() is bench.session.scan
    assert bench.ui.refineButton.enabled and bench.ui.refineNote.isHidden()
    bench.picture(bench.ui.refineSection, "refine")


def test_a_stroke_mends_the_chosen_segment_and_undo_takes_that_back(bench, with_strokes):
    strokes = Refinement(bench.session).strokes
    drawn = labels_in(bench, strokes)
    middle = int(with_strokes.lost.any(axis=(1, 2)).nonzero()[0].mean())
    stroke = drawn.array.copy()
    stroke[middle][with_strokes.lost[middle]] = 1
    update_segments(strokes, drawn.with_array(stroke))
    before = labels_in(bench, bench.session.segmentation).array
    bench.ui.refineButton.click()
    with_strokes.refresh()
    assert not bench.ui.refineButton.enabled
    assert bench.work_through().outcome is Outcome.DONE, bench.session.run.error
    with_strokes.refresh()
    assert bench.ui.refineCombo.currentText == "Posterior hippocampus"
    after = labels_in(bench, bench.session.segmentation).array
    assert (after[stroke == 1] == 2).all() and (after == 2).sum() > (before == 2).sum()
    bench.session.undo()
    assert (labels_in(bench, bench.session.segmentation).array == before).all()


def test_without_a_stroke_it_says_so(bench, with_strokes):
    bench.ui.refineButton.click()
    run = bench.work_through()
    assert run.outcome is Outcome.FAILED and "stroke" in str(run.error)
