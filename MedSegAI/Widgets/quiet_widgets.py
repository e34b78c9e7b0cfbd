"""Showing a state in widgets without their telling that a user changed it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import qt


@contextmanager
def quiet(*widgets: qt.QObject) -> Iterator[None]:
    """Let widgets be set without sending signals, so that what a panel shows does not come back as a choice."""
    were_quiet = [widget.blockSignals(True) for widget in widgets]
    try:
        yield
    finally:
        for widget, was_quiet in zip(widgets, were_quiet):
            widget.blockSignals(was_quiet)


def show_choices(combo: qt.QComboBox, choices: tuple[tuple[str, str], ...], *, chosen: str) -> None:
    """Fill a combo box with pairs (what is read, what is meant) and show the one meant by ``chosen``; quietly."""
    with quiet(combo):
        there = tuple((combo.itemText(index), combo.itemData(index)) for index in range(combo.count))
        if there != choices:
            combo.clear()
            for text, meant in choices:
                combo.addItem(text, meant)
        combo.setCurrentIndex(combo.findData(chosen))
