"""The panel that chooses the model, and says what its card says of it."""

from __future__ import annotations

import types
from collections.abc import Mapping

import qt
from slicer.i18n import tr as _

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Session.session import Session, installed_models
from MedSegAI.Widgets.model_folder import add_model_folder
from MedSegAI.Widgets.problem_line import problems_shown_in
from MedSegAI.Widgets.quiet_widgets import show_choices


class ModelPanel:
    """Chooses among the installed models.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        self._models = installed_models()
        ui.modelCombo.connect("activated(int)", self._choose)
        ui.addModelButton.connect("clicked(bool)", self._ask_for_folder)

    def refresh(self) -> None:
        """Show the installed models, the chosen one, and its card."""
        ui, chosen = self._ui, self._session.choices.model
        choices = tuple((model.card.title, model.folder.name) for model in self._models)
        if chosen not in {name for _title, name in choices}:
            choices += ((_("{name} (not installed)").format(name=chosen), chosen),)
        show_choices(ui.modelCombo, choices, chosen=chosen)
        ui.modelCombo.setEnabled(not self._session.is_busy)
        try:
            card = self._session.model.card
        except MedSegAIError as error:
            shown = (str(error), "", "")
        else:
            shown = (card.description, card.licence, _accuracy(card))
        for label, text in zip((ui.modelDescription, ui.modelLicence, ui.modelAccuracy), shown):
            label.setText(text)

    def add(self, folder: str) -> None:
        """Copy a model folder to the user's own models and choose it."""
        with problems_shown_in(self._ui.problemLabel):
            model = add_model_folder(folder)
            self._models = installed_models()
            self._session.choose(model=model.folder.name)
            self.refresh()

    def _choose(self, index: int) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.choose(model=self._ui.modelCombo.itemData(index))

    def _ask_for_folder(self, _checked: bool = False) -> None:
        folder = qt.QFileDialog.getExistingDirectory(self._ui.addModelButton, _("Choose a model folder"))
        if folder:
            self.add(folder)


def _accuracy(card: ModelCard) -> str:
    """The mean Dice of every label, as far as the card's free-form table has the form that ``evaluate`` writes."""
    means = card.accuracy.get("mean")
    if not isinstance(means, Mapping) or not means:
        return _("not stated")
    names = {label.key: label.name for label in card.labels}
    dice = _("{label}: Dice {dice:.2f}")
    figures = [
        dice.format(label=names.get(key, key), dice=figure["dice"])
        for key, figure in means.items()
        if isinstance(figure, Mapping) and "dice" in figure
    ]
    cases = _("mean of {count} cases of {dataset}")
    told = cases.format(count=card.accuracy.get("case_count", "?"), dataset=card.accuracy.get("dataset", "?"))
    return "\n".join([*figures, told])
