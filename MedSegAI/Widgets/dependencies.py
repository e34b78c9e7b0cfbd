"""Packages that the module needs beside Slicer's own: looked for, and installed after asking, on first use."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import slicer

from MedSegAI.Logic.errors import DependencyError

_TORCH_ADVICE = "Install the PyTorch extension with Slicer's Extensions Manager, restart Slicer and try again."


def missing_packages(requirements: Path) -> tuple[str, ...]:
    """Packages named in a requirements file that are not installed, by the names in the file."""
    lines = (line.split("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not _is_installed(re.split(r"[\s\[<>=!~;]", line)[0]))


def ensure_packages(requirements: Path) -> None:
    """Install the packages of a requirements file that are missing, after the user agreed.

    Raises:
        DependencyError: if the user does not want them or they cannot be installed.
    """
    missing = missing_packages(requirements)
    if not missing:
        return
    names = ", ".join(missing)
    if not slicer.util.confirmOkCancelDisplay(f"MedSegAI needs these Python packages: {names}. Install them now?"):
        raise DependencyError(f"MedSegAI cannot run without {names}.", advice="Press Segment again to install them.")
    try:
        slicer.util.pip_install(list(missing))
    except Exception as error:
        raise DependencyError(
            f"These packages could not be installed: {names}.",
            advice="Check the connection to the internet; Slicer's error log says more.",
        ) from error


def ensure_torch() -> None:
    """Have the PyTorch extension install torch, which asks the user itself; torch is not imported.

    Raises:
        DependencyError: if the extension is missing or torch was not installed.
    """
    if _is_installed("torch"):
        return
    try:
        import PyTorchUtils
    except ImportError as error:
        raise DependencyError("MedSegAI needs the PyTorch extension.", advice=_TORCH_ADVICE) from error
    if PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True) is None:
        raise DependencyError("PyTorch was not installed.", advice="Press Segment again to install it.")


def _is_installed(package: str) -> bool:
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        return False
    return True
