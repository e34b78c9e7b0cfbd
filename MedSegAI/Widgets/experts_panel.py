"""The panel of several experts: who corrects, keeping a correction, masks from elsewhere, and everybody's so far."""

from __future__ import annotations

import types
from pathlib import Path

import qt
from slicer.i18n import tr as _

from MedSegAI.Logic.corrections.entry import Status
from MedSegAI.Logic.corrections.record import Rater
from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Session.begin_anew import begin_anew
from MedSegAI.Session.expert_review import ExpertReview
from MedSegAI.Session.run import Outcome, Run
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.problem_line import problems_shown_in, show_sentence
from MedSegAI.Widgets.raters_table import RatersTable


class ExpertsPanel:
    """Keeps and lists the experts' corrections of a case.

    Args:
        ui: The widgets by name.
        session: The case.
        review: Its experts.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session, review: ExpertReview) -> None:
        self._ui, self._session, self._review = ui, session, review
        self._table = RatersTable(ui, session, review)
        self._saving: Run | None = None
        self._edits = {"rater": ui.raterEdit, "rater_role": ui.raterRoleEdit, "journal": ui.journalEdit}
        for edit in self._edits.values():
            edit.connect("editingFinished()", self._choose)
        ui.journalButton.connect("clicked(bool)", self._ask_for_folder)
        ui.saveDraftButton.connect("clicked(bool)", lambda _checked: self._save(Status.DRAFT))
        ui.saveFinalButton.connect("clicked(bool)", lambda _checked: self._save(Status.FINAL))
        ui.importMaskButton.connect("clicked(bool)", self._import)
        ui.startAnewButton.connect("clicked(bool)", self._begin_anew)
        ui.expertsSection.connect("contentsCollapsed(bool)", lambda _collapsed: self.refresh())

    def refresh(self) -> None:
        """Show who corrects, and what lies in the case's folder."""
        session, ui = self._session, self._ui
        for name, edit in self._edits.items():
            _show_text(edit, getattr(session.choices, name))
        ui.journalEdit.setPlaceholderText(str(self._review.folder))
        self._forget_what_was_kept()
        possible = session.segmentation is not None and session.scan is not None and not session.is_busy
        for button in (ui.saveDraftButton, ui.saveFinalButton, ui.importMaskButton, ui.startAnewButton):
            button.setEnabled(possible)
        # The folder may lie far away, so it is only read while somebody looks.
        if not ui.expertsSection.collapsed:
            self._show_raters()

    def _show_raters(self) -> None:
        rows, note, style = (), "", "color: #c0392b"
        try:
            rows, note = self._review.rows(), self._review.journal().note
            style = ""
        except MedSegAIError as error:
            note = str(error)
        except OSError as error:
            note = _("The folder of corrections cannot be read: {reason}.").format(reason=error)
        self._ui.journalNote.setStyleSheet(style)
        show_sentence(self._ui.journalNote, note)
        self._table.refresh(rows)

    def _forget_what_was_kept(self) -> None:
        """Empty the comment once it is in the journal; where that failed, it stays for the next try."""
        if self._saving is not None and not self._saving.is_under_way:
            if self._saving.outcome is Outcome.DONE:
                self._ui.commentEdit.setText("")
            self._saving = None

    def _choose(self) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._take_what_was_typed()

    def _take_what_was_typed(self) -> None:
        typed = {name: edit.text.strip() for name, edit in self._edits.items()}
        if typed["journal"]:
            typed["journal"] = str(Path(typed["journal"]).expanduser())
        for edit in self._edits.values():
            edit.setModified(False)
        changed = {name: text for name, text in typed.items() if text != getattr(self._session.choices, name)}
        if changed:
            self._session.choose(**changed)

    def _ask_for_folder(self, _checked: bool = False) -> None:
        title = _("Choose the folder of this case's corrections")
        folder = qt.QFileDialog.getExistingDirectory(self._ui.expertsSection, title, str(self._review.folder))
        if folder:
            with problems_shown_in(self._ui.problemLabel):
                self._session.choose(journal=folder)

    def _save(self, status: Status) -> None:
        with problems_shown_in(self._ui.problemLabel):
            # A click on a button does not take the focus from a line on every system.
            self._take_what_was_typed()
            self._saving = self._review.start_record(status, comment=self._ui.commentEdit.text.strip())

    def _begin_anew(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            begin_anew(self._session)

    def _import(self, _checked: bool = False) -> None:
        kinds = _("Masks (*.nrrd *.nii *.nii.gz *.mha *.dcm)")
        path = qt.QFileDialog.getOpenFileName(self._ui.expertsSection, _("Choose a rater's mask"), "", kinds)
        if not path:
            return
        with problems_shown_in(self._ui.problemLabel):
            self._take_what_was_typed()
            choices = self._session.choices
            self._review.start_import(path, rater=Rater(choices.rater, choices.rater_role))


def _show_text(edit: qt.QLineEdit, text: str) -> None:
    """Show a text, unless a person is typing another one."""
    if not edit.modified and edit.text != text:
        edit.setText(text)
