"""Click to segment: each place that the user points at becomes a segment of its own, measured, with a heat map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import slicer

from MedSegAI.Bridge.nodule_segments import NoduleRecord, empty_segmentation, nodule_segment
from MedSegAI.Bridge.point_lists import add_point, new_point_list, remove_point
from MedSegAI.Bridge.segment_surfaces import surface_steps
from MedSegAI.Bridge.segmentation_copies import keep_unaltered_copy
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, read_provenance
from MedSegAI.Bridge.slice_composites import centre_slices_at
from MedSegAI.Bridge.volume_nodes import world_grid
from MedSegAI.Logic.errors import InputError, MedSegAIError, RegionError
from MedSegAI.Logic.geometry import Grid, Triple
from MedSegAI.Logic.inference.pointed_regions import scans_near
from MedSegAI.Logic.inference.pointed_result import (
    already_there,
    giving_way,
    joined_record,
    next_number,
    numbered,
    point_of,
    without_points,
)
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import InputScans, scans_for
from MedSegAI.Logic.localise.points import written
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.report.measured_nodules import MeasuredNodule, measured_nodules
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings
from MedSegAI.Session import case_results
from MedSegAI.Session.input_slots import obstacle_in, scans_in
from MedSegAI.Session.nodule_change import NoduleAdded, NoduleRemoved, PointedSegment
from MedSegAI.Session.nodules import POINTS, is_pointed, label_in, pointed_in
from MedSegAI.Session.run import Outcome, Run, RunKind
from MedSegAI.Session.session import Session, SessionEvent

_WAITING = "waiting"
"""Stands for the ID of its segment at a point whose segment is still being made."""


@dataclass(frozen=True, eq=False)
class _Click:
    """A place that was pointed at, and what was seen there."""

    point: Triple
    model: Model
    near: InputScans
    scan: slicer.vtkMRMLScalarVolumeNode


class Pointing:
    """Segments what the user points at, for one case.

    Args:
        session: The case.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._run: Run | None = None
        self._found: list[str] = []
        self._watched: tuple[slicer.vtkMRMLMarkupsFiducialNode, int] | None = None
        self._stop_observing = session.observe(self._on_event)
        self._watch_points()

    def close(self) -> None:
        """Observe session and points no longer."""
        self._stop_observing()
        self._stop_watching()

    @property
    def is_possible(self) -> bool:
        """Whether the chosen model segments what is pointed at."""
        try:
            return self._session.model.card.needs_point
        except MedSegAIError:
            return False

    @property
    def points(self) -> slicer.vtkMRMLMarkupsFiducialNode | None:
        """The list of the points that were pointed at."""
        return self._session.state.referenced(POINTS)

    def obstacle(self) -> str:
        """Why nothing can be pointed at now, as a sentence; empty where all is ready."""
        return obstacle_in(self._session.inputs)

    def segment_at(self, point: Triple) -> Run:
        """Begin to segment what lies at a point, with the choice's heat map after it.

        What is found joins the segmentation of the points before it as one more segment, in one undo state; nothing
        that is there is changed. Where nothing is found, or it is there already, the run fails with a sentence.

        Args:
            point: (R, A, S) in mm of the world.

        Raises:
            MedSegAIError: if the point lies outside the scan or something is missing, does not fit, or still runs.
        """
        session = self._session
        model = session.model
        if not model.card.needs_point:
            raise RegionError(
                f"'{model.card.title}' does not segment what is pointed at.", advice="Choose another model."
            )
        if obstacle := self.obstacle():
            raise InputError(obstacle)
        case = scans_for(scans_in(session.inputs, same_space=session.choices.same_space), model.card)
        click = _Click(point, model, scans_near(case, model.card, point), session.scan)
        settings = RunSettings(
            device=session.choices.device,
            engine=session.choices.engine,
            confidence=ConfidenceChoice.PER_LABEL,
            points=(click.point,),
        )
        self._run, self._found = None, []

        def begin(run: Run) -> object:
            return session.runner.start_segment(click.near, model=model, settings=settings, reporter=run)

        run = session.work.start(RunKind.SEGMENT, begin, finish=lambda result: self._take(click, result))
        self._run = run
        if self.points is not None:
            add_point(self.points, point, name="...", key=_WAITING)
        return run

    def explain(self, key: str) -> Run:
        """Begin to explain one segment; raises as :meth:`Session.start_explain`."""
        session = self._session
        return case_results.start_explain(session.work, session.runner, session.state, session.model, target=key)

    def show(self, key: str) -> None:
        """Move every slice view to where a segment was pointed at; nothing happens where that is not known."""
        node = self._session.segmentation
        made = None if node is None else read_provenance(node)
        point = None if made is None else point_of(made, label_in(node, key).value)
        if point is not None:
            centre_slices_at(self._session.scene, point)

    def remove(self, key: str) -> None:
        """Take a segment out with its point, its measures and its heat map, in one undo state.

        Raises:
            InputError: if there is no such segment that was pointed at.
        """
        session, node = self._session, self._session.segmentation
        removed = None if node is None else pointed_in(node, self.points, key)
        if removed is None:
            raise InputError("There is no such segment to remove.", advice="Choose one of those in the table.")
        record = read_provenance(node)
        value = label_in(node, key).value
        left = None if record is None else without_points(record, [value])
        heat = session.heat_map
        with session.undo_stack.group_undo_commands(f"remove {removed.name}"):
            if heat is not None and heat.GetAttribute(case_results.HEAT_TARGET_ATTRIBUTE) == key:
                with session.state.one_undo_state(f"remove {removed.name}"):
                    session.state.refer(**{case_results.HEAT_MAP: None})
            session.undo_stack.push(NoduleRemoved(node, self.points, removed, record=(record, left)))

    def _take(self, click: _Click, result: SegmentationResult) -> Iterator[None]:
        session, scan = self._session, click.scan
        if scan.GetScene() is None:
            raise MedSegAIError("The scan was closed while it was worked on.", advice="Open it again.")
        node = self._segmentation_for(click)
        before = None if node is None else read_provenance(node)
        grid = world_grid(scan) or click.near.on.grid
        result = numbered(result, click.model.card, number=next_number(before, click.model.card))
        if node is not None and node.GetSegmentation().GetNumberOfSegments() > 0:
            result = _without_what_is_known(node, result, click)
        record = joined_record(before, result.provenance, grid=grid)
        measured = measured_nodules(result, click.near.on)
        self._stop_waiting()
        with session.undo_stack.group_undo_commands(f"segment {', '.join(one.name for one in measured)}"):
            node = self._places_for(click, node)
            for one in measured:
                added = _segment_of(one, result, grid)
                session.undo_stack.push(NoduleAdded(node, self.points, added, record=(before, record)))
        self._found = [one.key for one in measured]
        yield
        if session.scan is scan:
            centre_slices_at(scan.GetScene(), click.point)
            yield
        yield from surface_steps(node)

    def _segmentation_for(self, click: _Click) -> slicer.vtkMRMLSegmentationNode | None:
        """The segmentation that the click's result joins: of this scan, made by this model from points."""
        session = self._session
        shown = session.segmentation if session.scan is click.scan else None
        latest = case_results.latest_of(session.scene, click.scan)
        fitting = (node for node in (shown, latest) if node is not None and is_pointed(node, click.model, click.scan))
        return next(fitting, None)

    def _places_for(self, click: _Click, node: slicer.vtkMRMLSegmentationNode | None) -> slicer.vtkMRMLSegmentationNode:
        """The nodes for segments and points, made where there are none, and shown as the case's result."""
        state, scan = self._session.state, click.scan
        with state.one_undo_state(f"segment {scan.GetName()}"):
            if node is None:
                node = empty_segmentation(scan, name=f"{scan.GetName()} segmentation")
                keep_unaltered_copy(node)
            if self.points is None:
                state.refer(**{POINTS: new_point_list(scan.GetScene(), name="Pointed at")})
            if self._session.scan is scan and self._session.segmentation is not node:
                state.refer(**{case_results.SEGMENTATION: node, case_results.HEAT_MAP: None})
        return node

    def _watch_points(self) -> None:
        """Let the session's observers hear of points that the user deletes."""
        points = self.points
        if self._watched is not None and self._watched[0] is points:
            return
        self._stop_watching()
        if points is not None:
            tell = lambda *_event: self._session.tell(SessionEvent.CASE)  # noqa: E731
            self._watched = (points, points.AddObserver(points.PointRemovedEvent, tell))

    def _stop_watching(self) -> None:
        if self._watched is not None:
            node, tag = self._watched
            node.RemoveObserver(tag)
            self._watched = None

    def _on_event(self, event: SessionEvent) -> None:
        self._watch_points()
        run = self._run
        if event is not SessionEvent.RUN or run is None or run.is_under_way:
            return
        self._run = None
        self._stop_waiting()
        if run.outcome is Outcome.DONE and self._session.choices.explain_points and self._found:
            try:
                self.explain(self._found[0])
            except MedSegAIError as error:
                run.messages.append(str(error))

    def _stop_waiting(self) -> None:
        if self.points is not None:
            remove_point(self.points, _WAITING)


def _without_what_is_known(
    node: slicer.vtkMRMLSegmentationNode, result: SegmentationResult, click: _Click
) -> SegmentationResult:
    """The result without voxels that other segments have; refuses one that is there already."""
    known, table = node_to_segmentation(node, grid=result.labels.grid)
    same = already_there(result.labels, known)
    if same is not None:
        raise InputError(
            f"What lies at {written(click.point)} (R, A, S) is '{table.find(same).name}', which is there already.",
            advice="To segment it anew, remove that segment first.",
        )
    return giving_way(result, known)


def _segment_of(one: MeasuredNodule, result: SegmentationResult, grid: Grid) -> PointedSegment:
    label = result.table.find(one.key)
    record = NoduleRecord(one.measures, one.cut)
    made = (nodule_segment(label, result.labels, grid, record=record, confidence=one.confidence) for _twice in range(2))
    return PointedSegment(one.key, one.name, one.point, *made)
