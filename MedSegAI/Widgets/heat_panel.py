"""The panel that explains a label: what to explain, how the heat map is shown, and what it means."""

from __future__ import annotations

import functools
import types

from slicer.i18n import tr as _

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Logic.report.heat_colours import HEAT_COLOUR_MAPS, HEAT_LEGEND
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.problem_line import problems_shown_in
from MedSegAI.Widgets.quiet_widgets import quiet, show_choices
from MedSegAI.Widgets.segment_choices import segment_choices

# From full resolution to the coarsest. Any other name can be typed; a wrong one is refused with those that there are.
_LAYERS = {"SwinUNETR": ("decoder1", "decoder2", "decoder3", "decoder4", "decoder5")}


class HeatPanel:
    """Explains a label and shows its heat map.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        ui.legendLabel.setText(_("The heat map {meaning}.").format(meaning=_(HEAT_LEGEND)))
        ui.targetCombo.connect("activated(int)", self._choose_target)
        ui.layerCombo.connect("activated(int)", self._choose_layer)
        ui.layerCombo.lineEdit().connect("editingFinished()", self._choose_layer)
        ui.coloursCombo.connect("activated(int)", self._choose_colours)
        ui.explainButton.connect("clicked(bool)", self.explain)
        bound = {
            "heat_threshold": (ui.thresholdSlider, "valueChanged(double)"),
            "heat_opacity": (ui.opacitySlider, "valueChanged(double)"),
            "heat_in_slices": (ui.inSlicesCheck, "toggled(bool)"),
            "heat_in_3d": (ui.in3dCheck, "toggled(bool)"),
        }
        for name, (widget, signal) in bound.items():
            widget.connect(signal, functools.partial(self._choose, name))

    def refresh(self) -> None:
        """Show the choices, and offer only what can be explained."""
        session, ui = self._session, self._ui
        choices, segmentation = session.choices, session.segmentation
        targets = segment_choices(segmentation)
        show_choices(ui.targetCombo, targets, chosen=choices.target or (targets[0][1] if targets else ""))
        self._show_layers(choices.layer)
        show_choices(ui.coloursCombo, _colours(), chosen=choices.heat_colours)
        with quiet(ui.thresholdSlider, ui.opacitySlider, ui.inSlicesCheck, ui.in3dCheck):
            ui.thresholdSlider.setValue(choices.heat_threshold)
            ui.opacitySlider.setValue(choices.heat_opacity)
            ui.inSlicesCheck.setChecked(choices.heat_in_slices)
            ui.in3dCheck.setChecked(choices.heat_in_3d)
        ui.explainButton.setEnabled(bool(targets) and session.scan is not None and not session.is_busy)
        for widget in (ui.targetCombo, ui.layerCombo):
            widget.setEnabled(bool(targets) and not session.is_busy)

    def explain(self, _checked: bool = False) -> None:
        """Begin to explain the chosen segment."""
        with problems_shown_in(self._ui.problemLabel):
            self._session.start_explain()

    def _show_layers(self, chosen: str) -> None:
        try:
            card = self._session.model.card
        except MedSegAIError:
            return
        of_card = card.saliency_layer
        names = (of_card, *(name for name in _LAYERS.get(card.network, ()) if name != of_card))
        show_choices(self._ui.layerCombo, tuple((name, name) for name in names), chosen=chosen or of_card)
        with quiet(self._ui.layerCombo):
            self._ui.layerCombo.setEditText(chosen or of_card)

    def _choose(self, name: str, value: float | bool) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.choose(**{name: value})

    def _choose_target(self, index: int) -> None:
        self._choose("target", self._ui.targetCombo.itemData(index))

    def _choose_colours(self, index: int) -> None:
        self._choose("heat_colours", self._ui.coloursCombo.itemData(index))

    def _choose_layer(self, _index: int = 0) -> None:
        name = self._ui.layerCombo.currentText.strip()
        with problems_shown_in(self._ui.problemLabel):
            # The card's own layer is kept as "the card's", so that another model brings its own.
            self._session.choose(layer="" if name == self._session.model.card.saliency_layer else name)


def _colours() -> tuple[tuple[str, str], ...]:
    return tuple((name.capitalize(), name) for name in HEAT_COLOUR_MAPS)
