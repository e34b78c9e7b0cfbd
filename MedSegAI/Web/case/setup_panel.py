"""What this computer has of the parts that are needed, asked of the worker on demand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Logic.doctor import Check, State
from MedSegAI.Web.case.controls import button
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "setup_title": "This computer",
    "setup_check": "Check",
    "setup_check_tip": "Look whether everything that is needed is installed: torch, GPU, OpenGL, models",
}
_SIGNS = {State.OK: "mdi-check", State.WARNING: "mdi-alert-outline", State.MISSING: "mdi-close"}


@dataclass
class SetupState:
    """What the panel shows."""

    checks: list[dict[str, str]] = field(default_factory=list)
    busy: bool = False


class SetupPanel(Panel[SetupState]):
    """The state of what is installed."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, SetupState)

    def build(self) -> None:
        """Add the button and the list, folded up."""
        names = self.names
        with html.Details(classes="mt-6", raw_attrs=['data-testid="setup"']):
            html.Summary("{{ t.setup_title }}", classes="text-subtitle-2", style="color:#8fd3c7;cursor:pointer")
            button(
                "setup-check",
                icon="mdi-stethoscope",
                click=self.acts(lambda: self.session.start_examine()),
                disabled=(names.busy,),
                classes="mt-2",
            )
            with html.Div(
                v_for=f"check in {names.checks}",
                key=("check.name",),
                classes="text-caption mt-2 d-flex",
                raw_attrs=['data-testid="setup-part"'],
            ):
                vuetify.VIcon("{{ check.sign }}", size="x-small", classes="mr-2 mt-1")
                with html.Div():
                    html.Div("{{ check.name }}: {{ check.found }}")
                    html.Div("{{ check.advice }}", classes="text-medium-emphasis")

    def refresh(self) -> None:
        """Take over what the last check found."""
        self.shown.busy = self.session.is_busy
        self.shown.checks = [_as_shown(check) for check in self.session.checks]


def _as_shown(check: Check) -> dict[str, str]:
    return {"name": check.name, "found": check.found, "advice": check.advice, "sign": _SIGNS[check.state]}
