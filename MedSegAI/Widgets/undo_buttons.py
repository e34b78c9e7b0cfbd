"""The undo and redo buttons in the panel's top row."""

from __future__ import annotations

import types

from slicer.i18n import tr as _

from MedSegAI.Session.session import Session
from MedSegAI.Widgets.problem_line import problems_shown_in


class UndoButtons:
    """Take back and do again what the session's undo stack holds.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        ui.undoButton.connect("clicked(bool)", self.undo)
        ui.redoButton.connect("clicked(bool)", self.redo)

    def refresh(self) -> None:
        """Show whether there is anything to undo or redo, and what."""
        stack = self._session.undo_stack
        self._ui.undoButton.setEnabled(stack.can_undo())
        self._ui.redoButton.setEnabled(stack.can_redo())
        undo = _("Undo: {action} (Ctrl+Z)").format(action=stack.undo_text())
        redo = _("Redo: {action} (Ctrl+Y)").format(action=stack.redo_text())
        self._ui.undoButton.setToolTip(undo if stack.can_undo() else _("Nothing to undo"))
        self._ui.redoButton.setToolTip(redo if stack.can_redo() else _("Nothing to redo"))

    def undo(self, _checked: bool = False) -> None:
        """Take back the last action."""
        with problems_shown_in(self._ui.problemLabel):
            self._session.undo()

    def redo(self, _checked: bool = False) -> None:
        """Do again what was taken back last."""
        with problems_shown_in(self._ui.problemLabel):
            self._session.redo()
