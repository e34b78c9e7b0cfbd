"""All panels of one case, kept up to date with its session: the one place with timers, observers and shortcuts."""

from __future__ import annotations

import types

import qt

from MedSegAI.Session.expert_review import ExpertReview
from MedSegAI.Session.session import Session, SessionEvent
from MedSegAI.Widgets.consensus_panel import ConsensusPanel
from MedSegAI.Widgets.experts_panel import ExpertsPanel
from MedSegAI.Widgets.export_panel import ExportPanel
from MedSegAI.Widgets.heat_panel import HeatPanel
from MedSegAI.Widgets.model_panel import ModelPanel
from MedSegAI.Widgets.point_panel import PointPanel
from MedSegAI.Widgets.prepare_panel import PreparePanel
from MedSegAI.Widgets.refine_panel import RefinePanel
from MedSegAI.Widgets.region_panel import RegionPanel
from MedSegAI.Widgets.results_panel import ResultsPanel
from MedSegAI.Widgets.run_panel import RunPanel
from MedSegAI.Widgets.scans_panel import ScansPanel
from MedSegAI.Widgets.setup_panel import SetupPanel
from MedSegAI.Widgets.shortcuts import Shortcuts
from MedSegAI.Widgets.undo_buttons import UndoButtons

POLL_MILLISECONDS = 20
# Waiting inside Python lets its other threads run: Slicer's main loop holds the interpreter in between.
_SECONDS_FOR_OTHER_THREADS = 0.01


class CasePanels:
    """The panels of a session.

    What changes is shown once Qt is idle, however many changes there were: a dragged slider never waits for the
    other panels, and no widget is taken away while it still tells of its change.

    Args:
        panel: The widget that holds all of them.
        ui: The widgets by name.
        session: The case.
        setup: The set-up panel, which was there before the session.
    """

    def __init__(self, panel: qt.QWidget, ui: types.SimpleNamespace, session: Session, *, setup: SetupPanel) -> None:
        self._session = session
        self._run = RunPanel(ui, session)
        self._scans = ScansPanel(ui, session)
        self._point = PointPanel(ui, session)
        self._review = ExpertReview(session)
        self._writers = (
            ConsensusPanel(ui, session, self._review, writing=self._poll_from_now_on),
            ExportPanel(ui, session, writing=self._poll_from_now_on),
        )
        self._all = (
            setup,
            UndoButtons(ui, session),
            ModelPanel(ui, session),
            self._scans,
            PreparePanel(ui, session),
            RegionPanel(ui, session),
            self._point,
            self._run,
            ResultsPanel(ui, session),
            RefinePanel(ui, session),
            HeatPanel(ui, session),
            ExpertsPanel(ui, session, self._review),
            *self._writers,
        )
        self._poll_timer = qt.QTimer()
        self._poll_timer.setInterval(POLL_MILLISECONDS)
        self._poll_timer.connect("timeout()", self._poll)
        self._refresh_timer = qt.QTimer()
        self._refresh_timer.setSingleShot(True)
        self._refresh_timer.setInterval(0)
        self._refresh_timer.connect("timeout()", self.refresh)
        self._was_busy = False
        self._stop_observing = session.observe(self._on_change)
        self._shortcuts = Shortcuts(
            panel,
            {
                "Ctrl+Return": ui.segmentButton.click,
                "Esc": lambda: self._point.escape(ui.cancelButton.click),
                "Ctrl+Shift+H": ui.inSlicesCheck.toggle,
                "Ctrl+Z": ui.undoButton.click,
                "Ctrl+Y": ui.redoButton.click,
            },
        )
        self.refresh()

    def enter(self) -> None:
        """Show the case as it is now: segments may have been corrected elsewhere, scans loaded."""
        self._scans.choose_the_only_scan()
        self.refresh()

    def refresh(self) -> None:
        """Show the session's state in every panel."""
        for panel in self._all:
            panel.refresh()

    def close(self) -> None:
        """Leave no timer, observer or shortcut behind; a file that is being written is finished first."""
        self._stop_observing()
        self._poll_timer.stop()
        self._refresh_timer.stop()
        self._shortcuts.remove()
        self._point.close()
        self._review.close()
        for panel in self._writers:
            panel.wait()

    def _on_change(self, event: SessionEvent) -> None:
        if event is SessionEvent.RUN:
            self._run.refresh_run()
            if self._session.is_busy:
                self._poll_from_now_on()
            if self._session.is_busy == self._was_busy:
                return
            self._was_busy = self._session.is_busy
        self._session.warm_up()
        self._refresh_timer.start()

    def _poll_from_now_on(self) -> None:
        if not self._poll_timer.active:
            self._poll_timer.start()

    def _poll(self) -> None:
        writing = [panel for panel in self._writers if panel.is_writing]
        for panel in writing:
            panel.poll(timeout=_SECONDS_FOR_OTHER_THREADS)
        ended = self._session.poll(timeout=_SECONDS_FOR_OTHER_THREADS)
        if ended and not any(panel.is_writing for panel in writing):
            self._poll_timer.stop()
        elif not ended:
            self._run.refresh_run()
