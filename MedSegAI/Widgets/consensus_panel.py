"""The panel of the consensus: how raters are fused, its threshold, where they disagree, and the report."""

from __future__ import annotations

import functools
import html
import types
from collections.abc import Callable
from pathlib import Path

import qt
from slicer.i18n import tr as _

from MedSegAI.Logic.consensus.disagreement import DISAGREEMENT_LEGEND
from MedSegAI.Logic.consensus.fuse import Method
from MedSegAI.Session.expert_review import ExpertReview, FusedCase
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.agreement_table import AgreementTable
from MedSegAI.Widgets.background_writing import BackgroundWriting
from MedSegAI.Widgets.problem_line import problems_shown_in, show_sentence
from MedSegAI.Widgets.quiet_widgets import quiet, show_choices

_PAGE = "agreement.html"


class ConsensusPanel:
    """Fuses the raters and shows how well they agree.

    Args:
        ui: The widgets by name.
        session: The case.
        review: Its experts.
        writing: Called once the report is being written; :meth:`poll` wants to be called from then on.
    """

    def __init__(
        self, ui: types.SimpleNamespace, session: Session, review: ExpertReview, *, writing: Callable[[], None]
    ) -> None:
        self._ui, self._session, self._review = ui, session, review
        self._writing = BackgroundWriting(ui.reportNote, ui.problemLabel, begun=writing)
        self._agreement = AgreementTable(ui.agreementTable)
        self._shown: FusedCase | None = None
        ui.disagreementLegend.setText(_("The map {meaning}.").format(meaning=_(DISAGREEMENT_LEGEND)))
        ui.fuseMethodCombo.connect("activated(int)", self._choose_method)
        ui.fuseButton.connect("clicked(bool)", self._fuse)
        ui.nextPlaceButton.connect("clicked(bool)", self._next_place)
        ui.saveReportButton.connect("clicked(bool)", self._save_report)
        ui.showDisagreementCheck.connect("toggled(bool)", self._show_disagreement)
        bound = {
            "fuse_drafts": (ui.fuseDraftsCheck, "toggled(bool)"),
            "fuse_threshold": (ui.consensusThresholdSlider, "valueChanged(double)"),
        }
        for name, (widget, signal) in bound.items():
            widget.connect(signal, functools.partial(self._choose, name))

    @property
    def is_writing(self) -> bool:
        """Whether the report is being written."""
        return self._writing.is_under_way

    def refresh(self) -> None:
        """Show the choices, the consensus, and what can be done with it."""
        session, ui, fused = self._session, self._ui, self._review.fused
        choices, idle = session.choices, not session.is_busy
        show_choices(ui.fuseMethodCombo, _methods(), chosen=choices.fuse_method.value)
        with quiet(ui.fuseDraftsCheck, ui.consensusThresholdSlider, ui.showDisagreementCheck):
            ui.fuseDraftsCheck.setChecked(choices.fuse_drafts)
            ui.consensusThresholdSlider.setValue(choices.fuse_threshold)
            ui.showDisagreementCheck.setChecked(choices.show_disagreement)
        for widget in (ui.fuseMethodCombo, ui.fuseDraftsCheck):
            widget.setEnabled(idle)
        ui.fuseButton.setEnabled(session.scan is not None and idle)
        ui.consensusThresholdSlider.setEnabled(fused is not None)
        ui.showDisagreementCheck.setEnabled(session.disagreement is not None)
        ui.disagreementLegend.setVisible(session.disagreement is not None)
        ui.nextPlaceButton.setEnabled(fused is not None and bool(fused.agreement.places))
        ui.saveReportButton.setEnabled(fused is not None and not self.is_writing)
        if fused is not self._shown:
            self._shown = fused
            self._agreement.show(None if fused is None else fused.agreement)
            for note in (ui.placeNote, ui.reportNote):
                show_sentence(note, "")
        show_sentence(ui.agreementNote, self._said_of(fused))

    def poll(self, *, timeout: float = 0.0) -> None:
        """Wait up to ``timeout`` seconds for the report that is being written, and tell how that ended."""
        if self._writing.poll(timeout=timeout):
            self.refresh()

    def wait(self) -> None:
        """Wait until no report is being written."""
        while self.is_writing:
            self.poll(timeout=1.0)

    def _said_of(self, fused: FusedCase | None) -> str:
        if fused is not None:
            return "\n".join((*fused.agreement.sentences, *fused.consensus.record.notes))
        if self._session.consensus is not None:
            return _("This consensus is kept from earlier. Fuse again to move its threshold and to measure agreement.")
        return ""

    def _choose(self, name: str, value: float | bool) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.choose(**{name: value})

    def _choose_method(self, index: int) -> None:
        self._choose("fuse_method", self._ui.fuseMethodCombo.itemData(index))

    def _show_disagreement(self, shown: bool) -> None:
        # It lies where the heat map would, so nothing is seen of it where that is switched off.
        with problems_shown_in(self._ui.problemLabel):
            self._session.choose(show_disagreement=shown, **({"heat_in_slices": True} if shown else {}))

    def _fuse(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._review.start_fuse()

    def _next_place(self, _checked: bool = False) -> None:
        place = self._review.next_place()
        if place is not None:
            agreement = self._review.fused.agreement
            told = _("Place {number} of {count}: {sentence}").format(
                number=agreement.places.index(place) + 1,
                count=len(agreement.places),
                sentence=place.sentence(agreement.table),
            )
            show_sentence(self._ui.placeNote, told)

    def _save_report(self, _checked: bool = False) -> None:
        title = _("Choose a folder for the report")
        folder = qt.QFileDialog.getExistingDirectory(self._ui.consensusSection, title)
        if not folder:
            return
        with problems_shown_in(self._ui.problemLabel):
            writer = self._review.report_writer()
            page = Path(folder).absolute() / _PAGE
            link = f'<a href="{page.as_uri()}">{html.escape(str(page))}</a>'
            self._ui.reportNote.setVisible(True)
            self._writing.begin(Path(folder), writer, told=_("Saved as {path}").format(path=link))
            self.refresh()


def _methods() -> tuple[tuple[str, str], ...]:
    return (
        ("STAPLE", Method.STAPLE.value),
        (_("Majority vote"), Method.MAJORITY.value),
        (_("SIMPLE (without outliers)"), Method.SIMPLE.value),
    )
