"""Packages that the module needs beside Slicer's own: looked for without importing them, and installed when asked."""

from __future__ import annotations

import functools
import importlib
import re
from importlib import metadata
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from MedSegAI.Logic.doctor import Check, State
from MedSegAI.Logic.errors import DependencyError


def missing_packages(requirements: Path) -> tuple[str, ...]:
    """Packages named in a requirements file that are not installed, by the names in the file."""
    lines = (line.split("#")[0].strip() for line in requirements.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not _is_installed(re.split(r"[\s\[<>=!~;]", line)[0]))


def has_torch() -> bool:
    """Whether torch is installed; it is not imported."""
    return _is_installed("torch")


def look_for_parts(requirements: Path) -> tuple[Check, ...]:
    """Whether the packages and torch are installed: what can be said at once, without the worker."""
    missing, press = missing_packages(requirements), _("Press 'Install what is missing'.")
    if missing:
        found = _("missing: {names}").format(names=", ".join(missing))
        packages = Check(_("Python packages"), State.MISSING, found, press, essential=True)
    else:
        packages = Check(_("Python packages"), State.OK, _("installed"), essential=True)
    if has_torch():
        torch = Check("PyTorch", State.OK, _version_of("torch"), essential=True)
    else:
        torch = Check("PyTorch", State.MISSING, _("not installed"), press, essential=True)
    return packages, torch


def install_packages(requirements: Path) -> None:
    """Install the packages of a requirements file that are missing, after the user agreed.

    Raises:
        DependencyError: if the user does not want them or they cannot be installed.
    """
    missing = missing_packages(requirements)
    if not missing:
        return
    names = ", ".join(missing)
    try:
        agreed = _install_after_asking(list(missing), names)
    except Exception as error:
        raise DependencyError(
            _("These packages could not be installed: {names}.").format(names=names),
            advice=_("Check the connection to the internet; Slicer's error log says more."),
        ) from error
    if not agreed:
        raise DependencyError(_("MedSegAI cannot run without {names}.").format(names=names))
    importlib.invalidate_caches()


def install_torch() -> None:
    """Have the PyTorch extension install torch, which asks the user itself.

    The extension imports torch into Slicer to check it; nothing of MedSegAI does.

    Raises:
        DependencyError: if the extension is missing or torch was not installed.
    """
    if has_torch():
        return
    try:
        import PyTorchUtils
    except ImportError as error:
        raise DependencyError(
            _("MedSegAI needs Slicer's PyTorch extension."),
            advice=_("Install it with the Extensions Manager, restart Slicer and try again."),
        ) from error
    if PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True) is None:
        raise DependencyError(_("PyTorch was not installed."))
    importlib.invalidate_caches()


def _install_after_asking(requirements: list[str], names: str) -> bool:
    """Whether the user agreed; then they are installed."""
    try:
        packaging = importlib.import_module("slicer.packaging")
    except ImportError:
        # Slicer older than 5.11 only has the plain installation.
        question = _("MedSegAI needs these Python packages: {names}. Install them now?").format(names=names)
        if not slicer.util.confirmOkCancelDisplay(question, windowTitle="MedSegAI"):
            return False
        slicer.util.pip_install(requirements)
        return True
    try:
        packaging.pip_ensure(requirements, requester="MedSegAI")
    except RuntimeError:
        # What it raises where the user declines.
        return False
    return True


def _is_installed(package: str) -> bool:
    try:
        _version_of(package)
    except metadata.PackageNotFoundError:
        return False
    return True


@functools.cache
def _version_of(package: str) -> str:
    # What is there stays there while Slicer runs; what is missing raises, so it is looked for again.
    return metadata.version(package)
