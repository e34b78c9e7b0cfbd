"""The two dialogs: something that went wrong, and a question before something is replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Web.case.controls import button
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "error_title": "This did not work",
    "error_close": "Close",
    "error_close_tip": "Close this message",
    "question_title": "Please confirm",
    "question_yes": "Go on",
    "question_yes_tip": "Go on as described",
    "question_no": "Cancel",
    "question_no_tip": "Leave everything as it is",
    "error_upload": "The upload did not arrive.",
}


@dataclass
class DialogsState:
    """What the dialogs show."""

    error_open: bool = False
    problem: str = ""
    advice: str = ""
    question_open: bool = False
    question: str = ""


class Dialogs(Panel[DialogsState]):
    """The error dialog and the question dialog."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, DialogsState)
        self._go_on: Callable[[], object] | None = None

    def build(self) -> None:
        """Add both, closed."""
        names = self.names
        with (
            vuetify.VDialog(v_model=(names.error_open,), max_width=520),
            vuetify.VCard(title=("t.error_title",), raw_attrs=['data-testid="error-dialog"', 'role="alertdialog"']),
        ):
            with vuetify.VCardText():
                html.Div(f"{{{{ {names.problem} }}}}", raw_attrs=['data-testid="error-problem"'])
                html.Div(f"{{{{ {names.advice} }}}}", classes="mt-2", raw_attrs=['data-testid="error-advice"'])
            with vuetify.VCardActions():
                vuetify.VSpacer()
                button("error-close", click=f"{names.error_open} = false", variant="text")
        with (
            vuetify.VDialog(v_model=(names.question_open,), max_width=520, persistent=True),
            vuetify.VCard(title=("t.question_title",), raw_attrs=['data-testid="question-dialog"']),
        ):
            vuetify.VCardText(f"{{{{ {names.question} }}}}")
            with vuetify.VCardActions():
                vuetify.VSpacer()
                button("question-no", click=f"{names.question_open} = false", variant="text")
                button("question-yes", click=self._answered_yes, variant="tonal", color="primary")

    def refresh(self) -> None:
        """Nothing here depends on the session."""

    def show_error(self, error: MedSegAIError) -> None:
        """Show what is wrong and what to do about it."""
        shorten = self.case.files.without_folder
        self.shown.problem, self.shown.advice = shorten(error.problem), shorten(error.advice)
        self.shown.error_open = True

    def ask(self, question: str, go_on: Callable[[], object]) -> None:
        """Ask, and call ``go_on`` if the answer is yes."""
        self._go_on = go_on
        self.shown.question, self.shown.question_open = question, True

    def _answered_yes(self) -> None:
        self.shown.question_open = False
        if self._go_on is not None:
            go_on, self._go_on = self._go_on, None
            self.case.attempt(go_on)
