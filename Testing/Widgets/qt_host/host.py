"""Runs Slicer's module file without the Slicer application: PySide's Qt in PythonQt's clothes over a real MRML scene.

What it proves: the module's own logic and wiring. Its file and its ``.ui`` are loaded unmodified, buttons are pressed,
node selectors follow a real ``vtkMRMLScene``, choices go through a real parameter node, workers are real processes, and
``slicer.util`` is Slicer's own file.

What it does not prove: anything of Slicer's application. The base classes, the parameter node wrapper, the CTK and MRML
widgets are small stand-ins written for these tests, with Slicer's names and rules as far as a module can notice; the
look is Qt's plain one; ``qMRMLSegmentEditorWidget`` is a placeholder; there are no views (``layoutManager()`` is None),
no Python console, no module of Slicer's. PySide 6 is not PythonQt over Qt 5: a call that PythonQt refuses may pass.

    with QtHost() as host:
        opened = host.open_module(MODULE_FILE)
        opened.ui.segmentButton.click()
        pump_until(lambda: opened.ui.statusLabel.text == "Done")

Inside ``with``, every Qt object of the process behaves as in PythonQt, ``slicer.app`` and ``slicer.mrmlScene`` exist
and ``MedSegAI.Bridge.scene.inside_slicer()`` is true; afterwards everything is as before.
"""

from __future__ import annotations

import os
import sys
import tempfile
import types
from pathlib import Path

import slicer
from PySide6 import QtCore, QtWidgets

from MedSegAI.Bridge.scene import new_scene
from Testing.Widgets.qt_host import dialogs, python_qt_habits, translations
from Testing.Widgets.qt_host.ctk_widgets import WIDGETS as CTK_WIDGETS
from Testing.Widgets.qt_host.ctk_widgets import ctk_module
from Testing.Widgets.qt_host.mrml_widgets import qMRMLNodeComboBox, qMRMLWidget
from Testing.Widgets.qt_host.open_module import OpenModule, load_module_file
from Testing.Widgets.qt_host.packages import Installer, packaging_namespace, pytorch_extension
from Testing.Widgets.qt_host.parameter_nodes import parameter_node_namespace
from Testing.Widgets.qt_host.python_qt_signals import already_told, keep_error, slot_errors
from Testing.Widgets.qt_host.qt_namespace import qt_module
from Testing.Widgets.qt_host.scripted_modules import (
    qSlicerScriptedLoadableModuleWidget,
    scripted_module_namespace,
)
from Testing.Widgets.qt_host.segment_widgets import (
    SegmentEditorModuleWidget,
    qMRMLSegmentEditorWidget,
    qMRMLSegmentsTableView,
)
from Testing.Widgets.qt_host.slicer_application import Application, LoadedModule, MainWindow, modules_of
from Testing.Widgets.qt_host.ui_files import UiLoader
from Testing.Widgets.qt_host.waiting import pump

MRML_WIDGETS = (qMRMLWidget, qMRMLNodeComboBox, qMRMLSegmentsTableView, qMRMLSegmentEditorWidget)


