"""Slicer's widgets that show MRML nodes, over the real scene."""

from __future__ import annotations

import shiboken6
import slicer
from PySide6 import QtCore, QtWidgets
from vtkmodules.vtkCommonCore import vtkCommand


class qMRMLWidget(QtWidgets.QWidget):
    """A widget that knows the scene and hands it on to what is connected to ``mrmlSceneChanged``."""

    stands_for_cpp = True
    cpp_signals = ("mrmlSceneChanged(vtkMRMLScene*)",)
    mrmlSceneChanged = QtCore.Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = None

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        """The scene."""
        return self._scene

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        """Use a scene."""
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


class SceneObserver:
    """Observers on one MRML object that end by themselves with the widget they serve."""

    def __init__(self, widget: QtWidgets.QWidget) -> None:
        self._widget = widget
        self._observed: list[tuple[slicer.vtkMRMLNode, int]] = []

    def observe(self, subject: object, events: dict[int, object]) -> None:
        """Call the functions of ``events`` on the events of ``subject``, in addition to what is observed already."""
        for event, function in events.items():
            self._observed.append((subject, subject.AddObserver(event, self._while_alive(function))))

    def stop(self) -> None:
        """Remove every observer."""
        for subject, tag in self._observed:
            subject.RemoveObserver(tag)
        self._observed.clear()

    def _while_alive(self, function: object) -> object:
        def call(caller: object, event: str) -> None:
            if shiboken6.isValid(self._widget):
                function()
            else:
                self.stop()

        return call


def _option(name: str, kind: object) -> QtCore.Property:
    def read(self: qMRMLNodeComboBox) -> object:
        return self._options[name]

    def write(self: qMRMLNodeComboBox, value: object) -> None:
        self._options[name] = list(value) if kind == "QStringList" else value
        self._refill()

    return QtCore.Property(kind, read, write)


