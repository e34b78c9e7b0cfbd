"""The table of a case's raters: whose outlines are shown, what each said, and how well it meets the consensus."""

from __future__ import annotations

import datetime
import types

import qt
import slicer
from slicer.i18n import tr as _

from MedSegAI.Session.expert_review import ExpertReview
from MedSegAI.Session.rater_rows import RaterRow
from MedSegAI.Session.session import Session
from MedSegAI.Widgets.problem_line import problems_shown_in
from MedSegAI.Widgets.quiet_widgets import quiet
from MedSegAI.Widgets.table_items import figure_item, fit_height, swatch, text_item, tick_item

_RATER = 0


class RatersTable:
    """Lists the raters, shows and hides their outlines, compares two, withdraws what one said.

    Args:
        ui: The widgets by name.
        session: The case.
        review: Its experts.
    """

    def __init__(self, ui: types.SimpleNamespace, session: Session, review: ExpertReview) -> None:
        self._ui, self._session, self._review = ui, session, review
        self._shown: tuple[RaterRow, ...] = ()
        self._is_true = True
        table = ui.ratersTable
        titles = (_("Rater"), _("Status"), "Dice", _("Sens."), _("Spec."), _("Time"), _("Role"), _("Comment"))
        explained = (
            _("Tick a rater to show the outlines."),
            _("Draft, final or withdrawn."),
            _("Dice with the consensus at its most probable labels, mean over the structures; known after fusing."),
            _("Sensitivity: the part of the consensus that the rater has, too; mean over the structures."),
            _("Specificity: the part of the rest around the consensus that the rater left out, too."),
            _("When it was said, in this computer's time."),
            _("What the rater is."),
            _("What the rater wrote beside it."),
        )
        table.setHorizontalHeaderLabels(titles)
        for column, text in enumerate(explained):
            table.horizontalHeaderItem(column).setToolTip(text)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.horizontalHeader().setStretchLastSection(True)
        table.verticalHeader().setVisible(False)
        table.connect("itemChanged(QTableWidgetItem*)", self._show_or_hide)
        table.connect("itemSelectionChanged()", self._offer)
        ui.compareButton.connect("clicked(bool)", self._compare)
        ui.withdrawButton.connect("clicked(bool)", self._withdraw)
        self._fill(())

    def refresh(self, rows: tuple[RaterRow, ...]) -> None:
        """Show these raters, and offer what can be done with those that are selected."""
        if rows != self._shown or not self._is_true:
            self._shown, self._is_true = rows, True
            self._fill(rows)
        self._ui.ratersTable.setEnabled(not self._session.is_busy)
        self._offer()

    def _fill(self, rows: tuple[RaterRow, ...]) -> None:
        table = self._ui.ratersTable
        with quiet(table):
            table.setRowCount(len(rows))
            for number, row in enumerate(rows):
                for column, item in enumerate(_items(row)):
                    item.setToolTip(_told(row))
                    table.setItem(number, column, item)
        for widget in (table, self._ui.compareButton, self._ui.withdrawButton):
            widget.setVisible(bool(rows))
        fit_height(table, below=table.horizontalScrollBar().sizeHint.height())

    def _offer(self) -> None:
        selected = self._selected()
        idle = not self._session.is_busy
        counting = [row for row in selected if row.status != "withdrawn"]
        self._ui.compareButton.setEnabled(idle and len(selected) == len(counting) == 2)
        self._ui.withdrawButton.setEnabled(idle and len(selected) == len(counting) == 1)

    def _selected(self) -> list[RaterRow]:
        table = self._ui.ratersTable
        return [row for number, row in enumerate(self._shown) if table.item(number, _RATER).isSelected()]

    def _show_or_hide(self, item: qt.QTableWidgetItem) -> None:
        if item.column() != _RATER:
            return
        rater = self._shown[item.row()].rater
        with problems_shown_in(self._ui.problemLabel):
            if item.checkState() == qt.Qt.Checked:
                self._review.start_show(rater)
            else:
                self._review.hide(rater)
        # The tick stays where the outlines came, and goes where they could not be shown.
        self._is_true = False

    def _compare(self, _checked: bool = False) -> None:
        with problems_shown_in(self._ui.problemLabel):
            first, second = self._selected()
            self._review.start_compare(first.rater, second.rater)

    def _withdraw(self, _checked: bool = False) -> None:
        (row,) = self._selected()
        question = _("Withdraw the latest correction of {rater}? It stays in the folder, but counts no longer.")
        if slicer.util.confirmYesNoDisplay(question.format(rater=row.rater), windowTitle="MedSegAI"):
            with problems_shown_in(self._ui.problemLabel):
                self._review.withdraw(row.rater)


def _items(row: RaterRow) -> tuple[qt.QTableWidgetItem, ...]:
    """The cells of a row, in the order of the columns."""
    rater = tick_item(row.rater, ticked=row.visible)
    rater.setIcon(swatch(row.colour))
    return (
        rater,
        text_item(_status(row.status)),
        *(figure_item(_figure(value)) for value in (row.dice, row.sensitivity, row.specificity)),
        text_item(local_time(row.time)),
        text_item(row.role),
        text_item(row.comment),
    )


def _told(row: RaterRow) -> str:
    """What a row's tooltip says: who it is, and what was written beside the correction."""
    entries = _("{rater}: {count} entries in the folder.").format(rater=row.rater, count=row.entries)
    return "\n".join(part for part in (entries, row.role, row.comment) if part)


def _status(status: str) -> str:
    return {"draft": _("draft"), "final": _("final"), "withdrawn": _("withdrawn")}[status]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def local_time(utc: str) -> str:
    """A time of the journal (ISO 8601) in this computer's time, to the minute; empty where there is none."""
    if not utc:
        return ""
    try:
        return f"{datetime.datetime.fromisoformat(utc).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return utc
