"""A module that the host has opened, and how its file is loaded."""

from __future__ import annotations

import importlib.util
import sys
import types
from dataclasses import dataclass
from pathlib import Path

import slicer
from PySide6 import QtWidgets

from Testing.Widgets.qt_host.slicer_application import LoadedModule
from Testing.Widgets.qt_host.waiting import pump


@dataclass(frozen=True)
class OpenModule:
    """The parts of an open module.

    Args:
        name: Its name.
        loaded: ``slicer.modules.<name>``.
        about: The object of the module class.
    """

    name: str
    loaded: LoadedModule
    about: object

    @property
    def panel(self) -> QtWidgets.QWidget:
        """The application's widget that holds the panel; what to take a picture of."""
        return self.loaded.widgetRepresentation()

    @property
    def widget(self) -> object:
        """The object of the module's Widget class as it is now (another one after a reload)."""
        return self.panel.self()

    @property
    def logic(self) -> object:
        """The widget's logic."""
        return self.widget.logic

    @property
    def ui(self) -> object:
        """The widget's named widgets, if it keeps them as ``ui``."""
        return self.widget.ui

    @property
    def file(self) -> types.ModuleType:
        """The module file as it is loaded now."""
        return sys.modules[self.name]

    def child(self, name: str) -> QtWidgets.QWidget:
        """A widget anywhere on the panel by its name; the newest where an earlier panel's is still there.

        Raises:
            LookupError: if there is none.
        """
        found = self.panel.findChildren(QtWidgets.QWidget, name)
        if not found:
            raise LookupError(f"There is no widget {name} on the panel.")
        return found[-1]

    def enter(self) -> None:
        """Open the panel."""
        slicer.util.selectModule(self.name)
        pump()

    def exit(self) -> None:
        """Go to another module."""
        slicer.util.selectModule("Welcome")
        pump()

    def reload(self) -> None:
        """What the developer's Reload button does: Slicer's own function, which runs the file again."""
        slicer.util.reloadScriptedModule(self.name)
        pump()


def load_module_file(path: Path) -> types.ModuleType:
    """Run a module file: Slicer enters the name in ``sys.modules`` before it does."""
    earlier = sys.modules.get(path.stem)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    # Packages of the same name that tests imported before stay what they are.
    for name, value in vars(earlier).items() if earlier is not None else ():
        if isinstance(value, types.ModuleType) and value.__name__ == f"{path.stem}.{name}":
            setattr(module, name, value)
    spec.loader.exec_module(module)
    return module
