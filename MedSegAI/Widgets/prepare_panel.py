"""The panel that brings the scan into shape: choose a step, apply it, and look at it before and after."""

from __future__ import annotations

import types
from pathlib import Path

import qt
from slicer.i18n import tr as _

from MedSegAI.Logic.volume import Modality
from MedSegAI.Session.choices import AFTER, BEFORE
from MedSegAI.Session.preparation import Preparation
from MedSegAI.Session.session import Session
from MedSegAI.Session.step_offers import StepNeed, StepOffer
from MedSegAI.Widgets.problem_line import problems_shown_in, show_sentence
from MedSegAI.Widgets.quiet_widgets import show_choices
from MedSegAI.Widgets.step_settings import StepSettingsForm
from MedSegAI.Widgets.window_panel import WindowPanel

_KINDS = (("CT", Modality.CT), ("MR", Modality.MR), ("PET", Modality.PET))


class PreparePanel:
    """Prepares the scan that the slices show.

    Args:
        ui: The widgets by name.
        session: The case.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session) -> None:
        self._ui, self._session = ui, session
        self._preparation = Preparation(session)
        self._window = WindowPanel(ui, self._preparation)
        self._settings = StepSettingsForm(ui.settingsHolder)
        self._offers: dict[str, StepOffer] = {}
        self._file: Path | None = None
        ui.kindCombo.connect("activated(int)", self._say_kind)
        ui.stepCombo.connect("activated(int)", lambda _index: self.refresh())
        ui.stageCombo.connect("activated(int)", self._show)
        ui.landmarksButton.connect("clicked(bool)", self._choose_file)
        ui.applyButton.connect("clicked(bool)", self._apply)

    def refresh(self) -> None:
        """Show the scan, the steps that fit it, and what was done to it."""
        ui, preparation, idle = self._ui, self._preparation, not self._session.is_busy
        scan = preparation.scan
        ui.prepareNote.setText(_("Open a scan first.") if scan is None else scan.GetName())
        self._offers = {offer.kind: offer for offer in preparation.offers}
        chosen = ui.stepCombo.currentData
        chosen = chosen if chosen in self._offers else next(iter(self._offers), "")
        show_choices(ui.stepCombo, tuple((step_title(o), o.kind) for o in self._offers.values()), chosen=chosen)
        self._show_step(self._offers.get(chosen))
        self._settings.set_enabled(idle)
        for widget in (ui.stepLabel, ui.stepCombo, ui.applyButton):
            widget.setVisible(scan is not None)
        ui.stepCombo.setEnabled(idle)
        ui.applyButton.setEnabled(bool(chosen) and idle)
        self._show_kind(scan is not None and preparation.modality is Modality.UNKNOWN, idle=idle)
        self._show_stages()
        told = (f"{number}. {sentence}" for number, sentence in enumerate(preparation.sentences, start=1))
        show_sentence(ui.prepareDone, "\n".join(told))
        self._window.refresh()

    def _show_kind(self, is_asked: bool, *, idle: bool) -> None:
        ui = self._ui
        kinds = ((_("Not known"), Modality.UNKNOWN.value), *((text, kind.value) for text, kind in _KINDS))
        show_choices(ui.kindCombo, kinds, chosen=self._preparation.modality.value)
        for widget in (ui.kindLabel, ui.kindCombo):
            widget.setVisible(is_asked)
        ui.kindCombo.setEnabled(idle)

    def _show_step(self, offer: StepOffer | None) -> None:
        ui, needs = self._ui, StepNeed.NOTHING if offer is None else offer.needs
        self._settings.show(offer)
        for widget in (ui.referenceLabel, ui.referenceCombo):
            widget.setVisible(needs is StepNeed.SCAN)
        for widget in (ui.landmarksLabel, ui.landmarksButton):
            widget.setVisible(needs is StepNeed.FILE)
        ui.landmarksButton.setText(_("Choose a file...") if self._file is None else self._file.name)
        others = tuple((node.GetName(), node.GetID()) for node in self._preparation.references)
        chosen = ui.referenceCombo.currentData
        known = chosen in {node_id for _name, node_id in others}
        show_choices(ui.referenceCombo, others, chosen=chosen if known else (others[0][1] if others else ""))

    def _show_stages(self) -> None:
        ui, preparation = self._ui, self._preparation
        stages = [AFTER, *([BEFORE] if preparation.has_before else []), *preparation.extras]
        show_choices(ui.stageCombo, tuple((_stage(stage), stage) for stage in stages), chosen=preparation.stage)
        for widget in (ui.stageLabel, ui.stageCombo):
            widget.setVisible(len(stages) > 1)

    def _say_kind(self, index: int) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._preparation.take_for(Modality(self._ui.kindCombo.itemData(index)))

    def _show(self, index: int) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._preparation.show(self._ui.stageCombo.itemData(index))

    def _choose_file(self, _checked: bool = False) -> None:
        title, kinds = _("Choose a file of landmarks"), _("Landmarks (*.json)")
        chosen = qt.QFileDialog.getOpenFileName(self._ui.prepareSection, title, "", kinds)
        if chosen:
            self._file = Path(chosen)
            self.refresh()

    def _apply(self, _checked: bool = False) -> None:
        kind, reference_id = self._ui.stepCombo.currentData, self._ui.referenceCombo.currentData
        reference = self._session.scene.GetNodeByID(reference_id) if reference_id else None
        with problems_shown_in(self._ui.problemLabel):
            step = self._preparation.chosen(kind, self._settings.values(), reference=reference, file=self._file)
            self._preparation.start(step)


def step_title(offer: StepOffer) -> str:
    """What a step is called on the panel."""
    titles = {
        "hounsfield": _("Hounsfield units"),
        "hu-offset": _("Hounsfield offset of the scanner"),
        "ct-clip": _("Air and metal clipping"),
        "window": _("Window and level"),
        "n4": _("Bias field correction (N4)"),
        "nyul": _("Histogram landmarks (Nyul)"),
        "histogram-match": _("Histogram matching to a reference"),
        "z-score": _("Robust z-score"),
        "percentile": _("Percentiles to 0..1"),
        "suv": _("Standardised uptake values (SUV)"),
    }
    return titles.get(offer.kind, offer.title)


def _stage(stage: str) -> str:
    return {AFTER: _("After"), BEFORE: _("Before"), "log_bias_field": _("Bias field")}.get(stage, stage)
