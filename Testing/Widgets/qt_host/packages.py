"""Packages that a module asks Slicer to install: nothing is ever installed here, only recorded.

``slicer.packaging`` is there or not (it came with Slicer 5.11), and so is the PyTorch extension.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from pathlib import Path

import slicer
from packaging.requirements import Requirement


@dataclass
class Installer:
    """What was asked for, and how it ends.

    Args:
        installed: Every request, oldest first: the words given to pip.
        failure: What the next requests fail with; None lets them pass.
        torch_requests: The options of each request to the PyTorch extension.
        torch_answer: What the PyTorch extension gives back: its module torch, or None for "not installed".
    """

    installed: list[object] = field(default_factory=list)
    failure: Exception | None = None
    torch_requests: list[dict[str, object]] = field(default_factory=list)
    torch_answer: object = None

    def pip_install(self, requirements: str | list[str], **options: object) -> None:
        """Record a request."""
        if self.failure is not None:
            raise self.failure
        self.installed.append(requirements)

    def pip_ensure(self, requirements: object, *, prompt_install: bool = True, **options: object) -> None:
        """Ask, as Slicer does, and record what is missing.

        Raises:
            RuntimeError: if the person declines.
        """
        listed = requirements if isinstance(requirements, list) else [requirements]
        missing = [str(each) for each in listed if not pip_check(each)]
        if not missing:
            return
        if prompt_install and not slicer.util.confirmOkCancelDisplay(f"Install {', '.join(missing)}?"):
            raise RuntimeError("User declined package installation")
        self.pip_install(missing)


def pip_check(requirements: object) -> bool:
    """Whether packages are installed in the versions asked for."""
    from importlib.metadata import PackageNotFoundError, version

    listed = requirements if isinstance(requirements, list) else [requirements]
    for each in (Requirement(str(one)) for one in listed):
        try:
            found = version(each.name)
        except PackageNotFoundError:
            return False
        if not each.specifier.contains(found, prereleases=True):
            return False
    return True


def load_requirements(path: str | Path) -> list[Requirement]:
    """The packages a requirements file names."""
    lines = (line.split(" #")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def packaging_namespace(installer: Installer) -> types.ModuleType:
    """The module ``slicer.packaging``."""
    module = types.ModuleType("slicer.packaging", __doc__)
    module.load_requirements = load_requirements
    module.pip_check = pip_check
    module.pip_ensure = installer.pip_ensure
    module.pip_install = installer.pip_install
    return module


def pytorch_extension(installer: Installer) -> types.ModuleType:
    """The module ``PyTorchUtils`` of the PyTorch extension."""

    class PyTorchUtilsLogic:
        """Installs torch on request."""

        def installTorch(self, **options: object) -> object:
            """Record the request."""
            installer.torch_requests.append(options)
            return installer.torch_answer

        def torchInstalled(self) -> bool:
            """Whether torch can be imported."""
            return pip_check("torch")

    module = types.ModuleType("PyTorchUtils", __doc__)
    module.PyTorchUtilsLogic = PyTorchUtilsLogic
    return module
