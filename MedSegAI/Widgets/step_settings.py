"""Inputs for the settings of a step, whatever they are: a line, a list or a check box for each."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

from MedSegAI.Session.step_offers import SettingKind, StepOffer, StepSetting


class StepSettingsForm:
    """The settings of one step at a time; what was typed for a step is kept while another is looked at.

    Args:
        holder: The widget that the form is put into; it has a layout.
    """

    def __init__(self, holder: qt.QWidget) -> None:
        self._holder = holder
        self._form: qt.QWidget | None = None
        self._offer: StepOffer | None = None
        self._inputs: dict[str, qt.QWidget] = {}
        self._typed: dict[str, dict[str, Any]] = {}

    def show(self, offer: StepOffer | None) -> None:
        """Show an input for each setting of this step; none where there is no step."""
        if offer == self._offer:
            return
        self._keep()
        if self._form is not None:
            self._form.setParent(None)
            self._form.deleteLater()
        self._offer, self._inputs, self._form = offer, {}, None
        if offer is None or not offer.settings:
            return
        typed = self._typed.get(offer.kind, {})
        self._form = qt.QWidget()
        layout = qt.QFormLayout(self._form)
        layout.setContentsMargins(0, 0, 0, 0)
        for setting in offer.settings:
            made = _input_for(setting, typed.get(setting.name, setting.value))
            made.objectName = f"setting_{setting.name}"
            label = qt.QLabel(_("{title}:").format(title=setting_title(setting)))
            label.setBuddy(made)
            layout.addRow(label, made)
            self._inputs[setting.name] = made
        self._holder.layout().addWidget(self._form)

    def values(self) -> dict[str, Any]:
        """What is typed now, by the names of the settings."""
        settings = () if self._offer is None else self._offer.settings
        return {setting.name: _value_of(self._inputs[setting.name], setting) for setting in settings}

    def set_enabled(self, enabled: bool) -> None:
        """Let the settings be changed, or not."""
        if self._form is not None:
            self._form.setEnabled(enabled)

    def _keep(self) -> None:
        if self._offer is not None:
            self._typed[self._offer.kind] = self.values()


def setting_title(setting: StepSetting) -> str:
    """What a setting is called on the panel."""
    titles = {
        "shrink": _("Shrink factor (0: by size)"),
        "levels": _("Levels"),
        "iterations": _("Iterations of each level"),
        "convergence": _("Convergence"),
        "mask": _("Where the field is estimated"),
        "foreground": _("Foreground"),
        "measure": _("Measure"),
        "trim": _("Left out at either end (%)"),
        "low": _("Lower limit"),
        "high": _("Upper limit"),
        "clip": _("Cut off what lies beyond"),
        "preset": _("Window preset"),
        "level": _("Middle of an own window"),
        "width": _("Width of an own window"),
        "output": _("Values"),
        "otherwise": _("Where the values are no HU"),
        "largest": _("Largest shift (HU)"),
        "agree_within": _("Tissues must agree within (HU)"),
        "by": _("Related to"),
        "lean_formula": _("Formula for lean body mass"),
    }
    return titles.get(setting.name, setting.title)


def _input_for(setting: StepSetting, value: Any) -> qt.QWidget:
    if setting.kind is SettingKind.SWITCH:
        switch = qt.QCheckBox()
        switch.setChecked(bool(value))
        return switch
    if setting.kind is SettingKind.CHOICE:
        combo = qt.QComboBox()
        for option in setting.options:
            combo.addItem(option, option)
        combo.setCurrentIndex(max(0, combo.findData(value)))
        return combo
    line = qt.QLineEdit()
    line.setText(_shown(value))
    if setting.may_be_empty:
        line.setPlaceholderText(_("found by itself"))
    return line


def _value_of(made: qt.QWidget, setting: StepSetting) -> Any:
    if setting.kind is SettingKind.SWITCH:
        return made.checked
    return made.currentData if setting.kind is SettingKind.CHOICE else made.text


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
