"""Stand-ins for the parts of Slicer that need the desktop application: just enough to load the module file.

``slicer``, ``slicer.util`` and every MRML class are the real ones of the PyPI package slicer-core. Missing there, and
replaced here, are Qt (``qt``), the base classes of scripted modules, the parameter node wrapper and the translations.
"""

from __future__ import annotations

import importlib.util
import sys
import types
import unittest
from pathlib import Path

import slicer


def stand_in_for_the_application() -> None:
    """Put the stand-ins where ``import`` finds them, and a real scene at ``slicer.mrmlScene``."""
    slicer.mrmlScene = slicer.vtkMRMLScene()
    _module("qt")
    _module("slicer.i18n", tr=str, translate=lambda context, text: text)
    _module("slicer.parameterNodeWrapper", parameterNodeWrapper=lambda cls: cls)
    _module(
        "slicer.ScriptedLoadableModule",
        ScriptedLoadableModule=_Module,
        ScriptedLoadableModuleWidget=type("ScriptedLoadableModuleWidget", (), {}),
        ScriptedLoadableModuleLogic=type("ScriptedLoadableModuleLogic", (), {}),
        ScriptedLoadableModuleTest=unittest.TestCase,
    )


def load_as_slicer_does(path: Path) -> types.ModuleType:
    """Load a module file: Slicer enters the name in ``sys.modules`` before it runs the file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


class _Module:
    def __init__(self, parent: object) -> None:
        self.parent = parent


def _module(name: str, **content: object) -> None:
    module = types.ModuleType(name)
    vars(module).update(content)
    sys.modules[name] = module
