"""What a session makes: segmentations and heat maps from the worker, brought into the scene in small steps."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace

import slicer

from MedSegAI.Bridge.growing_segmentation import GROWING_ATTRIBUTE
from MedSegAI.Bridge.heatmap_nodes import heatmap_to_node
from MedSegAI.Bridge.region_nodes import new_point, new_roi
from MedSegAI.Bridge.scene_nodes import nodes_of_class
from MedSegAI.Bridge.segment_edits import mark_as_made_in_steps
from MedSegAI.Bridge.segment_rows import write_confidence
from MedSegAI.Bridge.segment_surfaces import surface_steps
from MedSegAI.Bridge.segmentation_copies import copy_to_keep, keep_unaltered_copy
from MedSegAI.Bridge.segmentation_nodes import (
    node_to_segmentation,
    place_segmentation,
    read_provenance,
    table_of,
    unplaced_segmentation,
)
from MedSegAI.Bridge.slice_composites import centre_slices_on
from MedSegAI.Bridge.volume_nodes import node_to_volume
from MedSegAI.Logic.errors import InputError, MedSegAIError, RegionError
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.files.segment_tags import PROVENANCE_TAG
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.inference.labels_of_run import labels_of_run
from MedSegAI.Logic.inference.pointed_result import seen_around
from MedSegAI.Logic.inference.result import SegmentationResult
from MedSegAI.Logic.inference.scans import scans_for
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.models.registry import Model
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings
from MedSegAI.Logic.volume import Volume
from MedSegAI.Logic.worker.runner import Runner
from MedSegAI.Session.case_state import CaseState
from MedSegAI.Session.growing_segmentation import GrowingSegmentation
from MedSegAI.Session.input_slots import input_role, input_slots, obstacle_in, scans_in
from MedSegAI.Session.regions import region_text
from MedSegAI.Session.run import Run, RunKind
from MedSegAI.Session.work import Work

SEGMENTATION = "segmentation"
HEAT_MAP = "heat_map"
ROI = "roi"
POINT = "point"
CONSENSUS = "consensus"
DISAGREEMENT = "disagreement"
STROKES_ROLE = "strokes"

HEAT_TARGET_ATTRIBUTE = "MedSegAI.HeatTarget"
"""On the node of every heat map; its value is the key of the label that it explains."""

_SCAN_OF_SEGMENTATION = "referenceImageGeometryRef"


def start_segment(work: Work, runner: Runner, state: CaseState, model: Model) -> Run:
    """Begin to segment the case's scan; raises as :meth:`Session.start_segment`."""
    choices = state.choices
    slots = input_slots(model.card, state.node, same_space=choices.same_space)
    if obstacle := obstacle_in(slots):
        raise InputError(obstacle)
    if obstacle := point_is_needed(model.card):
        raise RegionError(obstacle)
    scan, scans = slots[0].node, scans_in(slots, same_space=choices.same_space)
    grid = node_to_volume(scan).grid
    region = region_text(choices.region, grid, model.card, roi=state.referenced(ROI), point=state.referenced(POINT))
    where = {"device": choices.device, "engine": choices.engine}
    settings = RunSettings(**where, confidence=ConfidenceChoice.PER_LABEL, region=region)
    growing = GrowingSegmentation(state, scan, grid=grid, table=labels_of_run(grid, model.card, settings))

    def begin(run: Run) -> object:
        show = functools.partial(growing.show, run=run)
        return runner.start_segment(scans, model=model, settings=settings, reporter=run, show=show)

    def finish(result: SegmentationResult) -> Iterator[None]:
        return _take_segmentation(state, scan, result, in_place_of=growing)

    return work.start(RunKind.SEGMENT, begin, finish=finish, leave=growing.remove)


def point_is_needed(card: ModelCard) -> str:
    """Why a model that segments what is pointed at does nothing by itself, as a sentence; empty for others."""
    return f"'{card.title}' segments what is pointed at: point at it in a slice." if card.needs_point else ""


def start_explain(work: Work, runner: Runner, state: CaseState, model: Model, *, target: str = "") -> Run:
    """Begin to explain a label of the case's segmentation, the chosen one unless its key is given.

    Raises as :meth:`Session.start_explain`.
    """
    scan, node = state.referenced(input_role(0)), state.referenced(SEGMENTATION)
    if scan is None or node is None:
        raise InputError("There is no segmentation to explain.", advice="Segment the scan first.")
    choices = state.choices
    slots = input_slots(model.card, state.node, same_space=choices.same_space)
    if obstacle := obstacle_in(slots):
        raise InputError(obstacle)
    table, wanted = table_of(node), target or choices.target
    label = table.find(wanted) if wanted else next(iter(table))
    # What was pointed at is explained on what was seen of the scan around it, which is far less than all of it.
    case = scans_for(scans_in(slots, same_space=choices.same_space), model.card)
    scans, record = seen_around(case, model.card, read_provenance(node), label.value)
    labels, _ = node_to_segmentation(node, grid=scans.on.grid)

    def begin(run: Run) -> object:
        return runner.start_explain(
            scans,
            Segmentation(labels, table, record),
            model=model,
            target=label.value,
            layer=choices.layer or None,
            settings=RunSettings(device=choices.device),
            reporter=run,
        )

    return work.start(RunKind.EXPLAIN, begin, finish=lambda heat: _take_heat_map(state, scan, node, heat, label.key))


