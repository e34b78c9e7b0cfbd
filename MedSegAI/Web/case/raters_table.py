"""The table of the experts: each with the colour of the outlines, the last word, and how well it fits the consensus."""

from __future__ import annotations

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Web.case.controls import marks

TEXTS = {
    "raters_name": "Expert",
    "raters_status": "Status",
    "raters_draft": "draft",
    "raters_final": "final",
    "raters_withdrawn": "withdrawn",
    "raters_dice": "Dice",
    "raters_dice_tip": "Overlap with the consensus, 0 to 1; mean over the structures",
    "raters_sensitivity": "Sens.",
    "raters_sensitivity_tip": "Sensitivity: share of the consensus that this expert has, too",
    "raters_specificity": "Spec.",
    "raters_specificity_tip": "Specificity: share of the rest, within 5 mm around, that this expert left out, too",
    "raters_show": "Show or hide the outlines of this expert",
    "raters_withdraw": "Withdraw this expert's correction",
}
_FIGURES = ("dice", "sensitivity", "specificity")


def build_raters_table(rows: str, *, show: object, withdraw: object) -> None:
    """Add the table.

    Args:
        rows: Name of the state's list of rows.
        show: What the eye of a ``row`` does when it is clicked.
        withdraw: What the cross of a ``row`` does when it is clicked.
    """
    marked = {"raw_attrs": ['data-testid="raters-table"'], "v_show": (f"{rows}.length",)}
    with vuetify.VTable(density="compact", classes="results mt-1 bg-transparent", **marked):
        with html.Thead(), html.Tr():
            html.Th("", classes="px-0")
            html.Th("{{ t.raters_name }}", classes="px-1")
            html.Th("{{ t.raters_status }}", classes="px-1")
            for figure in _FIGURES:
                html.Th(
                    f"{{{{ t.raters_{figure} }}}}",
                    classes="px-1 text-right",
                    raw_attrs=[f':title="t.raters_{figure}_tip"'],
                )
            html.Th("", classes="px-0")
        named = {"key": ("row.rater",), "raw_attrs": [':data-testid="`rater-${row.rater}`"', ':title="row.comment"']}
        with html.Tbody(), html.Tr(v_for=f"row in {rows}", **named):
            with html.Td(classes="px-0"):
                _icon_button("show", "row.visible ? 'mdi-eye' : 'mdi-eye-off'", show)
            with html.Td(classes="px-1 py-1"):
                html.Span(style=("`display:inline-block;width:10px;height:10px;background:${row.colour}`",))
                html.Span("{{ row.rater }}", classes="ml-1", style="overflow-wrap:anywhere")
                html.Div("{{ row.role }}", classes="text-medium-emphasis")
            with html.Td(classes="px-1 py-1", style="white-space:nowrap"):
                html.Span("{{ t['raters_' + row.status] }}")
                html.Div(
                    "{{ row.time.slice(0, 10) }}",
                    classes="text-medium-emphasis",
                    raw_attrs=[":title=\"row.time + ' UTC'\""],
                )
            for figure in _FIGURES:
                html.Td(f"{{{{ row.{figure} }}}}", classes="px-1 text-right")
            with html.Td(classes="px-0"):
                _icon_button("withdraw", "'mdi-close'", withdraw, disabled=("row.status === 'withdrawn'",))


def _icon_button(name: str, icon: str, click: object, **options: object) -> None:
    named = marks("", f"raters_{name}")["raw_attrs"][1:]
    with vuetify.VBtn(
        icon=True,
        variant="text",
        size="x-small",
        click=click,
        raw_attrs=[f':data-testid="`rater-{name}-${{row.rater}}`"', *named, f':title="t.raters_{name}"'],
        **options,
    ):
        vuetify.VIcon(f"{{{{ {icon} }}}}", size="small")
