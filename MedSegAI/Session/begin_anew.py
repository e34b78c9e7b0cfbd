"""The next expert begins where the first one did: with the model's result as nobody has corrected it."""

from __future__ import annotations

import slicer

from MedSegAI.Bridge.segmentation_copies import unaltered_copy
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation
from MedSegAI.Bridge.volume_nodes import world_grid
from MedSegAI.Logic.corrections.record import changed_box
from MedSegAI.Logic.errors import InputError
from MedSegAI.Session import case_results
from MedSegAI.Session.label_change import LabelChange
from MedSegAI.Session.session import Session


def begin_anew(session: Session) -> None:
    """Show the model's result as it was before anybody corrected it, each change in an undo state of its own.

    Where a consensus or another segmentation is shown, the latest result of a model takes its place.

    Raises:
        InputError: if no model has made a result of this scan.
    """
    node = _result_of_a_model(session)
    session.show_result(node)
    grid = world_grid(session.scan)
    now, as_made = (node_to_segmentation(one, grid=grid)[0] for one in (node, unaltered_copy(node)))
    box = changed_box(now.array, as_made.array)
    if box is not None:
        # A crop alone would keep the whole scan's labels in memory for as long as it can be undone.
        before, after = (part.with_array(part.array.copy()) for part in (now.crop(box), as_made.crop(box)))
        session.undo_stack.push(LabelChange(node, before, after, text="begin anew"))


def _result_of_a_model(session: Session) -> slicer.vtkMRMLSegmentationNode:
    shown, scan = session.segmentation, session.scan
    latest = None if scan is None else case_results.latest_of(session.scene, scan)
    found = next((node for node in (shown, latest) if node is not None and unaltered_copy(node) is not None), None)
    if found is None:
        raise InputError("There is no result of a model to begin with.", advice="Segment the scan first.")
    return found
