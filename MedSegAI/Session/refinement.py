"""Smart refinement: the expert draws a few strokes, and the label is mended near them."""

from __future__ import annotations

from collections.abc import Iterator

import slicer

from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, segmentation_to_node
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.corrections.record import changed_box
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.refine.nearby_probability import NearbyProbability, box_within_reach
from MedSegAI.Logic.refine.refine_label import STROKES, RefinedLabels, blank_strokes, refine_label, without_strokes
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.running_job import RunningJob
from MedSegAI.Logic.worker.thread_job import ThreadJob
from MedSegAI.Session.case_results import STROKES_ROLE, scan_of
from MedSegAI.Session.jobs_in_turn import JobsInTurn
from MedSegAI.Session.label_change import LabelChange
from MedSegAI.Session.network_opinion import ask_the_network
from MedSegAI.Session.run import Run, RunKind
from MedSegAI.Session.session import Session


class Refinement:
    """Strokes and what they do, for one case.

    Args:
        session: The case.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def strokes(self) -> slicer.vtkMRMLSegmentationNode | None:
        """The node that strokes are drawn into with a brush: its segments are "inside" and "outside".

        None where there is none for this scan; strokes on another scan are not taken for strokes on this one.
        """
        node = self._session.state.referenced(STROKES_ROLE)
        is_of_scan = node is not None and scan_of(node) is self._session.scan
        return node if is_of_scan else None

    def place_strokes(self) -> slicer.vtkMRMLSegmentationNode:
        """The node for strokes, made where there is none.

        Raises:
            InputError: if no scan was chosen.
        """
        scan, node = self._wanted_scan(), self.strokes
        if node is None:
            with self._session.state.one_undo_state("draw strokes"):
                blank = blank_strokes(node_to_volume(scan))
                node = segmentation_to_node(
                    blank, STROKES, scan.GetScene(), reference=scan, name="Strokes", box=Box.empty()
                )
                node.GetDisplayNode().SetVisibility3D(False)
                self._session.state.refer(**{STROKES_ROLE: node})
        return node

    def start_refine(self, key: str) -> Run:
        """Begin to mend the segment of this key near the strokes; the strokes are gone afterwards.

        The network that made the segmentation is asked what it says there: of windows that a run has seen, its answer
        is known, others that the strokes touch are evaluated. Both come back in one undo state. Where the segment is
        changed near the strokes before the work has ended, the run fails and leaves the change as it is.

        Raises:
            InputError: if there is no segmentation, or no stroke was drawn.
            LabelError: if there is no such segment.
        """
        target, strokes = self._session.segmentation, self.strokes
        if target is None or strokes is None:
            raise InputError("There are no strokes on a segmentation.", advice="Segment the scan, then draw strokes.")
        scan = node_to_volume(self._wanted_scan())
        labels = Segmentation(*node_to_segmentation(target, grid=scan.grid))
        drawn, _ = node_to_segmentation(strokes, grid=scan.grid)
        label = labels.table.find(key)

        near = box_within_reach(drawn)

        def work(opinion: NearbyProbability | None) -> tuple[RefinedLabels, Grid]:
            refined = refine_label(scan, labels.labels, drawn.array, label=label, probability=opinion)
            return refined, scan.grid.crop(changed_box(without_strokes(drawn).array, drawn.array))

        def finish(found: tuple[RefinedLabels, Grid]) -> Iterator[None]:
            refined, around_strokes = found
            _refuse_changed(target, refined.before)
            # Read anew: strokes drawn meanwhile come back with the others. The undo stack keeps their box alone.
            present = node_to_segmentation(strokes, grid=around_strokes)[0]
            with self._session.undo_stack.group_undo_commands(f"refine {label.name}"):
                change = LabelChange(target, refined.before, refined.labels, text=f"refine {label.name}")
                self._session.undo_stack.push(change)
                gone = LabelChange(strokes, present, without_strokes(present), text="take the strokes away")
                self._session.undo_stack.push(gone)
            yield

        def refine_on_thread(run: Run, opinion: NearbyProbability | None) -> ThreadJob:
            return ThreadJob(lambda _reporter: work(opinion), reporter=run, name="refine")

        def begin(run: Run) -> RunningJob:
            asked = None if near is None else ask_the_network(self._session, label, near, run=run)
            if asked is None:
                return refine_on_thread(run, None)
            return JobsInTurn(asked, lambda opinion: refine_on_thread(run, opinion))

        return self._session.work.start(RunKind.REFINE, begin, finish=finish)

    def _wanted_scan(self) -> slicer.vtkMRMLScalarVolumeNode:
        if self._session.scan is None:
            raise InputError("No scan was chosen.", advice="Choose a scan first.")
        return self._session.scan


def _refuse_changed(target: slicer.vtkMRMLSegmentationNode, before: Volume) -> None:
    """Refuse to write over what was done to the segmentation since it was read."""
    is_there = target.GetScene() is not None
    if not is_there or changed_box(node_to_segmentation(target, grid=before.grid)[0].array, before.array) is not None:
        raise InputError(
            "The segmentation was changed while it was being refined; it was left as it is.", advice="Refine it again."
        )
