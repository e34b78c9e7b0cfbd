"""The page: a bar on top, the panels in a drawer on the left, the views beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client, html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Web.case.controls import button, hint, marks
from MedSegAI.Web.case.panel import Panel
from MedSegAI.Web.case.views import FOUR_VIEWS

if TYPE_CHECKING:
    from MedSegAI.Web.case.app import CaseApp

TEXTS = {
    "app_name": "MedSegAI",
    "app_note": "For research only; not a medical device.",
    "drawer": "Panels",
    "drawer_tip": "Show or hide the panels",
    "undo": "Undo",
    "undo_tip": "Take back the last action (Ctrl+Z)",
    "redo": "Redo",
    "redo_tip": "Do again what was taken back (Ctrl+Y)",
    "language": "Language",
    "language_tip": "Language of the texts on this page",
    "tab_segment": "Segment",
    "tab_prepare": "Prepare",
    "tab_heat": "Heat map",
    "tab_edit": "Correct",
    "tab_experts": "Experts",
    "tab_export": "Download",
    "reading": "Reading",
    "lost": "The connection to this case was lost.",
    "lost_again": "Load the page again",
}
_THEME = {
    "theme": {
        "defaultTheme": "radiology",
        "themes": {
            "radiology": {
                "dark": True,
                "colors": {
                    "background": "#0b0e12",
                    "surface": "#12171d",
                    "surface-bright": "#9fb3c8",
                    "surface-variant": "#d5dde6",
                    "primary": "#2f8f83",
                    "secondary": "#5c7080",
                    "error": "#e57373",
                },
            }
        },
    },
    "defaults": {"VBtn": {"style": "text-transform:none;letter-spacing:0"}},
}
_LAYOUTS = ((FOUR_VIEWS, "mdi-view-grid-outline", "layout_four"), ("axial", "mdi-alpha-a-box-outline", "layout_axial"))
_LAYOUTS += (("coronal", "mdi-alpha-c-box-outline", "layout_coronal"),)
_LAYOUTS += (("sagittal", "mdi-alpha-s-box-outline", "layout_sagittal"), ("3d", "mdi-cube-outline", "layout_3d"))
_TABS = ("segment", "prepare", "heat", "edit", "experts", "export")
_DRAWER_PIXELS = 408
# What takes the page's place when its server is gone; the texts are still in the browser then.
_LOST = """
<div style="padding: 20vh 2rem; text-align: center; color: #d5dde6" data-testid="lost">
<p>{{ t.lost }}</p><p class="mt-4"><a href="" style="color: #8fd3c7">{{ t.lost_again }}</a></p>
</div>
"""


@dataclass
class PageState:
    """What the page itself shows."""

    case_name: str = ""
    drawer: bool = True
    tab: str = "segment"
    layout: str = FOUR_VIEWS
    language: str = "en"
    languages: list[dict[str, str]] = field(default_factory=list)
    next_language: str = ""
    can_undo: bool = False
    can_redo: bool = False
    undo_text: str = ""
    redo_text: str = ""
    reading: str = ""


class Page(Panel[PageState]):
    """The whole page."""

    def __init__(self, case: CaseApp) -> None:
        super().__init__(case, PageState)

    def build(self) -> None:
        """Make the page; the panels of the case must be there."""
        self.case.server.state.trame__template_error = _LOST
        with VAppLayout(self.case.server, vuetify_config=_THEME) as layout:
            client.Style(
                "html { overflow: hidden; } .v-field__input, .v-switch .v-label, .v-field-label { font-size: 0.85rem; }"
                " [aria-pressed=true] { outline: 1px solid #8fd3c7; }"
                " .v-btn--disabled.v-btn--variant-flat { background-color: #2a333d !important; }"
                " .v-btn--disabled.v-btn--variant-flat .v-btn__overlay { opacity: 0; }"
                " .v-table.results { --v-table-row-height: 30px; --v-table-header-height: 30px; font-size: 0.8rem; }"
            )
            self._listen_to_keys()
            self._ask_for_language()
            with vuetify.VAppBar(density="compact", flat=True, color="surface", border="b"):
                self._bar()
            with vuetify.VNavigationDrawer(
                v_model=(self.names.drawer,), permanent=True, width=_DRAWER_PIXELS, color="surface"
            ):
                self._drawer()
            with (
                vuetify.VMain(style="height:100vh"),
                html.Div(
                    classes="d-flex",
                    style="height:100%;background:#000",
                    mouseleave=self.case.views.pointer_left,
                    raw_attrs=['data-testid="views"'],
                ),
            ):
                self.case.views.layouts.initialize_layout_grid(layout)
            self.case.dialogs.build()
            self.case.series.build()

    def refresh(self) -> None:
        """Take over the case's name and what can be undone."""
        stack, scan = self.session.undo_stack, self.session.scan
        self.shown.case_name = "" if scan is None else scan.GetName()
        self.shown.can_undo, self.shown.can_redo = stack.can_undo(), stack.can_redo()
        self.shown.undo_text, self.shown.redo_text = stack.undo_text(), stack.redo_text()

    def _bar(self) -> None:
        names = self.names
        button(
            "drawer",
            icon="mdi-menu",
            click=f"{names.drawer} = !{names.drawer}",
            with_label=False,
            tip_at="bottom",
            variant="text",
        )
        html.Span("{{ t.app_name }}", classes="text-subtitle-1 ml-1", style="color:#8fd3c7;font-weight:600")
        html.Span(
            f"{{{{ {names.case_name} }}}}",
            classes="text-body-2 ml-4 text-truncate",
            style="max-width:32vw",
            raw_attrs=['data-testid="case-name"'],
        )
        with html.Span(
            v_show=(f"!!{names.reading}",), classes="text-caption ml-4", raw_attrs=['data-testid="reading"']
        ):
            vuetify.VProgressCircular(indeterminate=True, size=14, width=2, classes="mr-2")
            html.Span(f"{{{{ t.reading + ' ' + {names.reading} }}}}")
        vuetify.VSpacer()
        html.Span("{{ t.app_note }}", classes="text-caption text-medium-emphasis mr-4 d-none d-md-inline")
        for name, icon in (("undo", "mdi-undo"), ("redo", "mdi-redo")):
            action = getattr(self.session, name)
            button(
                name,
                icon=icon,
                click=self.acts(lambda action=action: action()),
                with_label=False,
                tip_at="bottom",
                variant="text",
                disabled=(f"!{getattr(names, 'can_' + name)}",),
            )
        for layout, icon, text in _LAYOUTS:
            self._layout_button(layout, icon, text)
        with vuetify.VBtn(
            variant="text",
            size="small",
            click=self.acts(self._speak_next),
            v_show=(f"{names.languages}.length > 1",),
            **marks("language", "language"),
        ):
            html.Span(f"{{{{ {names.next_language} }}}}")
            hint("language_tip")

    def _layout_button(self, layout: str, icon: str, text: str) -> None:
        def arrange() -> None:
            self.case.views.arrange(layout)
            self.shown.layout = layout

        pressed = f"{self.names.layout} === '{layout}'"
        with vuetify.VBtn(
            icon=True,
            size="small",
            variant="text",
            click=arrange,
            color=(f"{pressed} ? 'primary' : undefined",),
            raw_attrs=[*marks(f"layout-{layout}", text)["raw_attrs"], f':title="t.{text}"'],
        ):
            vuetify.VIcon(icon)

    def show_language(self, language: str) -> None:
        """Offer the language after this one."""
        offered = self.shown.languages
        place = next((index for index, one in enumerate(offered) if one["value"] == language), 0)
        self.shown.language = language
        self.shown.next_language = offered[(place + 1) % len(offered)]["title"]

    def _speak_next(self) -> None:
        values = {one["title"]: one["value"] for one in self.shown.languages}
        self.case.speak(values[self.shown.next_language])

    def _drawer(self) -> None:
        names, panels = self.names, self.case.panels
        self.case.server.state.change(names.tab)(lambda **_state: self.case.show_soon())
        # Two quick clicks, away and back, reach the server as no change at all; the click itself always does.
        with vuetify.VTabs(v_model=(names.tab,), density="compact", color="primary", grow=True, show_arrows=False):
            for tab in _TABS:
                vuetify.VTab(
                    f"{{{{ t.tab_{tab} }}}}",
                    value=tab,
                    click=self.case.show_soon,
                    style="min-width:0;padding:0 2px;font-size:0.8rem;text-transform:none;letter-spacing:0",
                    raw_attrs=[f'data-testid="tab-{tab}"'],
                )
        for tab in _TABS:
            with html.Div(v_show=(f"{names.tab} === '{tab}'",), classes="px-4 pb-6"):
                for panel in panels[tab]:
                    panel.build()
        with vuetify.Template(v_slot_append=True):
            self.case.run_panel.build_progress()

    def _ask_for_language(self) -> None:
        name = self.case.server.trigger_name(self.case.greet)
        client.ClientTriggers(mounted=f"trigger('{name}', [window.navigator.language])")

    def _listen_to_keys(self) -> None:
        name = self.case.server.trigger_name(self.case.press)
        keys = list(self.case.shortcuts)
        client.ClientTriggers(mounted=f"window.medsegai.listenToKeys({keys}, (key) => trigger('{name}', [key]))")
