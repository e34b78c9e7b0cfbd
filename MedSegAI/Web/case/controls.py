"""The kinds of controls the panels are made of: each with an id for tests, a tooltip and a name read aloud.

A control's texts come from the table ``t`` in the state: ``t.NAME`` is its label, ``t.NAME_tip`` its tooltip.
"""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

_TIP_AFTER_MS = 400


def marks(testid: str, text: str) -> dict[str, Any]:
    """Attributes of any widget: its stable ``data-testid``, and its name for a screen reader from text ``t.text``."""
    return {"raw_attrs": [f'data-testid="{testid}"', f':aria-label="t.{text}"']}


def hint(text: str, *, location: str = "bottom") -> vuetify.VTooltip:
    """The tooltip of the widget it stands in."""
    return vuetify.VTooltip(
        text=(f"t.{text}",), activator="parent", location=location, open_delay=_TIP_AFTER_MS, max_width=320
    )


def button(
    testid: str, *, click: object, icon: str = "", with_label: bool = True, tip_at: str = "end", **options: Any
) -> vuetify.VBtn:
    """A button named ``t.TESTID`` (dashes as underscores) with the tooltip ``t.TESTID_tip``."""
    text = testid.replace("-", "_")
    options = {"variant": "tonal", "size": "small", "density": "comfortable", **options}
    with vuetify.VBtn(click=click, icon=not with_label, **options, **marks(testid, text)) as made:
        if icon:
            vuetify.VIcon(icon, start=with_label)
        if with_label:
            html.Span(f"{{{{ t.{text} }}}}")
        hint(f"{text}_tip", location=tip_at)
    return made


def tool_button(testid: str, *, tool: str, chosen: str, icon: str, click: object, disabled: str) -> None:
    """A button that stays pressed while the state's ``chosen`` is ``tool``, which ``click`` is called with."""
    text, is_chosen = testid.replace("-", "_"), f"{chosen} === '{tool}'"
    with vuetify.VBtn(
        click=(click, f"['{tool}']"),
        variant=(f"{is_chosen} ? 'flat' : 'tonal'",),
        color=(f"{is_chosen} ? 'primary' : undefined",),
        disabled=(disabled,),
        size="small",
        raw_attrs=[*marks(testid, text)["raw_attrs"], f':aria-pressed="{is_chosen}"'],
    ):
        vuetify.VIcon(icon, start=True)
        html.Span(f"{{{{ t.{text} }}}}")
        hint(f"{text}_tip", location="top")


def slider(testid: str, *, model: str, low: float, high: float, step: float, **options: Any) -> vuetify.VSlider:
    """A slider over the state's ``model`` with its label above and its value beside it."""
    text = testid.replace("-", "_")
    with html.Div(classes="mt-2"):
        with html.Div(classes="d-flex justify-space-between text-caption text-medium-emphasis"):
            html.Span(f"{{{{ t.{text} }}}}")
            html.Span(f"{{{{ Number({model}).toFixed({_decimals(step)}) }}}}")
        made = vuetify.VSlider(
            v_model=(model,),
            min=low,
            max=high,
            step=step,
            hide_details=True,
            density="compact",
            thumb_size=14,
            track_size=3,
            **options,
            **marks(testid, text),
        )
        hint(f"{text}_tip", location="end")
    return made


def choice(testid: str, *, model: str, items: str, **options: Any) -> vuetify.VSelect:
    """A drop-down list over the state's ``model``; ``items`` names a list of ``{title, value}``."""
    text = testid.replace("-", "_")
    with html.Div(classes="mt-3"):
        made = vuetify.VSelect(
            v_model=(model,),
            items=(items,),
            label=(f"t.{text}",),
            density="compact",
            variant="outlined",
            hide_details=True,
            **options,
            **marks(testid, text),
        )
        hint(f"{text}_tip", location="end")
    return made


def switch(testid: str, *, model: str, **options: Any) -> vuetify.VSwitch:
    """A switch over the state's ``model``."""
    text = testid.replace("-", "_")
    with html.Div():
        made = vuetify.VSwitch(
            v_model=(model,),
            label=(f"t.{text}",),
            density="compact",
            color="primary",
            hide_details=True,
            **options,
            **marks(testid, text),
        )
        hint(f"{text}_tip", location="end")
    return made


def text_line(testid: str, *, value: str, change: object) -> vuetify.VTextField:
    """A line to type in, over the state's ``value``; ``change`` is called once what was typed is to count."""
    text = testid.replace("-", "_")
    with html.Div(classes="mt-3"):
        made = vuetify.VTextField(
            model_value=(value,),
            label=(f"t.{text}",),
            change=change,
            density="compact",
            variant="outlined",
            hide_details=True,
            **marks(testid, text),
        )
        hint(f"{text}_tip", location="end")
    return made


def file_chooser(reference: str, testid: str, *, failed: str, address: str = "upload", folder: bool = False) -> None:
    """What asks the browser's user for files and uploads them; unseen, opened by :func:`press`.

    Args:
        reference: Its name in the page.
        testid: Its stable id.
        failed: Name of the trigger that is told why an upload did not arrive.
        address: Where the files go.
        folder: Ask for a folder.
    """
    send = (
        f"window.medsegai.upload($event.target.files, case_key, (why) => trigger('{failed}', [why]), '{address}')"
        ".finally(() => { $event.target.value = ''; })"
    )
    kind = ["multiple", "webkitdirectory"] if folder else ["multiple"]
    # A plain ref is known to the page's own component only, not to trame.
    known = f""":ref="(element) => trame.refs['{reference}'] = element\""""
    attributes = [f'data-testid="{testid}"', known, *kind]
    html.Input(type="file", style="display:none", change=send, raw_attrs=attributes)


def press(reference: str) -> str:
    """What a button does that opens a :func:`file_chooser`."""
    return f"trame.refs.{reference}.click()"


def heading(text: str) -> html.Div:
    """The heading of a panel."""
    return html.Div(f"{{{{ t.{text} }}}}", classes="text-subtitle-2 mt-3 mb-1", style="color:#8fd3c7")


def note(expression: str, *, testid: str = "", shown_if: str = "") -> html.Div:
    """A line of small text from an expression over the state; hidden while ``shown_if`` is false."""
    options: dict[str, Any] = {"raw_attrs": [f'data-testid="{testid}"']} if testid else {}
    if shown_if:
        options["v_show"] = (shown_if,)
    return html.Div(f"{{{{ {expression} }}}}", classes="text-caption text-medium-emphasis mt-1", **options)


def _decimals(step: float) -> int:
    return 0 if step >= 1 else 1 if step >= 0.1 else 2
