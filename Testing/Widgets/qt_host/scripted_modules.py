"""``slicer.ScriptedLoadableModule``: the base classes of a module file, which do what Slicer's do."""

from __future__ import annotations

import importlib
import sys
import types
import unittest
from pathlib import Path

import slicer
from PySide6 import QtCore, QtWidgets

from Testing.Widgets.qt_host.mrml_widgets import qMRMLWidget
from Testing.Widgets.qt_host.python_qt_signals import keep_error


class ScriptedLoadableModule:
    """What the application knows of a module."""

    def __init__(self, parent: object) -> None:
        super().__init__()
        self.parent = parent
        self.moduleName = type(self).__name__
        if not hasattr(slicer, "selfTests"):
            slicer.selfTests = {}
        slicer.selfTests[self.moduleName] = self.runTest

    def resourcePath(self, name: str) -> str:
        """The path of a file in the module's ``Resources``."""
        return str(Path(self.parent.path).parent / "Resources" / name)

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        """A sentence with a link to Slicer's documentation."""
        return f"<a href='{slicer.app.moduleDocumentationUrl(docPage or self.moduleName)}'>documentation</a>"

    def runTest(self, msec: int = 100, **options: object) -> None:
        """Run the module's own tests."""
        test = getattr(importlib.import_module(type(self).__module__), f"{self.moduleName}Test")()
        test.messageDelay = msec
        test.runTest(**options)


class ScriptedLoadableModuleWidget:
    """A module's panel."""

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        self.parent = parent or _own_window()
        self.layout = self.parent.layout()
        if not parent:
            self.setup()
            self.parent.show()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def resourcePath(self, name: str) -> str:
        """The path of a file in the module's ``Resources``."""
        return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / name)

    def setup(self) -> None:
        """Build the panel."""

    def cleanup(self) -> None:
        """End what the panel holds, before the module is unloaded."""

    def enter(self) -> None:
        """The panel is opened."""

    def exit(self) -> None:
        """The panel is left."""

    def onReload(self) -> None:
        """Load the module's file again, as a developer's button does."""
        slicer.util.reloadScriptedModule(self.moduleName)

    def _onModuleAboutToBeUnloaded(self, name: str) -> None:
        if name == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)


class ScriptedLoadableModuleLogic:
    """What a module can do without its panel."""

    def __init__(self, parent: object = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> slicer.vtkMRMLScriptedModuleNode:
        """The module's node in the scene; made where there is none."""
        if self.isSingletonParameterNode:
            node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
            if node is not None:
                # Closing the scene empties the node but leaves it there.
                node.SetAttribute("ModuleName", self.moduleName)
                return node
        elif existing := self.getAllParameterNodes():
            return existing[0]
        return slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self) -> list[slicer.vtkMRMLScriptedModuleNode]:
        """Every node of this module."""
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> slicer.vtkMRMLScriptedModuleNode:
        """A new node, not in the scene yet."""
        node = slicer.vtkMRMLScriptedModuleNode()
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A module's own test."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.messageDelay = 0

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        """Let Qt catch up."""
        slicer.app.processEvents()

    def runTest(self) -> None:
        """Nothing: a module's test says what it runs."""


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The application's side of a panel: makes the module's Python object and tells it when it is entered and left."""

    stands_for_cpp = True

    def __init__(self, name: str) -> None:
        super().__init__()
        QtWidgets.QVBoxLayout(self)
        self.objectName = f"{name}ModuleWidget"
        self._name = name
        self._entered = False
        self._python: ScriptedLoadableModuleWidget | None = None
        self.setMRMLScene(slicer.mrmlScene)
        self.reload()

    def reload(self) -> None:
        """Make the Python object from the class that the module's file has now, and let it build the panel."""
        module = sys.modules[self._name]
        self._python = getattr(module, f"{self._name}Widget")(self)
        setattr(slicer.modules, f"{self._name}Widget", self._python)
        self._python.setup()

    def self(self) -> ScriptedLoadableModuleWidget:
        """The module's Python object."""
        return self._python

    def enter(self) -> None:
        """The panel is opened; an exception of the module's is printed and kept, as everywhere in Qt."""
        self._entered = True
        self._call(self._python.enter)

    def exit(self) -> None:
        """The panel is left."""
        self._entered = False
        self._call(self._python.exit)

    def _call(self, function: object) -> None:
        try:
            function()
        except Exception:
            keep_error(*sys.exc_info())

    def _is_entered(self) -> bool:
        return self._entered

    isEntered = QtCore.Property(bool, _is_entered)


def scripted_module_namespace() -> types.ModuleType:
    """The module ``slicer.ScriptedLoadableModule``."""
    module = types.ModuleType("slicer.ScriptedLoadableModule", __doc__)
    for each in (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    ):
        setattr(module, each.__name__, each)
    return module


def _own_window() -> qMRMLWidget:
    window = qMRMLWidget()
    QtWidgets.QVBoxLayout(window)
    window.setMRMLScene(slicer.mrmlScene)
    return window
