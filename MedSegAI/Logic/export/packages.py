"""The packages that exporting needs, asked for when they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from MedSegAI.Logic.errors import DependencyError


def needed(package: str) -> ModuleType:
    """Import one of the packages.

    Raises:
        DependencyError: if it is not installed; names the line that installs all of them.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise DependencyError(
            f"ONNX files are written with the package {package}, which is not installed.",
            advice="Install it: pip install onnx onnxscript onnxruntime",
        ) from error
