"""A consensus of raters in the scene: a segmentation that follows the threshold, and a map of disagreement."""

from __future__ import annotations

import json

import slicer

from MedSegAI.Bridge.heatmap_nodes import heatmap_to_node
from MedSegAI.Bridge.rater_nodes import rater_node, rater_to_node, shown_entry
from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import segmentation_to_node
from MedSegAI.Logic.consensus.consensus import Consensus
from MedSegAI.Logic.consensus.disagreement import DISAGREEMENT_LEGEND, disagreement_map
from MedSegAI.Logic.corrections.entry import Entry
from MedSegAI.Logic.corrections.journal import Journal
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.volume import Volume
from MedSegAI.Session.case_results import CONSENSUS, DISAGREEMENT, HEAT_MAP, SEGMENTATION
from MedSegAI.Session.case_state import CaseState
from MedSegAI.Session.presentation import CONSENSUS_ATTRIBUTE

_THRESHOLD_ATTRIBUTE = "MedSegAI.ConsensusThreshold"


def show_consensus(state: CaseState, scan: slicer.vtkMRMLScalarVolumeNode, consensus: Consensus) -> None:
    """Bring a consensus into the scene as the case's current segmentation; an earlier one's map goes with that one."""
    threshold = state.choices.fuse_threshold
    labels = _labels_at(consensus, threshold)
    name = f"{scan.GetName()} consensus"
    node = segmentation_to_node(labels, consensus.table, scan.GetScene(), reference=scan, name=name)
    node.SetAttribute(CONSENSUS_ATTRIBUTE, json.dumps(consensus.record.to_plain()))
    node.SetAttribute(_THRESHOLD_ATTRIBUTE, str(threshold))
    state.refer(**{CONSENSUS: node, SEGMENTATION: node, DISAGREEMENT: None, HEAT_MAP: None})


def show_disagreement(state: CaseState, scan: slicer.vtkMRMLScalarVolumeNode, consensus: Consensus) -> None:
    """Bring the map of where the raters disagree into the scene; the choices say whether it is shown."""
    found = disagreement_map(consensus, name=f"{scan.GetName()}: disagreement")
    threshold = state.choices.heat_threshold
    options = {"threshold": threshold, "title": "entropy", "meaning": DISAGREEMENT_LEGEND}
    heat = heatmap_to_node(found, scan.GetScene(), **options)
    state.refer(**{DISAGREEMENT: heat})


def show_threshold(state: CaseState, consensus: Consensus) -> None:
    """Let the consensus in the scene follow the threshold that was chosen; only what changes is written."""
    node, threshold = state.referenced(CONSENSUS), state.choices.fuse_threshold
    if node is None or node.GetAttribute(_THRESHOLD_ATTRIBUTE) == str(threshold):
        return
    node.SetAttribute(_THRESHOLD_ATTRIBUTE, str(threshold))
    update_segments(node, _labels_at(consensus, threshold))


def show_rater(
    scan: slicer.vtkMRMLScalarVolumeNode, journal: Journal, entry: Entry, said: Segmentation
) -> slicer.vtkMRMLSegmentationNode:
    """Show a rater's outlines, made anew only where another entry of the journal was shown."""
    node = rater_node(scan.GetScene(), entry.rater)
    if node is None or shown_entry(node) != entry.hash:
        number = journal.raters.index(entry.rater)
        node = rater_to_node(said.labels, said.table, scan, rater=entry.rater, entry=entry.hash, number=number)
    node.SetDisplayVisibility(True)
    return node


def _labels_at(consensus: Consensus, threshold: float) -> Volume:
    return Volume(consensus.at(threshold), consensus.grid, name="consensus")
