"""Inputs for the settings of a step, whatever they are: a line, a list or a switch for each."""

from __future__ import annotations

from typing import Any

from trame.widgets import html
from trame.widgets import vuetify3 as vuetify

from MedSegAI.Session.step_offers import SettingKind

_LIST, _SWITCH = SettingKind.CHOICE.value, SettingKind.SWITCH.value
TEXTS = {
    "setting_shrink": "Shrink factor (0: by size)",
    "setting_levels": "Levels",
    "setting_iterations": "Iterations of each level",
    "setting_convergence": "Convergence",
    "setting_mask": "Where the field is estimated",
    "setting_foreground": "Foreground",
    "setting_measure": "Measure",
    "setting_trim": "Left out at either end (%)",
    "setting_low": "Lower limit",
    "setting_high": "Upper limit",
    "setting_clip": "Cut off what lies beyond",
    "setting_preset": "Window preset",
    "setting_level": "Middle of an own window",
    "setting_width": "Width of an own window",
    "setting_output": "Values",
    "setting_otherwise": "Where the values are no HU",
    "setting_largest": "Largest shift (HU)",
    "setting_agree_within": "Tissues must agree within (HU)",
    "setting_by": "Related to",
    "setting_lean_formula": "Formula for lean body mass",
}


def add_settings(settings: str, *, changed: object) -> None:
    """Add one input for each entry of the state's list ``settings``.

    Args:
        settings: Name of a list of ``{name, title, kind, value, options}``.
        changed: Called with the name and the value once one was changed.
    """
    title = "t['setting_' + setting.name] || setting.title"
    with html.Div(v_for=f"setting in {settings}", key=("setting.name",), classes="mt-3"):
        shared: dict[str, Any] = {
            "density": "compact",
            "hide_details": True,
            "label": (title,),
            "model_value": ("setting.value",),
            "raw_attrs": [':data-testid="`setting-${setting.name}`"', f':aria-label="{title}"'],
        }
        vuetify.VSelect(
            v_if=(f"setting.kind === '{_LIST}'",),
            items=("setting.options",),
            variant="outlined",
            update_modelValue=(changed, "[setting.name, $event]"),
            **shared,
        )
        vuetify.VSwitch(
            v_if=(f"setting.kind === '{_SWITCH}'",),
            color="primary",
            update_modelValue=(changed, "[setting.name, $event]"),
            **shared,
        )
        vuetify.VTextField(
            v_if=(f"!['{_LIST}', '{_SWITCH}'].includes(setting.kind)",),
            variant="outlined",
            change=(changed, "[setting.name, $event.target.value]"),
            **shared,
        )
