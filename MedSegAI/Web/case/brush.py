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
    """The tool that mouse strokes in the views use, on one segment of one segmentation, or on strokes for it.

    Args:
        editor: The segment editor.
        undo_stack: Where its strokes are remembered; the session's own.
    """

    def __init__(self, editor: SegmentationEditor, undo_stack: UndoStack) -> None:
        self._editor = editor
        self._undo_stack = undo_stack
        self._segment_beside_strokes: str | None = None

    @property
    def tool(self) -> str:
        """ "none", "paint" or "erase"; while strokes are drawn, the ID of their segment."""
        if self._segment_beside_strokes is not None:
            return self._editor.active_segment_id
        active = self._editor.active_effect_name
        return next((name for name, effect in TOOLS.items() if effect.get_effect_name() == active), "none")

    @property
    def segment(self) -> str:
        """ID of the segment that is worked on, also while strokes are drawn for it; empty where there is none."""
        beside = self._segment_beside_strokes
        return self._editor.active_segment_id if beside is None else beside

    def work_on(
        self, segmentation: slicer.vtkMRMLSegmentationNode | None, scan: slicer.vtkMRMLScalarVolumeNode | None
    ) -> None:
        """Let strokes go to this segmentation of this scan, once a tool is taken up; None where there is none."""
        editor = self._editor
        kept, self._segment_beside_strokes = self.segment, None
        if segmentation is None or scan is None:
            if editor.active_segmentation is not None:
                self._put_down()
            return
        if self._is_on(segmentation, scan):
            return
        self._take_up(segmentation, scan)
        if kept in editor.get_segment_ids():
            self.choose_segment(kept)

    def draw_strokes(
        self, strokes: slicer.vtkMRMLSegmentationNode, scan: slicer.vtkMRMLScalarVolumeNode, *, kind: str
    ) -> None:
        """Let the brush draw into this segment of the strokes, until :meth:`work_on` leads it back to a result."""
        beside = self.segment
        if not self._is_on(strokes, scan):
            self._take_up(strokes, scan)
        self._segment_beside_strokes = beside
        self._editor.set_active_segment_id(kind)
        self.choose_tool("paint")

    def draws_strokes_in(
        self, strokes: slicer.vtkMRMLSegmentationNode | None, scan: slicer.vtkMRMLScalarVolumeNode | None
    ) -> bool:
        """Whether the brush draws into these strokes on this scan."""
        drawing = self._segment_beside_strokes is not None and strokes is not None
        return drawing and self._is_on(strokes, scan)

    def choose_tool(self, tool: str) -> None:
        """Take up "paint" or "erase", or "none" to move through the scan again."""
        if self._editor.active_segmentation is not None:
            self._editor.set_active_effect_type(TOOLS.get(tool, SegmentationEffectNoTool))

    def choose_segment(self, segment: str) -> None:
        """Let brush and eraser change this segment; strokes that are being drawn go on, and are for it."""
        if self._segment_beside_strokes is not None:
            self._segment_beside_strokes = segment
            return
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

    def _is_on(self, node: slicer.vtkMRMLSegmentationNode | None, scan: slicer.vtkMRMLScalarVolumeNode | None) -> bool:
        return self._editor.active_segmentation_node is node and self._editor.active_volume_node is scan

    def _take_up(self, node: slicer.vtkMRMLSegmentationNode, scan: slicer.vtkMRMLScalarVolumeNode) -> None:
        self._put_down()
        # Without this the editor throws away the 3D surfaces that the session has made.
        self._editor.set_surface_representation_enabled(_has_surfaces(node))
        self._editor.set_active_segmentation(node, scan)
        self._editor.set_undo_stack(self._undo_stack)

    def _put_down(self) -> None:
        # The editor clears its undo stack whenever it changes the segmentation; that of the session must live on.
        self._editor.set_undo_stack(None)
        self._editor.clear()


def _has_surfaces(segmentation: slicer.vtkMRMLSegmentationNode) -> bool:
    name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    return segmentation.GetSegmentation().ContainsRepresentation(name)
