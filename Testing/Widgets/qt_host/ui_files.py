"""``.ui`` files with Slicer's and CTK's widgets in them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from PySide6 import QtCore, QtUiTools, QtWidgets

from Testing.Widgets.qt_host.python_qt_habits import open_to_attributes
from Testing.Widgets.qt_host.python_qt_signals import connect


@dataclass(frozen=True)
class _Connection:
    sender: str
    signal: str
    receiver: str
    slot: str

    def passes_vtk_objects(self) -> bool:
        return "vtk" in self.signal


class UiLoader(QtUiTools.QUiLoader):
    """``qt.QUiLoader``: knows the host's widgets, and makes the file's connections that hand on MRML objects.

    Those are made here because Qt itself cannot carry the host's Python objects by their C++ type. Only what the file
    connects is connected: a node selector whose connection was forgotten stays empty here as it does in Slicer.
    """

    stands_for_cpp = True
    widgets: tuple[type, ...] = ()

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        for widget in UiLoader.widgets:
            self.registerCustomWidget(widget)

    def load(self, device: QtCore.QIODevice, parent: QtWidgets.QWidget | None = None) -> QtWidgets.QWidget:
        """Make the widgets that an open file describes.

        Raises:
            ValueError: if the file uses a widget that neither Qt nor the host has.
        """
        root = ElementTree.fromstring(device.readAll().data())
        self._refuse_unknown(root)
        carried = _take_vtk_connections(root)
        buffer = QtCore.QBuffer()
        buffer.setData(QtCore.QByteArray(ElementTree.tostring(root)))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        with open_to_attributes():
            top = super().load(buffer, parent)
        for each in carried:
            connect(_named(top, each.sender), each.signal, _named(top, each.receiver), each.slot)
        return top

    def _refuse_unknown(self, root: ElementTree.Element) -> None:
        known = set(self.availableWidgets()) | {"Line"} | {widget.__name__ for widget in UiLoader.widgets}
        used = {widget.get("class") for widget in root.iter("widget")}
        if used - known:
            raise ValueError(f"The .ui file uses widgets that this host does not have: {sorted(used - known)}")


def _take_vtk_connections(root: ElementTree.Element) -> list[_Connection]:
    taken = []
    for group in root.iter("connections"):
        for element in group.findall("connection"):
            texts = (element.findtext(name, "") for name in ("sender", "signal", "receiver", "slot"))
            connection = _Connection(*texts)
            if connection.passes_vtk_objects():
                taken.append(connection)
                group.remove(element)
    return taken


def _named(top: QtWidgets.QWidget, name: str) -> QtCore.QObject:
    found = top if top.objectName == name else top.findChild(QtCore.QObject, name)
    if found is None:
        raise ValueError(f"The .ui file connects {name}, which it does not contain.")
    return found