class qMRMLNodeComboBox(QtWidgets.QWidget):
    """A list of the scene's nodes of some classes that follows the scene, as Slicer's node selector does."""

    stands_for_cpp = True
    cpp_signals = (
        "currentNodeChanged(vtkMRMLNode*)",
        "currentNodeChanged(bool)",
        "nodeAddedByUser(vtkMRMLNode*)",
        "nodeActivated(vtkMRMLNode*)",
        "mrmlSceneChanged(vtkMRMLScene*)",
    )
    currentNodeChanged = QtCore.Signal(object)
    currentNodeIDChanged = QtCore.Signal(str)
    nodeAddedByUser = QtCore.Signal(object)
    nodeActivated = QtCore.Signal(object)
    mrmlSceneChanged = QtCore.Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = {
            "nodeTypes": [],
            "noneEnabled": False,
            "noneDisplay": "None",
            "addEnabled": True,
            "removeEnabled": True,
            "renameEnabled": False,
            "editEnabled": False,
            "showHidden": False,
            "showChildNodeTypes": True,
            "selectNodeUponCreation": True,
            "baseName": "",
        }
        self._scene = None
        self._attributes: list[tuple[str, str | None]] = []
        self._told = ""
        self._filling = False
        self._observer = SceneObserver(self)
        self._names = SceneObserver(self)
        self._list = QtWidgets.QComboBox()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._list)
        self._list.currentIndexChanged.connect(self._tell)
        self._list.activated.connect(lambda _: self.nodeActivated.emit(self.currentNode()))

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        """The scene whose nodes are listed."""
        return self._scene

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        """List another scene's nodes; until then the list is empty and disabled."""
        if scene is self._scene:
            return
        self._observer.stop()
        self._names.stop()
        self._scene = scene
        if scene is not None:
            self._observer.observe(
                scene,
                dict.fromkeys(
                    (
                        scene.NodeAddedEvent,
                        scene.NodeRemovedEvent,
                        scene.EndBatchProcessEvent,
                        scene.EndCloseEvent,
                        scene.EndImportEvent,
                    ),
                    self._refill,
                ),
            )
        self._refill()
        self.mrmlSceneChanged.emit(scene)

    def nodes(self) -> list[slicer.vtkMRMLNode]:
        """The nodes on offer, in the scene's order."""
        if self._scene is None:
            return []
        every = (self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes()))
        return [node for node in every if self._is_offered(node)]

    def nodeCount(self) -> int:
        """How many nodes are on offer."""
        return len(self.nodes())

    def addAttribute(self, node_class: str, name: str, value: str | None = None) -> None:
        """Offer only nodes that have an attribute."""
        self._attributes.append((name, value))
        self._refill()

    def addNode(self, node_class: str | None = None) -> slicer.vtkMRMLNode:
        """Make a node, as "Create new" in the list does."""
        node = self._scene.AddNewNodeByClass(node_class or self.nodeTypes[0], self.baseName)
        self.nodeAddedByUser.emit(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        return node

    def removeCurrentNode(self) -> None:
        """Remove the chosen node from the scene."""
        self._scene.RemoveNode(self.currentNode())

    def currentNode(self) -> slicer.vtkMRMLNode | None:
        """The chosen node."""
        identifier = self._list.currentData
        return self._scene.GetNodeByID(identifier) if identifier and self._scene is not None else None

    def setCurrentNode(self, node: slicer.vtkMRMLNode | str | None) -> None:
        """Choose a node, or none; one that is not on offer is as none."""
        identifier = node.GetID() if isinstance(node, slicer.vtkMRMLNode) else node
        self._list.currentIndex = self._list.findData(identifier or "")

    def setCurrentNodeID(self, identifier: str) -> None:
        """Choose a node by its ID."""
        self.setCurrentNode(identifier)

    def _is_offered(self, node: slicer.vtkMRMLNode) -> bool:
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        if self.showChildNodeTypes:
            right = any(node.IsA(name) for name in self.nodeTypes)
        else:
            right = node.GetClassName() in list(self.nodeTypes)
        return right and all(
            node.GetAttribute(name) is not None and value in (None, node.GetAttribute(name))
            for name, value in self._attributes
        )

    def _refill(self) -> None:
        if self._scene is not None and self._scene.IsBatchProcessing():
            return
        chosen, had_choice = self._list.currentData, self._list.currentIndex >= 0
        self._filling = True
        self._list.clear()
        if self.noneEnabled:
            self._list.addItem(self.noneDisplay, "")
        self._names.stop()
        for node in self.nodes():
            self._list.addItem(node.GetName(), node.GetID())
            self._names.observe(node, {vtkCommand.ModifiedEvent: self._show_names})
        kept = self._list.findData(chosen) if had_choice else -1
        # Where there is no "None" to choose, Slicer chooses the first node as soon as there is one.
        self._list.currentIndex = kept if kept >= 0 else (0 if self._list.count else -1)
        self._filling = False
        self._list.enabled = self._scene is not None
        self._tell()

    def _show_names(self) -> None:
        for index in range(self._list.count):
            node = self._scene.GetNodeByID(self._list.itemData(index) or "")
            if node is not None and node.GetName() != self._list.itemText(index):
                self._list.setItemText(index, node.GetName())

    def _tell(self, index: int = -1) -> None:
        identifier = self._list.currentData or ""
        if self._filling or identifier == self._told:
            return
        self._told = identifier
        self.currentNodeChanged.emit(self.currentNode())
        self.currentNodeIDChanged.emit(identifier)

    def _current_node_id(self) -> str:
        return self._list.currentData or ""

    nodeTypes = _option("nodeTypes", "QStringList")
    noneEnabled = _option("noneEnabled", bool)
    noneDisplay = _option("noneDisplay", str)
    addEnabled = _option("addEnabled", bool)
    removeEnabled = _option("removeEnabled", bool)
    renameEnabled = _option("renameEnabled", bool)
    editEnabled = _option("editEnabled", bool)
    showHidden = _option("showHidden", bool)
    showChildNodeTypes = _option("showChildNodeTypes", bool)
    selectNodeUponCreation = _option("selectNodeUponCreation", bool)
    baseName = _option("baseName", str)
    currentNodeID = QtCore.Property(str, _current_node_id, setCurrentNodeID)
