"""The few widgets of CTK that scripted modules use, with CTK's properties and signals but not its look."""

from __future__ import annotations

import functools
import types

import shiboken6
from PySide6 import QtCore, QtWidgets

from Testing.Widgets.qt_host.dialogs import MessageBox


class ctkCollapsibleButton(QtWidgets.QWidget):
    """A section with a title to click on; its content is hidden while it is collapsed."""

    stands_for_cpp = True
    contentsCollapsed = QtCore.Signal(bool)
    toggled = QtCore.Signal(bool)
    clicked = QtCore.Signal(bool)

    def __init__(self, parent: object = None) -> None:
        text, parent = (parent, None) if isinstance(parent, str) else ("", parent)
        super().__init__(parent)
        self._ready = False
        self._collapsed = False
        self._shown_by_itself: list[QtWidgets.QWidget] = []
        self._title = QtWidgets.QToolButton(self)
        self._title.toolButtonStyle = QtCore.Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        self._title.autoRaise = True
        self._title.text = text
        self._title.arrowType = QtCore.Qt.ArrowType.DownArrow
        self._title.clicked.connect(lambda: self.clicked.emit(not self._collapsed))
        self._title.clicked.connect(lambda: self.setCollapsed(not self._collapsed))
        self.setContentsMargins(0, self._title.sizeHint.height(), 0, 0)
        self._ready = True

    def resizeEvent(self, event: object) -> None:
        """Keep the title across the whole width."""
        self._title.resize(self.width, self._title.sizeHint.height())

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        """Hide what is put into a collapsed section."""
        if event.added() and self._ready and self._collapsed:
            # The child is not complete yet, so it cannot be hidden now.
            QtCore.QTimer.singleShot(0, self._hide_late)

    def _hide_late(self) -> None:
        if shiboken6.isValid(self) and self._collapsed:
            shown = [child for child in self._content() if not child.isHidden()]
            self._shown_by_itself += shown
            for child in shown:
                child.hide()

    def setCollapsed(self, collapsed: bool) -> None:
        """Hide or show the content."""
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        arrows = QtCore.Qt.ArrowType
        self._title.arrowType = arrows.RightArrow if collapsed else arrows.DownArrow
        if collapsed:
            self._shown_by_itself = [child for child in self._content() if not child.isHidden()]
        for child in self._shown_by_itself:
            child.setVisible(not collapsed)
        self.contentsCollapsed.emit(collapsed)
        self.toggled.emit(not collapsed)

    def _content(self) -> list[QtWidgets.QWidget]:
        children = self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindChildOption.FindDirectChildrenOnly)
        return [child for child in children if child is not self._title]

    def _is_collapsed(self) -> bool:
        return self._collapsed

    def setText(self, text: str) -> None:
        """Set the title."""
        self._title.text = text

    def _text(self) -> str:
        return self._title.text

    def setChecked(self, checked: bool) -> None:
        """Open (checked) or collapse the section."""
        self.setCollapsed(not checked)

    def _is_checked(self) -> bool:
        return not self._collapsed

    collapsed = QtCore.Property(bool, _is_collapsed, setCollapsed)
    checked = QtCore.Property(bool, _is_checked, setChecked)
    text = QtCore.Property(str, _text, setText)


def _on_box(name: str, kind: type) -> QtCore.Property:
    """A property that is one of the spin box's."""

    def read(self: ctkSliderWidget) -> object:
        return getattr(self._box, name)

    def write(self: ctkSliderWidget, value: object) -> None:
        setattr(self._box, name, value)
        self._fit_slider()

    return QtCore.Property(kind, read, write)


class ctkSliderWidget(QtWidgets.QWidget):
    """A slider and a spin box for one decimal number."""

    stands_for_cpp = True
    valueChanged = QtCore.Signal(float)
    valueIsChanging = QtCore.Signal(float)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal)
        self._box = QtWidgets.QDoubleSpinBox()
        self._tracking = True
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self._fit_slider()
        self._slider.valueChanged.connect(self._follow_slider)
        self._box.valueChanged.connect(self._follow_box)

    def _follow_slider(self, position: int) -> None:
        self._box.value = self._box.minimum + position * self._box.singleStep

    def _follow_box(self, value: float) -> None:
        self._fit_slider()
        self.valueChanged.emit(value)

    def _fit_slider(self) -> None:
        box, slider = self._box, self._slider
        steps = (box.maximum - box.minimum) / (box.singleStep or 1.0)
        was_blocked = slider.blockSignals(True)
        slider.maximum = round(min(steps, 1_000_000))
        slider.value = round(min((box.value - box.minimum) / (box.singleStep or 1.0), 1_000_000))
        slider.blockSignals(was_blocked)

    def setValue(self, value: float) -> None:
        """Set the number; it is kept within the range."""
        self._box.value = value

    def setRange(self, low: float, high: float) -> None:
        """Set the smallest and the largest number."""
        self._box.setRange(low, high)
        self._fit_slider()

    def setMinimum(self, value: float) -> None:
        """Set the smallest number."""
        self.minimum = value

    def setMaximum(self, value: float) -> None:
        """Set the largest number."""
        self.maximum = value

    def setDecimals(self, value: int) -> None:
        """Set how many digits after the point are kept."""
        self.decimals = value

    def setSuffix(self, text: str) -> None:
        """Set what is shown after the number."""
        self.suffix = text

    def _get_tracking(self) -> bool:
        return self._tracking

    def _set_tracking(self, tracking: bool) -> None:
        self._tracking = tracking

    value = _on_box("value", float)
    minimum = _on_box("minimum", float)
    maximum = _on_box("maximum", float)
    singleStep = _on_box("singleStep", float)
    pageStep = _on_box("singleStep", float)
    decimals = _on_box("decimals", int)
    prefix = _on_box("prefix", str)
    suffix = _on_box("suffix", str)
    tracking = QtCore.Property(bool, _get_tracking, _set_tracking)


class ctkPathLineEdit(QtWidgets.QWidget):
    """A line for a path."""

    stands_for_cpp = True
    currentPathChanged = QtCore.Signal(str)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = QtWidgets.QLineEdit()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._line)
        self._line.textChanged.connect(self.currentPathChanged)

    def setCurrentPath(self, path: str) -> None:
        """Show a path."""
        self._line.text = path

    def _current_path(self) -> str:
        return self._line.text

    currentPath = QtCore.Property(str, _current_path, setCurrentPath)


class ctkMessageBox(MessageBox):
    """A message box."""

    stands_for_cpp = True


WIDGETS = (ctkCollapsibleButton, ctkSliderWidget, ctkPathLineEdit)


@functools.cache
def ctk_module() -> types.ModuleType:
    """The module ``ctk``."""
    module = types.ModuleType("ctk", __doc__)
    vars(module).update({each.__name__: each for each in (*WIDGETS, ctkMessageBox)})
    return module