class QtHost:
    """Slicer's surroundings for as long as they are needed; one at a time.

    Args:
        packaging: Whether ``slicer.packaging`` exists (Slicer 5.11 and newer).
        pytorch: Whether the PyTorch extension (``PyTorchUtils``) is installed.
        segment_editor: Whether ``slicer.modules.segmenteditor`` exists, with the placeholder as its editor.
    """

    def __init__(self, *, packaging: bool = True, pytorch: bool = True, segment_editor: bool = True) -> None:
        self._packaging = packaging
        self._segment_editor = segment_editor
        self._pytorch = pytorch
        self._before: dict[str, object] = {}
        self._modules_before: dict[str, object] = {}
        self.dialogs = dialogs.dialogs
        self.installer = Installer()
        self.sample_data: list[dict[str, object]] = []
        self.opened: OpenModule | None = None

    def __enter__(self) -> QtHost:
        self.install()
        return self

    def __exit__(self, *_: object) -> None:
        self.uninstall()

    @property
    def scene(self) -> slicer.vtkMRMLScene:
        """``slicer.mrmlScene``."""
        return self._scene.mrml

    @property
    def main_window(self) -> MainWindow:
        """``slicer.util.mainWindow()``."""
        return self._window

    def install(self) -> None:
        """Put everything in its place.

        Raises:
            RuntimeError: if a host is there already.
        """
        if getattr(slicer, "app", None) is not None:
            raise RuntimeError("There is an application already.")
        self._scene = new_scene()
        self._folder = tempfile.TemporaryDirectory(prefix="medsegai-qt-host-", ignore_cleanup_errors=True)
        self._remember()
        _the_application()
        python_qt_habits.install()
        sys.excepthook = keep_error
        slot_errors.clear()
        already_told.clear()
        dialogs.install()
        UiLoader.widgets = (*CTK_WIDGETS, *MRML_WIDGETS)
        self._fill_slicer()
        self._window = MainWindow()

    def uninstall(self) -> None:
        """Close the module and take everything away again."""
        self.close()
        translations.unload_translations()
        for widget in QtWidgets.QApplication.topLevelWidgets():
            widget.close()
            widget.deleteLater()
        slicer.app.deleteLater()
        pump()
        dialogs.uninstall()
        python_qt_habits.uninstall()
        self._restore()
        self._folder.cleanup()

    def open_module(self, path: Path) -> OpenModule:
        """Load a module file as Slicer does when it starts, and open its panel."""
        name = path.stem
        file = load_module_file(path)
        loaded = LoadedModule(name, str(path))
        setattr(slicer.modules, name.lower(), loaded)
        about = getattr(file, name)(loaded)
        setattr(slicer.modules, f"{name}Instance", about)
        loaded.make_widget = lambda: qSlicerScriptedLoadableModuleWidget(name)
        slicer.app.startupCompleted.emit()
        self._window.show()
        slicer.util.selectModule(name)
        pump()
        self.opened = OpenModule(name, loaded, about)
        return self.opened

    def close(self) -> None:
        """Leave and unload the module, as Slicer does when it ends."""
        if self.opened is None:
            return
        name = self.opened.name
        self._window.moduleSelector().selectModule("")
        slicer.app.moduleManager().moduleAboutToBeUnloaded.emit(name)
        self.opened.panel.deleteLater()
        self.opened = None
        pump()

    def speak(self, ts_file: Path) -> None:
        """Use a translation from now on; panels built before keep their texts."""
        translations.load_translation(ts_file, Path(self._folder.name))

    def take_slot_errors(self) -> list[BaseException]:
        """Exceptions that Qt swallowed and no dialog told of, oldest first; forgotten afterwards."""
        errors = list(slot_errors)
        slot_errors.clear()
        return errors

    def raise_slot_errors(self) -> None:
        """Raise the first of them; what a test's fixture does at its end."""
        if errors := self.take_slot_errors():
            raise errors[0]

    def _fill_slicer(self) -> None:
        slicer.mrmlScene = self._scene.mrml
        slicer.app = Application(self._scene, self._folder.name)
        slicer.modules = modules_of(self._scene)
        if self._segment_editor:
            slicer.modules.segmenteditor = LoadedModule("SegmentEditor")
            slicer.modules.segmenteditor.make_widget = SegmentEditorModuleWidget
        slicer.util.pip_install = self.installer.pip_install
        for widget in MRML_WIDGETS:
            setattr(slicer, widget.__name__, widget)
        namespaces = {
            "qt": qt_module(),
            "ctk": ctk_module(),
            "slicer.i18n": translations.translation_namespace(),
            "slicer.ScriptedLoadableModule": scripted_module_namespace(),
            "slicer.parameterNodeWrapper": parameter_node_namespace(),
            "slicer.packaging": packaging_namespace(self.installer) if self._packaging else None,
            "PyTorchUtils": pytorch_extension(self.installer) if self._pytorch else None,
            "SampleData": self._sample_data_namespace(),
        }
        sys.modules.update(namespaces)
        for name, module in namespaces.items():
            if name.startswith("slicer.") and module is not None:
                setattr(slicer, name.partition(".")[2], module)

    def _sample_data_namespace(self) -> types.ModuleType:
        registered = self.sample_data

        class SampleDataLogic:
            """Keeps what modules register."""

            @staticmethod
            def registerCustomSampleDataSource(**source: object) -> None:
                """Remember a sample."""
                registered.append(source)

        module = types.ModuleType("SampleData")
        module.SampleDataLogic = SampleDataLogic
        return module

    def _remember(self) -> None:
        self._before = dict(vars(slicer))
        self._pip_before = slicer.util.pip_install
        self._modules_before = dict(sys.modules)
        self._path_before = list(sys.path)
        self._hook_before = sys.excepthook

    def _restore(self) -> None:
        for name in set(vars(slicer)) - set(self._before):
            delattr(slicer, name)
        vars(slicer).update(self._before)
        slicer.util.pip_install = self._pip_before
        sys.path[:] = self._path_before
        sys.excepthook = self._hook_before
        for name in ("qt", "ctk", "PyTorchUtils", "SampleData", "MedSegAI", *_slicer_parts()):
            if name in self._modules_before:
                sys.modules[name] = self._modules_before[name]
            else:
                sys.modules.pop(name, None)


def _slicer_parts() -> list[str]:
    return [f"slicer.{part}" for part in ("i18n", "ScriptedLoadableModule", "parameterNodeWrapper", "packaging")]


def _the_application() -> QtWidgets.QApplication:
    """The process's one QApplication; it stays, for Qt allows no second one."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    running = QtCore.QCoreApplication.instance()
    return running or QtWidgets.QApplication(["MedSegAI tests"])
