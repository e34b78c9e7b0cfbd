"""Correcting the current result with trame-slicer's segment editor, on the session's one undo stack."""

from __future__ import annotations

import slicer
from trame_slicer.core import SegmentationEditor
from trame_slicer.segmentation import (
    BrushDiameterMode,
    SegmentationEffectErase,
    SegmentationEffectIslands,
    SegmentationEffectNoTool,
    SegmentationEffectPaint,
)
from undo_stack import UndoStack

TOOLS = {"none": SegmentationEffectNoTool, "paint": SegmentationEffectPaint, "erase": SegmentationEffectErase}


class Brush:
    """The tool that mouse strokes in the views use, on one segment of one segmentation.

    Args:
        editor: The segment editor.
        undo_stack: Where its strokes are remembered; the session's own.
    """

    def __init__(self, editor: SegmentationEditor, undo_stack: UndoStack) -> None:
        self._editor = editor
        self._undo_stack = undo_stack

    @property
    def tool(self) -> str:
        """ "none", "paint" or "erase"."""
        active = self._editor.active_effect_name
        return next((name for name, effect in TOOLS.items() if effect.get_effect_name() == active), "none")

    @property
    def segment(self) -> str:
        """ID of the segment that strokes change; empty where there is none."""
        return self._editor.active_segment_id

    def work_on(
        self, segmentation: slicer.vtkMRMLSegmentationNode | None, scan: slicer.vtkMRMLScalarVolumeNode | None
    ) -> None:
        """Let strokes go to this segmentation of this scan, once a tool is taken up; None where there is none."""
        editor = self._editor
        if segmentation is None or scan is None:
            if editor.active_segmentation is not None:
                self._put_down()
            return
        if editor.active_segmentation_node is segmentation and editor.active_volume_node is scan:
            return
        kept = self.segment
        self._put_down()
        # Without this the editor throws away the 3D surfaces that the session has made.
        editor.set_surface_representation_enabled(_has_surfaces(segmentation))
        editor.set_active_segmentation(segmentation, scan)
        editor.set_undo_stack(self._undo_stack)
        if kept in editor.get_segment_ids():
            self.choose_segment(kept)

    def choose_tool(self, tool: str) -> None:
        """Take up "paint" or "erase", or "none" to move through the scan again."""
        if self._editor.active_segmentation is not None:
            self._editor.set_active_effect_type(TOOLS.get(tool, SegmentationEffectNoTool))

    def choose_segment(self, segment: str) -> None:
        """Let strokes change this segment."""
        tool = self.tool
        self._editor.set_active_segment_id(segment)
        self.choose_tool(tool)

    def set_size(self, diameter_mm: float, *, sphere: bool) -> None:
        """Diameter of the brush in mm, in the slice or, as a sphere, in all slices around it too."""
        for effect_type in (SegmentationEffectPaint, SegmentationEffectErase):
            effect = self._editor.get_effect(effect_type)
            effect.set_brush_diameter(diameter_mm, BrushDiameterMode.Absolute)
            effect.set_use_sphere_brush(sphere)

    def keep_largest_piece(self) -> None:
        """Take away from the segment whatever does not hang together with its largest piece; in one undo state."""
        tool = self.tool
        effect = self._editor.set_active_effect_type(SegmentationEffectIslands)
        effect.keep_largest_island()
        self.choose_tool(tool)

    def set_surfaces_shown(self, shown: bool) -> None:
        """Whether the segments show in 3D, kept up to date with every stroke."""
        self._editor.set_surface_representation_enabled(shown)

    @property
    def surfaces_shown(self) -> bool:
        """Whether the segments have surfaces to show in 3D."""
        return self._editor.is_surface_representation_enabled()

    def _put_down(self) -> None:
        # The editor clears its undo stack whenever it changes the segmentation; that of the session must live on.
        self._editor.set_undo_stack(None)
        self._editor.clear()


def _has_surfaces(segmentation: slicer.vtkMRMLSegmentationNode) -> bool:
    name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    return segmentation.GetSegmentation().ContainsRepresentation(name)
