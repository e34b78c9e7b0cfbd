"""Correcting the current result: brush, eraser, and which segment they change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Web.case.controls import button, choice, heading, hint, marks, note, slider, switch
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "edit_title": "Correct",
    "edit_needs_result": "Segment the scan first; then the result can be corrected.",
    "edit_segment": "Segment to change",
    "edit_segment_tip": "Brush and eraser change this segment only",
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


class EditPanel(Panel[EditState]):
    """The tools that correct a result."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, EditState)

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
                self._tool_button(tool, icon)
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
                click=self.acts(lambda: self.case.brush.keep_largest_piece()),
                disabled=(f"!{names.possible}",),
            )
        switch("edit-in-3d", model=names.in_3d, update_modelValue=(self.acts(self._show_in_3d), "[$event]"))

    def refresh(self) -> None:
        """Take over which segmentation there is to correct; the tool follows it."""
        session, brush, shown = self.session, self.case.brush, self.shown
        # While a result is being brought in, its surfaces are not complete: the editor would make all of them at once.
        if not session.is_busy:
            brush.work_on(session.segmentation, session.scan)
            if session.segmentation is not None:
                brush.set_size(shown.diameter_mm, sphere=shown.sphere)
        shown.possible = session.segmentation is not None
        shown.segments = [{"title": row.name, "value": row.key} for row in session.rows]
        shown.segment, shown.tool = brush.segment, brush.tool
        shown.in_3d = brush.surfaces_shown

    def choose_tool(self, tool: str) -> None:
        """Take up "paint", "erase" or "none"."""
        self.case.brush.choose_tool(tool)
        self.shown.tool = self.case.brush.tool

    def _tool_button(self, tool: str, icon: str) -> None:
        names, text = self.names, f"edit_{tool}"
        with vuetify.VBtn(
            click=(self.acts(self.choose_tool), f"['{tool}']"),
            variant=(f"{names.tool} === '{tool}' ? 'flat' : 'tonal'",),
            color=(f"{names.tool} === '{tool}' ? 'primary' : undefined",),
            disabled=(f"!{names.possible}",),
            size="small",
            raw_attrs=[*marks(f"edit-{tool}", text)["raw_attrs"], f":aria-pressed=\"{names.tool} === '{tool}'\""],
        ):
            vuetify.VIcon(icon, start=True)
            html.Span(f"{{{{ t.{text} }}}}")
            hint(f"{text}_tip", location="top")

    def _choose_segment(self, segment: str) -> None:
        self.case.brush.choose_segment(segment)

    def _set_size(self, diameter_mm: float) -> None:
        self.case.brush.set_size(float(diameter_mm), sphere=self.shown.sphere)

    def _set_sphere(self, sphere: bool) -> None:
        self.case.brush.set_size(self.shown.diameter_mm, sphere=sphere)

    def _show_in_3d(self, shown: bool) -> None:
        self.case.brush.set_surfaces_shown(shown)
