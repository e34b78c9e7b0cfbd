"""The window through which the scan is shown: named ones for a CT, and an own one for every scan."""

from __future__ import annotations

import types

from slicer.i18n import tr as _

from MedSegAI.Bridge.window_level import Window
from MedSegAI.Logic.standardise.ct.window_presets import WindowPreset
from MedSegAI.Session.preparation import Preparation
from MedSegAI.Widgets.quiet_widgets import quiet, show_choices

_OWN, _AUTOMATIC = "own", "auto"


class WindowPanel:
    """Chooses the window of what the slices show.

    Args:
        ui: The widgets by name.
        preparation: The case's preparation, which knows what the slices show.
    """

    def __init__(self, ui: types.SimpleNamespace, preparation: Preparation) -> None:
        self._ui, self._preparation = ui, preparation
        ui.windowCombo.connect("activated(int)", self._choose)
        ui.windowLevelSpin.connect("valueChanged(double)", self._set_own)
        ui.windowWidthSpin.connect("valueChanged(double)", self._set_own)
        ui.windowWidthSpin.setMinimum(0.01)

    def refresh(self) -> None:
        """Show the window of what is shown, and the named ones that make sense for it."""
        ui, window, presets = self._ui, self._preparation.window, self._preparation.presets
        shown = (ui.windowLabel, ui.windowCombo, ui.windowLevelLabel, ui.windowLevelSpin, ui.windowWidthLabel)
        for widget in (*shown, ui.windowWidthSpin):
            widget.setVisible(window is not None)
        if window is None:
            return
        named = tuple((_named(preset), preset.key) for preset in presets)
        choices = (*named, (_("Own"), _OWN), (_("Automatic"), _AUTOMATIC))
        show_choices(ui.windowCombo, choices, chosen=_key_of(window, presets))
        with quiet(ui.windowLevelSpin, ui.windowWidthSpin):
            ui.windowLevelSpin.setValue(window.level)
            ui.windowWidthSpin.setValue(window.width)

    def _choose(self, index: int) -> None:
        key = self._ui.windowCombo.itemData(index)
        chosen = next((preset for preset in self._preparation.presets if preset.key == key), None)
        if chosen is not None:
            self._preparation.set_window(Window(chosen.width, chosen.level))
        elif key == _AUTOMATIC:
            self._preparation.set_window(None)
        self.refresh()

    def _set_own(self, _value: float) -> None:
        self._preparation.set_window(Window(self._ui.windowWidthSpin.value, self._ui.windowLevelSpin.value))
        self.refresh()


def _key_of(window: Window, presets: tuple[WindowPreset, ...]) -> str:
    same = (preset.key for preset in presets if (preset.width, preset.level) == (window.width, window.level))
    return next(same, _OWN)


def _named(preset: WindowPreset) -> str:
    titles = {
        "lung": _("Lung"),
        "mediastinum": _("Mediastinum"),
        "bone": _("Bone"),
        "brain": _("Brain"),
        "liver": _("Liver"),
    }
    told = _("{name}, {low:g} to {high:g} HU")
    return told.format(name=titles.get(preset.key, preset.title), low=preset.low, high=preset.high)
