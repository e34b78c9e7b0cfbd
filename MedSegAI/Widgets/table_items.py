"""What tables on the panel are made of: figures, patches of colour, and a height that fits few rows."""

from __future__ import annotations

import qt

_SWATCH_PIXELS = 14
_ROWS_AT_ONCE = 8


def swatch(colour: tuple[float, float, float]) -> qt.QIcon:
    """A patch of a colour (red, green, blue; 0..1)."""
    pixmap = qt.QPixmap(_SWATCH_PIXELS, _SWATCH_PIXELS)
    pixmap.fill(qt.QColor(*(round(255 * part) for part in colour)))
    return qt.QIcon(pixmap)


def figure_item(text: str) -> qt.QTableWidgetItem:
    """A figure, at the right of its cell."""
    item = text_item(text)
    item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
    return item


def text_item(text: str) -> qt.QTableWidgetItem:
    """A text that can be selected but not changed."""
    item = qt.QTableWidgetItem(text)
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
    return item


def tick_item(text: str, *, ticked: bool) -> qt.QTableWidgetItem:
    """A text with a box to tick."""
    item = qt.QTableWidgetItem(text)
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
    item.setCheckState(qt.Qt.Checked if ticked else qt.Qt.Unchecked)
    return item


def fit_height(table: qt.QTableWidget, *, below: int = 0) -> None:
    """As high as its rows, as long as they are few, and ``below`` pixels more."""
    rows = table.verticalHeader().defaultSectionSize * min(table.rowCount, _ROWS_AT_ONCE)
    table.setFixedHeight(rows + table.horizontalHeader().height + 2 * table.frameWidth + below)
