"""Slicer's widgets for segments: a plain table of them, and a placeholder where the segment editor would be."""

from __future__ import annotations

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from Testing.Widgets.qt_host.mrml_widgets import SceneObserver, qMRMLWidget


class qMRMLSegmentsTableView(qMRMLWidget):
    """The segments of a segmentation node: shown or not, colour, name; follows the node."""

    stands_for_cpp = True
    cpp_signals = (*qMRMLWidget.cpp_signals, "selectionChanged(QItemSelection,QItemSelection)")
    selectionChanged = QtCore.Signal(object, object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._node = None
        self._filling = False
        self._observer = SceneObserver(self)
        self._table = QtWidgets.QTableWidget(0, 3)
        self._table.setHorizontalHeaderLabels(["", "Colour", "Name"])
        self._table.horizontalHeader().setStretchLastSection(True)
        self._table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        self._table.itemChanged.connect(self._write)
        self._table.selectionModel().selectionChanged.connect(lambda new, old: self.selectionChanged.emit(new, old))

    def segmentationNode(self) -> slicer.vtkMRMLSegmentationNode | None:
        """The node whose segments are shown."""
        return self._node

    def setSegmentationNode(self, node: slicer.vtkMRMLSegmentationNode | None) -> None:
        """Show another node's segments."""
        self._observer.stop()
        self._node = node
        if node is not None:
            segmentation = node.GetSegmentation()
            events = (
                segmentation.SegmentAdded,
                segmentation.SegmentRemoved,
                segmentation.SegmentModified,
                segmentation.SegmentsOrderModified,
            )
            self._observer.observe(
                node, dict.fromkeys((*events, slicer.vtkMRMLNode.ReferenceModifiedEvent), self._fill)
            )
            self._observer.observe(segmentation, dict.fromkeys(events, self._fill))
        self._fill()

    def displayedSegmentIDs(self) -> list[str]:
        """IDs of the segments listed, from top to bottom."""
        return [self._table.item(row, 2).data(QtCore.Qt.ItemDataRole.UserRole) for row in range(self._table.rowCount)]

    def selectedSegmentIDs(self) -> list[str]:
        """IDs of the rows chosen."""
        rows = sorted({index.row() for index in self._table.selectedIndexes()})
        return [self.displayedSegmentIDs()[row] for row in rows]

    def setSelectedSegmentIDs(self, identifiers: list[str]) -> None:
        """Choose rows."""
        flags = QtCore.QItemSelectionModel.SelectionFlag
        self._table.clearSelection()
        for row, identifier in enumerate(self.displayedSegmentIDs()):
            if identifier in identifiers:
                cell = self._table.model().index(row, 0)
                self._table.selectionModel().select(cell, flags.Select | flags.Rows)

    def _fill(self) -> None:
        self._filling = True
        segmentation = self._node.GetSegmentation() if self._node is not None else None
        identifiers = list(segmentation.GetSegmentIDs()) if segmentation is not None else []
        self._table.setRowCount(len(identifiers))
        for row, identifier in enumerate(identifiers):
            for column, item in enumerate(self._row(identifier, segmentation.GetSegment(identifier))):
                self._table.setItem(row, column, item)
        self._filling = False

    def _row(self, identifier: str, segment: slicer.vtkSegment) -> list[QtWidgets.QTableWidgetItem]:
        display = self._node.GetDisplayNode()
        shown, colour, name = (QtWidgets.QTableWidgetItem() for _ in range(3))
        visible = display is None or display.GetSegmentVisibility(identifier)
        shown.setCheckState(QtCore.Qt.CheckState.Checked if visible else QtCore.Qt.CheckState.Unchecked)
        colour.setBackground(QtGui.QColor.fromRgbF(*segment.GetColor()))
        name.setText(segment.GetName())
        name.setData(QtCore.Qt.ItemDataRole.UserRole, identifier)
        return [shown, colour, name]

    def _write(self, item: QtWidgets.QTableWidgetItem) -> None:
        if self._filling:
            return
        identifier = self.displayedSegmentIDs()[item.row()]
        if item.column() == 2:
            self._node.GetSegmentation().GetSegment(identifier).SetName(item.text())
        elif item.column() == 0 and self._node.GetDisplayNode() is not None:
            checked = item.checkState() == QtCore.Qt.CheckState.Checked
            self._node.GetDisplayNode().SetSegmentVisibility(identifier, checked)


class qMRMLSegmentEditorWidget(qMRMLWidget):
    """A placeholder: it remembers its nodes and says on the screen that it is not Slicer's segment editor."""

    stands_for_cpp = True

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._nodes: dict[str, object] = {}
        sign = QtWidgets.QLabel("Placeholder: Slicer's segment editor is here in Slicer; this host has none.")
        sign.wordWrap = True
        QtWidgets.QVBoxLayout(self).addWidget(sign)

    def mrmlSegmentEditorNode(self) -> object:
        """The node with the editor's choices."""
        return self._nodes.get("editor")

    def setMRMLSegmentEditorNode(self, node: object) -> None:
        """Remember the node with the editor's choices."""
        self._nodes["editor"] = node

    def segmentationNode(self) -> object:
        """The segmentation to edit."""
        return self._nodes.get("segmentation")

    def setSegmentationNode(self, node: object) -> None:
        """Remember the segmentation to edit."""
        self._nodes["segmentation"] = node

    def sourceVolumeNode(self) -> object:
        """The scan to edit over."""
        return self._nodes.get("source")

    def setSourceVolumeNode(self, node: object) -> None:
        """Remember the scan to edit over."""
        self._nodes["source"] = node

    def setCurrentSegmentID(self, identifier: str) -> None:
        """Remember the segment to edit."""
        self._nodes["segment"] = identifier

    def currentSegmentID(self) -> str:
        """The segment to edit."""
        return self._nodes.get("segment", "")

    def setActiveEffectByName(self, name: str) -> None:
        """Nothing: there are no effects here."""

    def installKeyboardShortcuts(self) -> None:
        """Nothing: there are no effects here."""

    def uninstallKeyboardShortcuts(self) -> None:
        """Nothing: there are no effects here."""


class SegmentEditorModuleWidget(qMRMLWidget):
    """The panel of the module Segment Editor: the placeholder, reached as in Slicer by ``.self().editor``."""

    def __init__(self) -> None:
        super().__init__()
        self.editor = qMRMLSegmentEditorWidget()
        QtWidgets.QVBoxLayout(self).addWidget(self.editor)

    def self(self) -> SegmentEditorModuleWidget:
        """What holds the editor."""
        return self

    def enter(self) -> None:
        """Nothing."""

    def exit(self) -> None:
        """Nothing."""
