"""The window through which the scan is shown: named ones for a CT, and an own one for every scan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Bridge.window_level import Window
from MedSegAI.Session.typed_number import typed_number
from MedSegAI.Web.case.controls import button, heading, marks, note, text_line
from MedSegAI.Web.case.panel import Panel

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "window_title": "Window",
    "window_about": "Changes only how the scan is shown; its values stay.",
    "window_preset": "Show the scan through this window",
    "window_lung": "Lung",
    "window_mediastinum": "Mediastinum",
    "window_bone": "Bone",
    "window_brain": "Brain",
    "window_liver": "Liver",
    "window_auto": "Automatic",
    "window_auto_tip": "Choose a window from the values of the scan",
    "window_level": "Middle",
    "window_level_tip": "The value that is shown as middle grey",
    "window_width": "Width",
    "window_width_tip": "From the value shown as black to the one shown as white",
}


@dataclass
class WindowState:
    """What the panel shows."""

    presets: list[dict[str, Any]] = field(default_factory=list)
    has_scan: bool = False
    level: str = ""
    width: str = ""


class WindowPanel(Panel[WindowState]):
    """The window of what the slices show."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, WindowState)

    def build(self) -> None:
        """Add the named windows, and two lines for an own one."""
        names = self.names
        with html.Div(v_show=(names.has_scan,)):
            heading("window_title")
            note("t.window_about")
            with html.Div(classes="d-flex ga-1 flex-wrap mt-2"):
                with vuetify.VBtn(
                    v_for=f"preset in {names.presets}",
                    key=("preset.key",),
                    size="small",
                    density="comfortable",
                    variant=("preset.chosen ? 'flat' : 'tonal'",),
                    color=("preset.chosen ? 'primary' : undefined",),
                    click=(self.acts(self._use), "[preset.level, preset.width]"),
                    raw_attrs=[':data-testid="`window-${preset.key}`"', *_pressed(), ':title="preset.range"'],
                ):
                    html.Span("{{ t['window_' + preset.key] || preset.title }}")
                button("window-auto", icon="mdi-auto-fix", click=self.acts(self._automatic))
            with html.Div(classes="d-flex ga-2"):
                self._line("window-level", names.level, self._set_level)
                self._line("window-width", names.width, self._set_width)

    def refresh(self) -> None:
        """Take over the window of what is shown, and the named ones that make sense for it."""
        preparation, shown = self.case.preparation, self.shown
        window = preparation.window
        shown.has_scan = window is not None
        if window is None:
            return
        shown.level, shown.width = _short(window.level), _short(window.width)
        shown.presets = [
            {
                "key": preset.key,
                "title": preset.title,
                "level": preset.level,
                "width": preset.width,
                "range": f"{preset.low:g} .. {preset.high:g} HU",
                "chosen": (preset.level, preset.width) == (window.level, window.width),
            }
            for preset in preparation.presets
        ]

    def _line(self, testid: str, value: str, change: Callable[[str], None]) -> None:
        with html.Div(style="flex:1"):
            text_line(testid, value=value, change=(self.acts(change), "[$event.target.value]"))

    def _use(self, level: float, width: float) -> None:
        self.case.preparation.set_window(Window(float(width), float(level)))

    def _automatic(self) -> None:
        self.case.preparation.set_window(None)

    def _set_level(self, typed: str) -> None:
        # Shown as typed until the page is brought up to date, which then puts back what was refused.
        self.shown.level = str(typed)
        self.case.preparation.set_window(Window(self.case.preparation.window.width, typed_number(typed)))

    def _set_width(self, typed: str) -> None:
        self.shown.width = str(typed)
        self.case.preparation.set_window(Window(typed_number(typed), self.case.preparation.window.level))


def _pressed() -> list[str]:
    return [':aria-pressed="preset.chosen"', *marks("", "window_preset")["raw_attrs"][2:]]


def _short(value: float) -> str:
    # Whole figures of a PET in Bq/ml, three decimals of what runs from 0 to 1.
    return f"{value:.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
