"""The panel that shows whether everything MedSegAI needs is here, and installs what is not."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import qt
from slicer.i18n import tr as _

from MedSegAI.Logic.doctor import Check, State, healthy
from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Widgets.dependencies import (
    has_torch,
    install_packages,
    install_torch,
    look_for_parts,
    missing_packages,
)
from MedSegAI.Widgets.problem_line import problems_shown_in

if TYPE_CHECKING:
    from MedSegAI.Session.session import Session

_PART, _STATE, _FOUND = range(3)
_READY, _LIMITED, _MISSING = "#2e8b57", "#c98a00", "#c0392b"


class SetupPanel:
    """Shows the parts that are needed; works before there is a session, for which a package may still be missing.

    Args:
        ui: The widgets by name.
        session: The case; None until :meth:`use` gives it.
        requirements: The file that names the packages.
        complete: Called after an installation once no package is missing.
    """

    def __init__(
        self,
        ui: types.SimpleNamespace,
        session: Session | None,
        *,
        requirements: Path,
        complete: Callable[[], None],
    ) -> None:
        self._ui, self._session = ui, session
        self._requirements, self._complete = requirements, complete
        self._shown: tuple[Check, ...] = ()
        ui.setupTable.setHorizontalHeaderLabels([_("Part"), _("State"), _("Found")])
        header = ui.setupTable.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(_FOUND, qt.QHeaderView.Stretch)
        # What was found is wrapped, so the rows' heights follow the panel's width, and the table's height follows them.
        rows = ui.setupTable.verticalHeader()
        rows.setVisible(False)
        rows.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        # All rows are resized one after the other. The timer belongs to the table and goes with it.
        self._rows_resized = qt.QTimer(ui.setupTable)
        self._rows_resized.setSingleShot(True)
        self._rows_resized.setInterval(0)
        self._rows_resized.connect("timeout()", self._fit_height)
        rows.connect("sectionResized(int,int,int)", lambda _row, _before, _now: self._rows_resized.start())
        ui.checkButton.connect("clicked(bool)", self._check)
        ui.installButton.connect("clicked(bool)", self._install)
        ui.setupSection.connect("contentsCollapsed(bool)", self._opened_or_collapsed)
        if not healthy(look_for_parts(requirements)):
            ui.setupSection.collapsed = False

    def use(self, session: Session) -> None:
        """Show this session's checks from now on."""
        self._session = session
        self.refresh()

    def refresh(self) -> None:
        """Show what the last check found, else what can be said without one."""
        ui, session = self._ui, self._session
        at_once = look_for_parts(self._requirements)
        checks = session.checks if session is not None and session.checks else at_once
        if checks != self._shown:
            self._shown = checks
            self._fill(checks)
        busy = session is not None and session.is_busy
        ui.checkButton.setEnabled(session is not None and not busy)
        ui.installButton.setEnabled(not healthy(at_once) and not busy)

    def _fill(self, checks: tuple[Check, ...]) -> None:
        table = self._ui.setupTable
        table.setRowCount(len(checks))
        for number, check in enumerate(checks):
            word, colour = _state_of(check)
            state = qt.QTableWidgetItem(word)
            state.setForeground(qt.QBrush(qt.QColor(colour)))
            found = f"{check.found}\n{check.advice}" if check.advice else check.found
            items = (qt.QTableWidgetItem(check.name), state, qt.QTableWidgetItem(found))
            for column, item in enumerate(items):
                item.setToolTip(found)
                item.setTextAlignment(qt.Qt.AlignLeft | qt.Qt.AlignTop)
                table.setItem(number, column, item)
        self._fit_height()

    def _fit_height(self) -> None:
        table = self._ui.setupTable
        rows = sum(table.rowHeight(number) for number in range(table.rowCount))
        table.setFixedHeight(rows + table.horizontalHeader().height + 2 * table.frameWidth)

    def _opened_or_collapsed(self, collapsed: bool) -> None:
        # The check starts the worker, so it waits until somebody looks.
        session = self._session
        if not collapsed and session is not None and not session.checks and not session.is_busy:
            self._check()

    def _check(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            self._session.start_examine()

    def _install(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            if missing_packages(self._requirements):
                self._install_one(_("Python packages"), lambda: install_packages(self._requirements))
            if not has_torch():
                self._install_one("PyTorch", install_torch)
        if self._session is None and not missing_packages(self._requirements):
            self._complete()
        self.refresh()

    def _install_one(self, what: str, install: Callable[[], None]) -> None:
        self._say(_("Installing: {what}").format(what=what))
        try:
            install()
        except MedSegAIError as error:
            self._say(str(error))
            raise
        self._say(_("Installed: {what}").format(what=what))

    def _say(self, text: str) -> None:
        self._ui.setupLog.setVisible(True)
        self._ui.setupLog.appendPlainText(text)


def _state_of(check: Check) -> tuple[str, str]:
    """What is said of a part, and in which colour."""
    if check.state is State.OK:
        return _("ready"), _READY
    if check.state is State.MISSING and check.essential:
        return _("missing"), _MISSING
    return (_("limited") if check.state is State.WARNING else _("not here")), _LIMITED
