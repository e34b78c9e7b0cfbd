"""The window through which the scan is shown: named ones for a CT, and an own one for every scan."""

from __future__ import annotations

import math
import types

from slicer.i18n import tr as _

from MedSegAI.Bridge.window_level import Window
from MedSegAI.Logic.standardise.ct.window_presets import WindowPreset
from MedSegAI.Session.preparation import Preparation
from MedSegAI.Widgets.quiet_widgets import quiet, show_choices

_OWN, _AUTOMATIC = "own", "auto"
_MOST_DECIMALS, _FARTHEST = 8, 1e12


class WindowPanel:
    """Chooses the window of what the slices show.

    Args:
        ui: The widgets by name.
        preparation: The case's preparation, which knows what the slices show.
    """

    def __init__(self, ui: types.SimpleNamespace, preparation: Preparation) -> None:
        self._ui, self._preparation = ui, preparation
        ui.windowCombo.connect("activated(int)", self._choose)
        for spin in (ui.windowLevelSpin, ui.windowWidthSpin):
            spin.setRange(-_FARTHEST, _FARTHEST)
        ui.windowLevelSpin.connect("valueChanged(double)", self._set_level)
        ui.windowWidthSpin.connect("valueChanged(double)", self._set_width)

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
        # Hundredths of a CT's window are too many; of a bias field's, too few.
        decimals = min(max(0, 3 - math.floor(math.log10(window.width))), _MOST_DECIMALS)
        with quiet(ui.windowLevelSpin, ui.windowWidthSpin):
            for spin, value in ((ui.windowLevelSpin, window.level), (ui.windowWidthSpin, window.width)):
                spin.setDecimals(decimals)
                spin.setSingleStep(10.0 ** (1 - decimals))
                spin.setValue(value)
            ui.windowWidthSpin.setMinimum(10.0**-decimals)

    def _choose(self, index: int) -> None:
        key = self._ui.windowCombo.itemData(index)
        chosen = next((preset for preset in self._preparation.presets if preset.key == key), None)
        if chosen is not None:
            self._preparation.set_window(Window(chosen.width, chosen.level))
        elif key == _AUTOMATIC:
            self._preparation.set_window(None)
        self.refresh()

    def _set_level(self, level: float) -> None:
        self._set_own(Window(self._preparation.window.width, level))

    def _set_width(self, width: float) -> None:
        self._set_own(Window(width, self._preparation.window.level))

    def _set_own(self, window: Window) -> None:
        self._preparation.set_window(window)
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
