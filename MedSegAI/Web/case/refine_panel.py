"""Mending the segment to change near a few strokes that say what belongs to it and what does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trame.widgets import html

from MedSegAI.Session.refinement import Refinement
from MedSegAI.Web.case.controls import button, heading, note, tool_button
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "refine_title": "Refine from strokes",
    "refine_note": "Draw a few strokes inside and outside of the segment, then refine.",
    "refine_inside": "Belongs to it",
    "refine_inside_tip": "Draw strokes with the left mouse button where the segment should be",
    "refine_outside": "Does not belong",
    "refine_outside_tip": "Draw strokes with the left mouse button where the segment should not be",
    "refine_start": "Refine",
    "refine_start_tip": "Mend the segment near the strokes; they vanish then, and one undo brings both back",
}
# By the segments of the strokes' node.
_KINDS = {"inside": "mdi-plus-circle-outline", "outside": "mdi-minus-circle-outline"}


@dataclass
class RefineState:
    """What the panel shows."""

    can_draw: bool = False
    can_refine: bool = False
    tool: str = "none"


class RefinePanel(Panel[RefineState]):
    """The two kinds of strokes, and the button that refines by them."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, RefineState)
        self._refinement = Refinement(case.session)

    def build(self) -> None:
        """Add the tools and the button."""
        names = self.names
        heading("refine_title")
        note("t.refine_note")
        with html.Div(classes="d-flex ga-1 mt-2", raw_attrs=['role="group"']):
            for kind, icon in _KINDS.items():
                tool_button(
                    f"refine-{kind}",
                    tool=kind,
                    chosen=names.tool,
                    icon=icon,
                    click=self.acts(self._draw),
                    disabled=f"!{names.can_draw}",
                )
        with html.Div(classes="mt-2"):
            button(
                "refine-start",
                icon="mdi-auto-fix",
                click=self.acts(self._refine),
                disabled=(f"!{names.can_refine}",),
            )

    def refresh(self) -> None:
        """Take over whether strokes can be drawn, and whether there are any to refine by."""
        session, shown = self.session, self.shown
        shown.can_draw = session.segmentation is not None and session.scan is not None and not session.is_busy
        shown.can_refine = shown.can_draw and self._refinement.strokes is not None
        shown.tool = self.case.brush.tool

    def _draw(self, kind: str) -> None:
        self.case.brush.draw_strokes(self._refinement.place_strokes(), self.session.scan, kind=kind)

    def _refine(self) -> None:
        # What is painted while the work goes on would be written over by it.
        brush = self.case.brush
        brush.work_on(self.session.segmentation, self.session.scan)
        brush.choose_tool("none")
        self._refinement.start_refine(brush.segment)
