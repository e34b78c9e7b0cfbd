"""What of a segmentation is finished, shown while the rest is being computed."""

from __future__ import annotations

import logging

import slicer

from MedSegAI.Bridge.growing_segmentation import PartLabels, growing_node, write_part
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Session.case_state import CaseState
from MedSegAI.Session.run import Run

_log = logging.getLogger(__name__)


class GrowingSegmentation:
    """A node that stands in for the result while it grows; in the scene from the first part on.

    Args:
        state: The case; it is told when the node comes and goes.
        scan: The scan that is segmented.
        grid: Its grid, LPS mm.
        table: The labels that may come.
    """

    def __init__(
        self, state: CaseState, scan: slicer.vtkMRMLScalarVolumeNode, *, grid: Grid, table: LabelTable
    ) -> None:
        self._state, self._scan, self._grid, self._table = state, scan, grid, table
        self._node: slicer.vtkMRMLSegmentationNode | None = None
        self._gone = False

    def show(self, box: Box, labels: PartLabels, *, run: Run) -> None:
        """Write a part (a box of the scan's grid, its uint8 labels) into the scene.

        What goes wrong here is only logged, and nothing more is shown: the result itself is still to come.
        """
        try:
            if not self._gone and self._scan.GetScene() is not None:
                self._write(box, labels)
                run.parts += 1
        except Exception:
            _log.exception("The growing result cannot be shown.")
            self.remove()

    def remove(self) -> None:
        """Take the node out of the scene, for good, and show again what was there before."""
        if self.take_out():
            self._state.show_again()

    def take_out(self) -> bool:
        """Take the node out of the scene, for good; whether there was one."""
        self._gone = True
        node, self._node = self._node, None
        if node is None or node.GetScene() is None:
            return False
        node.GetScene().RemoveNode(node)
        return True

    def _write(self, box: Box, labels: PartLabels) -> None:
        if self._node is not None:
            write_part(self._node, box, labels)
            return
        name = f"{self._scan.GetName()} segmentation, growing"
        scene = self._scan.GetScene()
        self._node = growing_node(self._table, scene, grid=self._grid, reference=self._scan, name=name)
        write_part(self._node, box, labels)
        self._state.show_again()
