"""The panel that mends a segment near a few strokes."""

from __future__ import annotations

import types

from slicer.i18n import tr as _

from MedSegAI.Session.refinement import Refinement
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.problem_line import problems_shown_in, show_sentence
from MedSegAI.Widgets.quiet_widgets import show_choices
from MedSegAI.Widgets.results_panel import open_segment_editor
from MedSegAI.Widgets.segment_choices import segment_choices


class RefinePanel:
    """Lets the user draw strokes and refines a segment by them.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        self._refinement = Refinement(session)
        ui.drawStrokesButton.connect("clicked(bool)", self._draw)
        ui.refineButton.connect("clicked(bool)", self._refine)

    def refresh(self) -> None:
        """Offer the segments, and what can be done with them now."""
        session, ui = self._session, self._ui
        segments = segment_choices(session.segmentation)
        keys = [key for _name, key in segments]
        chosen = ui.refineCombo.currentData
        show_choices(ui.refineCombo, segments, chosen=chosen if chosen in keys else next(iter(keys), ""))
        possible = bool(segments) and session.scan is not None and not session.is_busy
        ui.refineCombo.setEnabled(possible)
        ui.drawStrokesButton.setEnabled(possible)
        ui.refineButton.setEnabled(possible and self._refinement.strokes is not None)
        show_sentence(ui.refineNote, self._note(can_be_drawn=bool(segments)))

    def _note(self, *, can_be_drawn: bool) -> str:
        if not can_be_drawn:
            return _("Segment the scan first.")
        if self._refinement.strokes is None:
            return _("Draw a few strokes inside and outside of the segment, then refine.")
        return ""

    def _draw(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            strokes = self._refinement.place_strokes()
            if not open_segment_editor(strokes, self._session.scan):
                show_sentence(self._ui.problemLabel, _("Slicer's Segment Editor is not available here."))

    def _refine(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._refinement.start_refine(self._ui.refineCombo.currentData)
