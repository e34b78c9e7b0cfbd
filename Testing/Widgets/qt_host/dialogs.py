"""Dialogs that wait for a person: nobody sits here, so each is recorded and answered with what the test put in a queue.

A question without an answer in the queue is an error of the test, not a silent yes.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import slicer
from PySide6 import QtWidgets

from Testing.Widgets.qt_host.python_qt_signals import already_told

_Buttons = QtWidgets.QMessageBox.StandardButton
_QUIET = (_Buttons.Ok, _Buttons.Close, _Buttons.NoButton)


class UnansweredError(AssertionError):
    """A dialog asked something, and the test had put no answer in the queue."""


@dataclass(frozen=True)
class Shown:
    """One dialog that a person would have seen.

    Args:
        kind: "info", "warning", "error", "question", or the name of a file dialog.
        text: Its text.
        title: Its title; empty where it has none.
        detail: The text behind "Show details".
    """

    kind: str
    text: str
    title: str = ""
    detail: str = ""


@dataclass
class Dialogs:
    """Every dialog so far, and the answers still to give.

    Args:
        shown: What appeared, oldest first.
        answers: Next answers, oldest first: True or False, a button, a path for a file dialog, or a function of the
            :class:`Shown` that gives one.
    """

    shown: list[Shown] = field(default_factory=list)
    answers: list[object] = field(default_factory=list)

    def clear(self) -> None:
        """Forget everything."""
        self.shown.clear()
        self.answers.clear()

    def texts(self, kind: str) -> list[str]:
        """The texts of one kind of dialog, oldest first."""
        return [each.text for each in self.shown if each.kind == kind]

    def show(self, dialog: Shown) -> None:
        """Record a dialog that only tells something."""
        self.shown.append(dialog)

    def ask(self, dialog: Shown) -> object:
        """Record a dialog that asks something, and answer it."""
        self.shown.append(dialog)
        if not self.answers:
            raise UnansweredError(f"No answer was prepared for: {dialog}")
        answer = self.answers.pop(0)
        return answer(dialog) if callable(answer) else answer


dialogs = Dialogs()


def message_display(
    level: int, text: str, testing_answer: object, mainWindowNeeded: bool = False, **options: object
) -> object:
    """What stands in for ``slicer.util._messageDisplay``, through which its error, warning and question boxes go."""
    if (error := sys.exc_info()[1]) is not None:
        already_told.append(error)
    kinds = {logging.WARNING: "warning", logging.ERROR: "error"}
    kind = kinds.get(level, "info") if mainWindowNeeded else "question"
    return _message(kind, text, options)


def message_box(text: str, parent: object = None, **options: object) -> object:
    """What stands in for ``slicer.util.messageBox``."""
    quiet = options.get("standardButtons", _Buttons.Ok) in _QUIET
    return _message("info" if quiet else "question", text, options)


def _message(kind: str, text: str, options: dict[str, object]) -> object:
    dialog = Shown(kind, text, str(options.get("windowTitle") or ""), str(options.get("detailedText") or ""))
    if kind != "question":
        dialogs.show(dialog)
        return _Buttons.Ok
    return _as_button(dialogs.ask(dialog), options.get("standardButtons", _Buttons.Ok | _Buttons.Cancel))


def _as_button(answer: object, offered: QtWidgets.QMessageBox.StandardButton) -> object:
    if not isinstance(answer, bool):
        return answer
    wanted = (_Buttons.Ok, _Buttons.Yes, _Buttons.Retry) if answer else (_Buttons.Cancel, _Buttons.No, _Buttons.Close)
    return next(button for button in wanted if button & offered)


class MessageBox(QtWidgets.QMessageBox):
    """``qt.QMessageBox``: never waits."""

    stands_for_cpp = True

    def exec(self) -> object:
        """Record the box and answer it; quietly where it only has an Ok."""
        offered = self.standardButtons
        kind = "info" if offered in _QUIET and not self.buttons() else "question"
        options = {
            "windowTitle": self.windowTitle,
            "detailedText": self.detailedText,
            "standardButtons": offered,
        }
        return _message(kind, self.text, options)


def _static_box(kind: str) -> Callable[..., object]:
    def box(parent: object, title: str, text: str, buttons: object = _Buttons.Ok, *_: object) -> object:
        offered = _Buttons.Yes | _Buttons.No if kind == "question" and buttons is _Buttons.Ok else buttons
        asked = "question" if offered not in _QUIET else kind
        return _message(asked, text, {"windowTitle": title, "standardButtons": offered})

    return staticmethod(box)


for _name, _kind in {
    "question": "question",
    "information": "info",
    "warning": "warning",
    "critical": "error",
}.items():
    setattr(MessageBox, _name, _static_box(_kind))


def _chosen(kind: str) -> Callable[..., object]:
    def choose(parent: object = None, caption: str = "", *_: object, **__: object) -> object:
        return dialogs.ask(Shown(kind, caption))

    return staticmethod(choose)


class FileDialog(QtWidgets.QFileDialog):
    """``qt.QFileDialog``: the static functions give the queue's next path, as text (as in PythonQt), "" for Cancel."""

    stands_for_cpp = True
    getOpenFileName = _chosen("getOpenFileName")
    getOpenFileNames = _chosen("getOpenFileNames")
    getSaveFileName = _chosen("getSaveFileName")
    getExistingDirectory = _chosen("getExistingDirectory")


class InputDialog(QtWidgets.QInputDialog):
    """``qt.QInputDialog``: the static functions give the queue's next answer."""

    stands_for_cpp = True
    getText = _chosen("getText")
    getItem = _chosen("getItem")
    getInt = _chosen("getInt")
    getDouble = _chosen("getDouble")


def install() -> None:
    """Let the real ``slicer.util`` show its boxes here."""
    _replaced.update({name: getattr(slicer.util, name) for name in ("_messageDisplay", "messageBox")})
    slicer.util._messageDisplay = message_display
    slicer.util.messageBox = message_box
    dialogs.clear()


def uninstall() -> None:
    """Give ``slicer.util`` its own functions back."""
    for name, function in _replaced.items():
        setattr(slicer.util, name, function)
    _replaced.clear()


_replaced: dict[str, Callable[..., object]] = {}
