"""Sentences that come and go on the panel, such as why the last click could not be followed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import qt

from MedSegAI.Logic.errors import MedSegAIError


@contextmanager
def problems_shown_in(label: qt.QLabel) -> Iterator[None]:
    """Do what a click asks for; a :class:`MedSegAIError` is shown in the label, and success clears it."""
    try:
        yield
    except MedSegAIError as error:
        show_sentence(label, str(error))
    else:
        show_sentence(label, "")


def show_sentence(label: qt.QLabel, text: str) -> None:
    """Show a sentence in the label; none hides it."""
    label.setText(text)
    label.setVisible(bool(text))
