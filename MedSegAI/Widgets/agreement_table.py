"""The table of how well the raters agree on each structure."""

from __future__ import annotations

import qt
from slicer.i18n import tr as _

from MedSegAI.Logic.agreement.bootstrap import Estimate
from MedSegAI.Logic.agreement.results import CaseAgreement, LabelAgreement
from MedSegAI.Logic.agreement.sentences import figure, with_interval
from MedSegAI.Widgets.table_items import figure_item, fit_height, text_item

_STRUCTURE = 0


class AgreementTable:
    """Shows kappa, alpha and Dice for each structure.

    Args:
        table: The widget.
    """

    def __init__(self, table: qt.QTableWidget) -> None:
        self._table = table
        titles = (_("Structure"), _("Kappa"), _("Alpha"), "Dice")
        explained = (
            _("What was segmented."),
            _("Fleiss' kappa: agreement beyond chance over the voxels that all raters looked at."),
            _("Krippendorff's alpha: the same over the voxels that at least two raters looked at."),
            _("The lowest and the highest Dice of two raters."),
        )
        table.setHorizontalHeaderLabels(titles)
        for column, text in enumerate(explained):
            table.horizontalHeaderItem(column).setToolTip(text)
        table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.horizontalHeader().setSectionResizeMode(_STRUCTURE, qt.QHeaderView.Stretch)
        table.verticalHeader().setVisible(False)
        self.show(None)

    def show(self, agreement: CaseAgreement | None) -> None:
        """Show what was measured; None hides the table."""
        table = self._table
        labels = () if agreement is None else agreement.labels
        table.setRowCount(len(labels))
        for number, label in enumerate(labels):
            for column, item in enumerate(_items(label)):
                table.setItem(number, column, item)
        table.setVisible(bool(labels))
        fit_height(table)


def _items(agreement: LabelAgreement) -> tuple[qt.QTableWidgetItem, ...]:
    name = text_item(agreement.label.name)
    name.setToolTip(agreement.label.name)
    return (name, _estimate(agreement.fleiss), _estimate(agreement.alpha), figure_item(_range_of_dice(agreement)))


def _estimate(estimate: Estimate) -> qt.QTableWidgetItem:
    item = figure_item(figure(estimate.value))
    item.setToolTip(with_interval(estimate, level=0.95))
    return item


def _range_of_dice(agreement: LabelAgreement) -> str:
    known = [pair.dice.value for pair in agreement.pairs if pair.dice.value is not None]
    if not known:
        return figure(None)
    low, high = figure(min(known)), figure(max(known))
    return low if low == high else f"{low} - {high}"
