"""``slicer.app``, the main window and ``slicer.modules``: what a module asks of the application it runs in."""

from __future__ import annotations

import types
from collections.abc import Callable

import slicer
from PySide6 import QtCore, QtWidgets

from MedSegAI.Bridge.scene import OpenScene

VERSION = (5, 11, 0)


class ModuleManager(QtCore.QObject):
    """``slicer.app.moduleManager()``."""

    stands_for_cpp = True
    moduleAboutToBeUnloaded = QtCore.Signal(str)
    moduleLoaded = QtCore.Signal(str)

    def module(self, name: str) -> object:
        """A loaded module by its name, or None."""
        return getattr(slicer.modules, name.lower(), None)

    def factoryManager(self) -> ModuleManager:
        """Who knows the names."""
        return self

    def loadedModuleNames(self) -> list[str]:
        """Names of the loaded modules."""
        return [module.name for module in vars(slicer.modules).values() if isinstance(module, LoadedModule)]


class LoadedModule:
    """``slicer.modules.<name>``: a module that is loaded."""

    def __init__(self, name: str, path: str = "", *, logic: object = None) -> None:
        self.name = name
        self.path = path
        self.title = name
        self.categories: list[str] = []
        self.dependencies: list[str] = []
        self.contributors: list[str] = []
        self.helpText = ""
        self.acknowledgementText = ""
        self.icon = None
        self.hidden = False
        self._logic = logic
        self._widget: QtWidgets.QWidget | None = None
        self.make_widget: Callable[[], QtWidgets.QWidget] | None = None

    def logic(self) -> object:
        """The module's C++ logic."""
        return self._logic

    def widgetRepresentation(self) -> QtWidgets.QWidget | None:
        """The module's panel, made when first asked for."""
        if self._widget is None and self.make_widget is not None:
            self._widget = self.make_widget()
        return self._widget


def _text(value: str) -> QtCore.Property:
    return QtCore.Property(str, lambda self: value, constant=True)


class Application(QtCore.QObject):
    """``slicer.app``."""

    stands_for_cpp = True
    startupCompleted = QtCore.Signal()
    aboutToQuit = QtCore.Signal()

    def __init__(self, opened: OpenScene, folder: str) -> None:
        super().__init__()
        self._opened = opened
        self._folder = folder
        self._modules = ModuleManager(self)

    applicationName = _text("Slicer")
    applicationVersion = _text(".".join(map(str, VERSION)))
    documentationBaseUrl = _text("https://slicer.readthedocs.io/")
    majorVersion = QtCore.Property(int, lambda self: VERSION[0], constant=True)
    minorVersion = QtCore.Property(int, lambda self: VERSION[1], constant=True)
    temporaryPath = QtCore.Property(str, lambda self: self._folder, constant=True)

    def applicationLogic(self) -> slicer.vtkSlicerApplicationLogic:
        """The logic that views and module logics hang from."""
        return self._opened.application

    def mrmlScene(self) -> slicer.vtkMRMLScene:
        """The scene."""
        return self._opened.mrml

    def moduleManager(self) -> ModuleManager:
        """Who loads and unloads modules."""
        return self._modules

    def layoutManager(self) -> None:
        """None, as in Slicer without a main window: there are no views here."""

    def pythonConsole(self) -> None:
        """None: there is no console here."""

    def testingEnabled(self) -> bool:
        """False: in its testing mode Slicer answers its own questions."""
        return False

    def processEvents(self, *arguments: object) -> None:
        """Let Qt do what is waiting."""
        QtWidgets.QApplication.processEvents(*arguments)

    def topLevelWidgets(self) -> list[QtWidgets.QWidget]:
        """Every window."""
        return QtWidgets.QApplication.topLevelWidgets()

    def setOverrideCursor(self, cursor: object) -> None:
        """Show another cursor."""
        QtWidgets.QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        """Show the usual cursor."""
        QtWidgets.QApplication.restoreOverrideCursor()

    def settings(self) -> QtCore.QSettings:
        """Settings of this host alone: a file that goes with it."""
        return QtCore.QSettings(f"{self._folder}/Slicer.ini", QtCore.QSettings.Format.IniFormat)

    def userSettings(self) -> QtCore.QSettings:
        """As :meth:`settings`."""
        return self.settings()

    def translate(self, context: str, text: str) -> str:
        """A text in the application's language."""
        return QtCore.QCoreApplication.translate(context, text)

    def moduleDocumentationUrl(self, name: str) -> str:
        """Where Slicer documents a module."""
        return f"{self.documentationBaseUrl}user_guide/modules/{name.lower()}.html"

    def pauseRender(self) -> None:
        """Nothing: nothing is rendered here."""

    def resumeRender(self) -> None:
        """Nothing: nothing is rendered here."""


class ModuleSelector(QtWidgets.QWidget):
    """The menu of modules."""

    stands_for_cpp = True

    def __init__(self, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self._selected = ""
        self.hide()

    def selectModule(self, name: str) -> None:
        """Leave the module that is open and enter another; one without a panel leaves an empty place."""
        self._leave()
        self._selected = name
        module = slicer.app.moduleManager().module(name)
        panel = module.widgetRepresentation() if module is not None else None
        if panel is not None:
            self.parent().place.setWidget(panel)
            panel.show()
            panel.enter()

    def _leave(self) -> None:
        module = slicer.app.moduleManager().module(self._selected)
        panel = module.widgetRepresentation() if module is not None else None
        if panel is not None:
            panel.exit()
            self.parent().place.takeWidget()

    def _name(self) -> str:
        return self._selected

    selectedModule = QtCore.Property(str, _name)


class MainWindow(QtWidgets.QMainWindow):
    """What ``slicer.util.mainWindow()`` finds: a window with the open module's panel and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.objectName = "qSlicerMainWindow"
        self.place = QtWidgets.QScrollArea()
        self.place.widgetResizable = True
        self._selector = ModuleSelector(self)
        self.setCentralWidget(self.place)
        self.resize(480, 900)

    def moduleSelector(self) -> ModuleSelector:
        """The menu of modules."""
        return self._selector


def modules_of(opened: OpenScene) -> types.SimpleNamespace:
    """``slicer.modules`` with the C++ logics the scene has: ``slicer.modules.segmentations.logic()``."""
    loaded = {name.lower(): LoadedModule(name, logic=logic) for name, logic in opened.logics.items()}
    return types.SimpleNamespace(**loaded)
