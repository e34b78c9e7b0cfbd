"""Which widget can show which parameter, with Slicer's own restrictions: a pair that Slicer refuses is refused here."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

import slicer
from PySide6 import QtCore, QtWidgets

from Testing.Widgets.qt_host.ctk_widgets import ctkPathLineEdit, ctkSliderWidget
from Testing.Widgets.qt_host.mrml_widgets import qMRMLNodeComboBox
from Testing.Widgets.qt_host.parameter_kinds import (
    Choice,
    Decimals,
    Kind,
    Maximum,
    Minimum,
    SingleStep,
    WithinRange,
)


@dataclass
class Connector:
    """A widget bound to a parameter.

    Args:
        read: Gives the widget's value.
        write: Shows a value.
        changed: The widget's signal.
    """

    read: Callable[[], object]
    write: Callable[[object], None]
    changed: QtCore.SignalInstance
    _called: Callable[..., None] | None = None

    def on_changed(self, function: Callable[[], None]) -> None:
        """Call a function whenever the widget's value changes."""
        self._called = lambda *_: function()
        self.changed.connect(self._called)

    def release(self) -> None:
        """Call nothing any more."""
        if self._called is not None:
            self.changed.disconnect(self._called)
            self._called = None


def connector(widget: QtWidgets.QWidget, kind: Kind) -> Connector:
    """Bind a widget.

    Raises:
        RuntimeError: if Slicer's wrapper would not bind this widget to this type: a subclass of the widget, a combo
            box without ``Choice``, a slider without a range.
    """
    plain = kind.plain
    for widgets, types, bind in _BINDINGS:
        if type(widget) in widgets and issubclass(plain, types) and (plain is not bool or bool in types):
            return bind(widget, kind)
    raise RuntimeError(f"Unable to bind a parameter of type {plain} to a {type(widget).__name__}")


def _property(widget: QtWidgets.QWidget, name: str, changed: QtCore.SignalInstance) -> Connector:
    return Connector(lambda: getattr(widget, name), lambda value: setattr(widget, name, value), changed)


def _bind_line(widget: QtWidgets.QLineEdit, kind: Kind) -> Connector:
    return _property(widget, "text", widget.textChanged)


def _bind_text(widget: QtWidgets.QTextEdit, kind: Kind) -> Connector:
    return Connector(widget.toPlainText, widget.setPlainText, widget.textChanged)


def _bind_check(widget: QtWidgets.QAbstractButton, kind: Kind) -> Connector:
    widget.checkable = True
    return _property(widget, "checked", widget.toggled)


def _bind_number(widget: QtWidgets.QWidget, kind: Kind) -> Connector:
    if (decimals := kind.find(Decimals)) is not None and hasattr(widget, "decimals"):
        widget.decimals = decimals.value
    if (step := kind.find(SingleStep)) is not None:
        widget.singleStep = step.value
    low, high = _range(kind)
    if isinstance(widget, (ctkSliderWidget, QtWidgets.QSlider)) and None in (low, high):
        raise RuntimeError(f"A {type(widget).__name__} needs a parameter with a range (WithinRange).")
    unbounded = (-(2**31), 2**31 - 1) if kind.plain is int else (float("-inf"), float("inf"))
    widget.setRange(unbounded[0] if low is None else low, unbounded[1] if high is None else high)
    return _property(widget, "value", widget.valueChanged)


def _range(kind: Kind) -> tuple[float | None, float | None]:
    if (within := kind.find(WithinRange)) is not None:
        return within.minimum, within.maximum
    low, high = kind.find(Minimum), kind.find(Maximum)
    return (None if low is None else low.minimum), (None if high is None else high.maximum)


def _bind_choice(widget: QtWidgets.QComboBox, kind: Kind) -> Connector:
    choice = kind.find(Choice)
    if choice is None:
        raise RuntimeError("A QComboBox needs a parameter with the annotation Choice.")
    return _bind_items(widget, {str(each): each for each in choice.choices})


def _bind_enum(widget: QtWidgets.QComboBox, kind: Kind) -> Connector:
    label = getattr(kind.plain, "label", lambda each: each.name)
    return _bind_items(widget, {label(each): each for each in kind.plain})


def _bind_items(widget: QtWidgets.QComboBox, items: dict[str, object]) -> Connector:
    values = list(items.values())
    widget.clear()
    widget.addItems(list(items))
    return Connector(
        lambda: values[widget.currentIndex],
        lambda value: setattr(widget, "currentIndex", values.index(value)),
        widget.currentIndexChanged,
    )


def _bind_path(widget: ctkPathLineEdit, kind: Kind) -> Connector:
    return Connector(
        lambda: kind.plain(widget.currentPath),
        lambda value: widget.setCurrentPath(str(value)),
        widget.currentPathChanged,
    )


def _bind_node(widget: qMRMLNodeComboBox, kind: Kind) -> Connector:
    # Slicer's wrapper overrides what the .ui file says about the classes of nodes.
    widget.nodeTypes = [kind.plain.__name__]
    return Connector(widget.currentNode, widget.setCurrentNode, widget.currentNodeChanged)


_BINDINGS = (
    ((QtWidgets.QCheckBox, QtWidgets.QPushButton), (bool,), _bind_check),
    ((QtWidgets.QSlider, QtWidgets.QSpinBox), (int,), _bind_number),
    ((QtWidgets.QDoubleSpinBox, ctkSliderWidget), (float,), _bind_number),
    ((QtWidgets.QComboBox,), (enum.Enum,), _bind_enum),
    ((QtWidgets.QComboBox,), (int, float, str, bool), _bind_choice),
    ((QtWidgets.QLineEdit,), (str,), _bind_line),
    ((QtWidgets.QTextEdit,), (str,), _bind_text),
    ((ctkPathLineEdit,), (PurePath,), _bind_path),
    ((qMRMLNodeComboBox,), (slicer.vtkMRMLNode,), _bind_node),
)
