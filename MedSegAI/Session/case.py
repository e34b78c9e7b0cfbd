"""What a case consists of, to be read: its scene, the user's choices, and which nodes are its scans and results."""

from __future__ import annotations

import slicer

from MedSegAI.Bridge.segment_rows import SegmentRow, segment_rows
from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Logic.models.registry import Model, find_model
from MedSegAI.Session import case_results
from MedSegAI.Session.case_state import CaseState
from MedSegAI.Session.choices import Choices
from MedSegAI.Session.input_slots import InputSlot, input_role, input_slots
from MedSegAI.Session.prepared_scans import stages_of


class Case:
    """One case in one scene, read from the scene each time it is asked.

    Args:
        scene: The scene.
        state: What the scene's parameter node says of it.
    """

    def __init__(self, scene: slicer.vtkMRMLScene, state: CaseState) -> None:
        self._scene = scene
        self.state = state

    @property
    def scene(self) -> slicer.vtkMRMLScene:
        """The case's scene."""
        return self._scene

    @property
    def choices(self) -> Choices:
        """What the user has chosen."""
        return self.state.choices

    @property
    def model(self) -> Model:
        """The chosen model.

        Raises:
            ModelError: if it is not installed, or its card cannot be read.
        """
        return find_model(self.choices.model)

    @property
    def inputs(self) -> tuple[InputSlot, ...]:
        """One slot for each scan that the model takes; none where the model cannot be read."""
        try:
            return input_slots(self.model.card, self.state.node, same_space=self.choices.same_space)
        except MedSegAIError:
            return ()

    @property
    def scan(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """The first input's volume node."""
        return self.state.referenced(input_role(0))

    @property
    def viewed_index(self) -> int:
        """Which of the model's inputs the slices show: the chosen one where it has a scan, else the first."""
        index = self.choices.view_input
        # Another model may take fewer scans; the others stay referred to for when it is chosen again.
        if 0 < index < self._count_of_inputs() and self.state.referenced(input_role(index)) is not None:
            return index
        return 0

    def _count_of_inputs(self) -> int:
        try:
            return len(self.model.card.inputs)
        except MedSegAIError:
            return 1

    @property
    def viewed_input(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """The scan of that input, which is the one that is prepared."""
        return self.state.referenced(input_role(self.viewed_index))

    @property
    def viewed_volume(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """What of it the slices show: the scan, what it was before its preparation, or an extra of that."""
        node = self.viewed_input
        return None if node is None else stages_of(node).get(self.choices.view_stage, node)

    @property
    def segmentation(self) -> slicer.vtkMRMLSegmentationNode | None:
        """The current result."""
        return self.state.referenced(case_results.SEGMENTATION)

    @property
    def heat_map(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """The current heat map."""
        return self.state.referenced(case_results.HEAT_MAP)

    @property
    def consensus(self) -> slicer.vtkMRMLSegmentationNode | None:
        """What was fused from several raters of this scan; None while another scan is chosen."""
        node = self.state.referenced(case_results.CONSENSUS)
        is_of_scan = node is not None and case_results.scan_of(node) is self.scan
        return node if is_of_scan else None

    @property
    def disagreement(self) -> slicer.vtkMRMLScalarVolumeNode | None:
        """The map of where those raters disagree; None while another scan is chosen."""
        return None if self.consensus is None else self.state.referenced(case_results.DISAGREEMENT)

    @property
    def roi(self) -> slicer.vtkMRMLMarkupsROINode | None:
        """The box for :attr:`RegionChoice.ROI`."""
        return self.state.referenced(case_results.ROI)

    @property
    def point(self) -> slicer.vtkMRMLMarkupsFiducialNode | None:
        """The point for :attr:`RegionChoice.POINT`."""
        return self.state.referenced(case_results.POINT)

    @property
    def rows(self) -> tuple[SegmentRow, ...]:
        """The current result's segments, with their volumes."""
        return () if self.segmentation is None else segment_rows(self.segmentation)
