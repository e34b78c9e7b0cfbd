"""Rewrite the file lists of MedSegAI/CMakeLists.txt from the tree: Slicer installs only what they name."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

MODULE_FOLDER = Path(__file__).resolve().parents[1] / "MedSegAI"
CMAKE_FILE = MODULE_FOLDER / "CMakeLists.txt"
RESOURCE_SUFFIXES = {".json", ".png", ".safetensors", ".ts", ".txt", ".ui", ".yaml"}


def scripts_of_the_tree() -> list[str]:
    """Every Python file below the module's folder, as CMake names them."""
    return _below(lambda path: path.suffix == ".py")


def resources_of_the_tree() -> list[str]:
    """Every resource and schema below the module's folder, as CMake names them."""
    return _below(lambda path: path.suffix in RESOURCE_SUFFIXES and path != CMAKE_FILE)


def listed(variable: str, text: str) -> list[str]:
    """The entries of one ``set(variable ...)`` block of a CMake file's ``text``."""
    return _block(variable).search(text).group(2).split()


def with_lists_of_the_tree(text: str) -> str:
    """The CMake file's ``text`` with both lists as the tree has them."""
    for variable, names in (
        ("MODULE_PYTHON_SCRIPTS", scripts_of_the_tree()),
        ("MODULE_PYTHON_RESOURCES", resources_of_the_tree()),
    ):
        lines = "".join(f"  {name}\n" for name in names)
        text = _block(variable).sub(lambda found, lines=lines: f"{found.group(1)}\n{lines}  )", text)
    return text


def _below(keep: Callable[[Path], bool]) -> list[str]:
    paths = (path for path in MODULE_FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path.relative_to(MODULE_FOLDER).as_posix() for path in paths if keep(path))


def _block(variable: str) -> re.Pattern[str]:
    return re.compile(rf"(set\({variable})\b([^)]*)\)")


if __name__ == "__main__":
    CMAKE_FILE.write_text(with_lists_of_the_tree(CMAKE_FILE.read_text()))
