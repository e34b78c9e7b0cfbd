"""Segment, with progress, time left, what the worker says, and cancel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Session.run import Outcome, Run
from MedSegAI.Web.case.controls import button, note
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "run_segment": "Segment",
    "run_segment_tip": "Segment the scan; earlier results are kept (shortcut: S)",
    "run_cancel": "Cancel",
    "run_cancel_tip": "Stop what is being computed (shortcut: Esc)",
    "run_progress": "Progress",
    "run_starting": "Starting",
    "run_finishing": "Showing the result",
    "run_left": "{} s left",
    "run_done": "Done in",
    "run_cancelled": "Cancelled",
    "run_failed": "Failed",
    "run_stopping": "Stopping",
    "run_details": "Details",
}


@dataclass
class RunState:
    """What the panel shows."""

    busy: bool = False
    kind: str = ""
    outcome: str = ""
    stage: str = ""
    finishing: bool = False
    percent: int = 0
    counted: bool = False
    seconds: float = 0.0
    seconds_left: float = -1.0
    messages: list[str] = field(default_factory=list)
    obstacle: str = ""
    by_pointing: bool = False


class RunPanel(Panel[RunState]):
    """The button that segments, and the state of the work under way."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, RunState)
        self._told: Run | None = None

    def build(self) -> None:
        """Add the button, and why it cannot be pressed."""
        names = self.names
        with html.Div(v_show=(f"!{names.by_pointing}",)):
            button(
                "run-segment",
                icon="mdi-play",
                click=self.acts(self.segment),
                color="primary",
                variant="flat",
                size="default",
                classes="mt-4",
                disabled=(f"{names.busy} || !!{names.obstacle}",),
            )
            note(names.obstacle, testid="run-obstacle", shown_if=f"!!{names.obstacle}")

    def build_progress(self) -> None:
        """Add what is seen whatever else the drawer shows: the bar, the worker's sentences, and cancel."""
        names = self.names
        with html.Div(v_show=(f"!!{names.outcome}",), classes="px-4 py-2", style="border-top:1px solid #223"):
            vuetify.VProgressLinear(
                v_show=(names.busy,),
                model_value=(names.percent,),
                indeterminate=(f"!{names.counted}",),
                height=6,
                rounded=True,
                color="primary",
                raw_attrs=['data-testid="run-progress"', ':aria-label="t.run_progress"'],
            )
            with html.Div(classes="d-flex align-center justify-space-between"):
                note(_sentence(names), testid="run-status")
                button(
                    "run-cancel",
                    icon="mdi-stop",
                    click=self.acts(lambda: self.session.cancel()),
                    v_show=(names.busy,),
                    disabled=(f"{names.outcome} === 'stopping' || {names.finishing}",),
                    classes="mt-1",
                )
            with html.Details(v_show=(f"{names.messages}.length > 0",), classes="text-caption text-medium-emphasis"):
                html.Summary("{{ t.run_details }}", style="cursor:pointer")
                html.Div(
                    f"{{{{ {names.messages}.join('\\n') }}}}",
                    style="white-space:pre-wrap;max-height:30vh;overflow:auto",
                    raw_attrs=['data-testid="run-messages"'],
                )

    def refresh(self) -> None:
        """Take over how the work stands; tell once of a failure."""
        shown, run = self.shown, self.session.run
        shown.busy = self.session.is_busy
        shown.obstacle = "" if shown.busy else self.session.obstacle()
        shown.by_pointing = self._is_by_pointing()
        if run is None:
            return
        shown.kind, shown.outcome, shown.stage = run.kind.value, run.outcome.value, run.stage
        shown.finishing = run.is_finishing
        shown.percent, shown.counted = run.percent, run.total > 0 and not run.is_finishing
        shown.seconds = round(run.seconds, 1)
        shown.seconds_left = -1.0 if run.seconds_left is None else float(round(run.seconds_left))
        shown.messages = list(run.messages)
        if run.outcome is Outcome.FAILED and run is not self._told:
            self._told = run
            self.case.dialogs.show_error(run.error)

    def _is_by_pointing(self) -> bool:
        try:
            return self.session.model.card.needs_point
        except MedSegAIError:
            return False

    def segment(self) -> None:
        """Begin, after a question where a corrected result would be replaced on the screen."""
        # The second click of a double click comes before the page has learnt of the run that the first one began.
        if self.session.is_busy:
            return
        question = self.session.question()
        if question:
            self.case.dialogs.ask(question, self.session.start_segment)
        else:
            self.session.start_segment()


def _sentence(names: RunState) -> str:
    """The expression for the line under the bar."""
    left = f"({names.seconds_left} >= 0 ? ', ' + t.run_left.replace('{{}}', {names.seconds_left}) : '')"
    percent = f"({names.counted} ? ' ' + {names.percent} + '%' : '')"
    done = f"t.run_done + ' ' + {names.seconds} + ' s'"
    ended = f"{names.outcome} === 'done' ? {done} : (t['run_' + {names.outcome}] || '')"
    counting = f"({names.stage} || t.run_starting) + {percent} + {left}"
    working = f"{names.finishing} ? t.run_finishing : {counting}"
    going = f"{names.outcome} === 'stopping' ? t.run_stopping : ({working})"
    return f"{names.busy} ? ({going}) : ({ended})"