def latest_of(
    scene: slicer.vtkMRMLScene, scan: slicer.vtkMRMLScalarVolumeNode
) -> slicer.vtkMRMLSegmentationNode | None:
    """The last result that a model made of this scan, as far as the scene holds one."""
    nodes = nodes_of_class(scene, "vtkMRMLSegmentationNode")
    made = [node for node in nodes if node.GetAttribute(PROVENANCE_TAG) is not None and scan_of(node) is scan]
    return made[-1] if made else None


def growing_on(
    scene: slicer.vtkMRMLScene, scan: slicer.vtkMRMLScalarVolumeNode | None
) -> slicer.vtkMRMLSegmentationNode | None:
    """What is finished of the segmentation that is under way on this scan."""
    nodes = nodes_of_class(scene, "vtkMRMLSegmentationNode")
    marked = (node for node in nodes if node.GetAttribute(GROWING_ATTRIBUTE) is not None)
    return next((node for node in marked if scan is not None and scan_of(node) is scan), None)


def scan_of(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The scan that a segmentation was made for."""
    return node.GetNodeReference(_SCAN_OF_SEGMENTATION)


def place_roi(state: CaseState) -> slicer.vtkMRMLMarkupsROINode:
    """The case's ROI, made in the middle of the scan where there is none."""
    node = state.referenced(ROI)
    if node is None:
        with state.one_undo_state("place a region of interest"):
            node = new_roi(_scan_of(state), name="Region to segment")
            state.refer(**{ROI: node})
    return node


def place_point(state: CaseState) -> slicer.vtkMRMLMarkupsFiducialNode:
    """The case's point list, made where there is none."""
    node = state.referenced(POINT)
    if node is None:
        with state.one_undo_state("place a point"):
            node = new_point(_scan_of(state).GetScene(), name="Segment here")
            state.refer(**{POINT: node})
    return node


def _take_segmentation(
    state: CaseState,
    scan: slicer.vtkMRMLScalarVolumeNode,
    result: SegmentationResult,
    *,
    in_place_of: GrowingSegmentation,
) -> Iterator[None]:
    # Nothing found is an empty box; None would have the whole scan searched for it.
    found = result.changed or Box.empty()
    node = unplaced_segmentation(result.labels, result.table, provenance=result.provenance, box=found)
    write_confidence(node, result.label_confidence or {})
    yield
    yield from mark_as_made_in_steps(node)
    yield
    copy = copy_to_keep(node)
    yield
    # The user may have closed the scan in the meantime.
    scene = _scene_of(scan)
    in_place_of.take_out()
    name = f"{scan.GetName()} segmentation"
    with state.one_undo_state(f"segment {scan.GetName()}"):
        place_segmentation(node, scene, grid=result.labels.grid, reference=scan, name=name)
        keep_unaltered_copy(node, copy=copy)
        # Who went on to another scan meanwhile finds the result when coming back to this one.
        is_current = state.referenced(input_role(0)) is scan
        if is_current:
            state.refer(**{SEGMENTATION: node, HEAT_MAP: None})
    yield
    if result.changed is None:
        raise InputError(
            f"The model found nothing in '{scan.GetName()}'.",
            advice="Check that the scan shows what the model segments, or choose the region yourself.",
        )
    if is_current:
        centre_slices_on(scene, node)
        yield
    yield from surface_steps(node)


def _take_heat_map(
    state: CaseState,
    scan: slicer.vtkMRMLScalarVolumeNode,
    segmentation: slicer.vtkMRMLSegmentationNode,
    heat: Volume,
    target: str,
) -> Iterator[None]:
    scene = _scene_of(scan)
    choices = state.choices
    with state.one_undo_state(f"explain {heat.name}"):
        node = heatmap_to_node(
            replace(heat, name=f"{scan.GetName()}: {heat.name}"),
            scene,
            threshold=choices.heat_threshold,
            colours=choices.heat_colours,
        )
        node.SetAttribute(HEAT_TARGET_ATTRIBUTE, target)
        # It explains no other result, which the user may have gone on to meanwhile.
        if state.referenced(SEGMENTATION) is segmentation:
            state.refer(**{HEAT_MAP: node})
    yield


def _scan_of(state: CaseState) -> slicer.vtkMRMLScalarVolumeNode:
    scan = state.referenced(input_role(0))
    if scan is None:
        raise InputError("No scan was chosen.", advice="Choose a scan first.")
    return scan


def _scene_of(scan: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScene:
    if scan.GetScene() is None:
        raise MedSegAIError(
            "The scan was closed while it was worked on; the result has no place to go.", advice="Open it again."
        )
    return scan.GetScene()
