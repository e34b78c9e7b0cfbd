"""Correcting the current result: brush, eraser, and which segment they change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trame.widgets import html

from MedSegAI.Session.refinement import Refinement
from MedSegAI.Session.run import RunKind
from MedSegAI.Web.case.controls import button, choice, heading, note, slider, switch, tool_button
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "edit_title": "Correct",
    "edit_needs_result": "Segment the scan first; then the result can be corrected.",
    "edit_segment": "Segment to change",
    "edit_segment_tip": "Brush, eraser and refining change this segment only",
    "edit_none": "Move",
    "edit_none_tip": "No tool: scroll, move and zoom in the views (shortcut: N)",
    "edit_paint": "Brush",
    "edit_paint_tip": "Add to the segment with the left mouse button (shortcut: B)",
    "edit_erase": "Eraser",
    "edit_erase_tip": "Take away from the segment with the left mouse button (shortcut: E)",
    "edit_size": "Brush diameter in mm",
    "edit_size_tip": "Also Shift and the mouse wheel in a slice",
    "edit_sphere": "Sphere brush",
    "edit_sphere_tip": "Change neighbouring slices, too",
    "edit_largest": "Keep largest piece",
    "edit_largest_tip": "Take away from the segment whatever does not hang together with its largest piece",
    "edit_in_3d": "Segments in 3D",
    "edit_in_3d_tip": "Show the segments' surfaces in 3D; made anew after each stroke",
}
_TOOLS = {"none": "mdi-cursor-move", "paint": "mdi-brush", "erase": "mdi-eraser"}
_LARGEST_BRUSH_MM = 30


@dataclass
class EditState:
    """What the panel shows."""

    possible: bool = False
    tool: str = "none"
    segment: str = ""
    segments: list[dict[str, str]] = field(default_factory=list)
    diameter_mm: float = 4.0
    sphere: bool = False
    in_3d: bool = True
    on_strokes: bool = False


class EditPanel(Panel[EditState]):
    """The tools that correct a result."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, EditState)
        self._refinement = Refinement(case.session)

    def build(self) -> None:
        """Add the tools."""
        names = self.names
        heading("edit_title")
        note("t.edit_needs_result", shown_if=f"!{names.possible}")
        choice(
            "edit-segment",
            model=names.segment,
            items=names.segments,
            disabled=(f"!{names.possible}",),
            update_modelValue=(self.acts(self._choose_segment), "[$event]"),
        )
        with html.Div(classes="d-flex ga-1 mt-3", raw_attrs=['role="group"']):
            for tool, icon in _TOOLS.items():
                tool_button(
                    f"edit-{tool}",
                    tool=tool,
                    chosen=names.tool,
                    icon=icon,
                    click=self.acts(self.choose_tool),
                    disabled=f"!{names.possible}",
                )
        slider(
            "edit-size",
            model=names.diameter_mm,
            low=1,
            high=_LARGEST_BRUSH_MM,
            step=0.5,
            update_modelValue=(self.acts(self._set_size), "[$event]"),
        )
        switch("edit-sphere", model=names.sphere, update_modelValue=(self.acts(self._set_sphere), "[$event]"))
        with html.Div(classes="mt-1"):
            button(
                "edit-largest",
                icon="mdi-scatter-plot-outline",
                click=self.acts(self._keep_largest_piece),
                disabled=(f"!{names.possible}",),
            )
        switch(
            "edit-in-3d",
            model=names.in_3d,
            disabled=(names.on_strokes,),
            update_modelValue=(self.acts(self._show_in_3d), "[$event]"),
        )

    def refresh(self) -> None:
        """Take over which segmentation there is to correct; the tool follows it."""
        session, brush, shown = self.session, self.case.brush, self.shown
        # While a result is being brought in, its surfaces are not complete: the editor would make all of them at once.
        if not session.is_busy:
            if session.segmentation is None or not self._draws_strokes():
                brush.work_on(session.segmentation, session.scan)
            if session.segmentation is not None:
                brush.set_size(shown.diameter_mm, sphere=shown.sphere)
        shown.possible = session.segmentation is not None
        shown.segments = [{"title": row.name, "value": row.key} for row in session.rows]
        shown.segment, shown.tool = brush.segment, brush.tool
        shown.on_strokes = self._draws_strokes()
        if not shown.on_strokes:
            shown.in_3d = brush.surfaces_shown

    def choose_tool(self, tool: str) -> None:
        """Take up "paint", "erase" or "none", on the result; none while it is being refined."""
        self._leave_strokes()
        run = self.session.run
        if not (self.session.is_busy and run is not None and run.kind is RunKind.REFINE):
            self.case.brush.choose_tool(tool)
        self.shown.tool = self.case.brush.tool

    def _draws_strokes(self) -> bool:
        return self.case.brush.draws_strokes_in(self._refinement.strokes, self.session.scan)

    def _leave_strokes(self) -> None:
        if self._draws_strokes():
            self.case.brush.work_on(self.session.segmentation, self.session.scan)
            self.case.brush.set_size(self.shown.diameter_mm, sphere=self.shown.sphere)

    def _keep_largest_piece(self) -> None:
        self._leave_strokes()
        self.case.brush.keep_largest_piece()

    def _choose_segment(self, segment: str) -> None:
        self.case.brush.choose_segment(segment)

    def _set_size(self, diameter_mm: float) -> None:
        self.case.brush.set_size(float(diameter_mm), sphere=self.shown.sphere)

    def _set_sphere(self, sphere: bool) -> None:
        self.case.brush.set_size(self.shown.diameter_mm, sphere=sphere)

    def _show_in_3d(self, shown: bool) -> None:
        self.case.brush.set_surfaces_shown(shown)
