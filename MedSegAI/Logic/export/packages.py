"""The packages that exporting needs, asked for when they are needed."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from MedSegAI.Logic.errors import DependencyError

_SENDS_NOTHING = "ORT_DISABLE_TELEMETRY"
"""Must be set before the first import."""


def needed(package: str) -> ModuleType:
    """Import one of the packages, so that it sends nothing: ONNX Runtime else tells its maker of every run.

    Raises:
        DependencyError: if it is not installed; names the line that installs all of them.
    """
    os.environ[_SENDS_NOTHING] = "1"
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise DependencyError(
            f"ONNX files are written with the package {package}, which is not installed.",
            advice="Install it: pip install onnx onnxscript onnxruntime",
        ) from error
