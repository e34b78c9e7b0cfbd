"""Imports only ever point down: faces, then Session, then Bridge, then Logic; and importing does no work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from Testing.source_tree import (
    FACES,
    PACKAGE,
    REPOSITORY_ROOT,
    face_files,
    imports_of,
    module_name,
    python_files,
    statements_that_run_on_import,
)

QT = {"qt", "ctk", "PySide6", "PySide2", "PyQt5", "PyQt6", "PythonQt", "shiboken6"}
SLICER_AND_VTK = {"slicer", "slicer_core", "vtk", "vtkmodules", "mrml", "vtkSegmentationCore", "trame", "trame_slicer"}
ARRAY_LIBRARIES = {"numpy", "scipy", "torch", "monai", "SimpleITK", "nibabel"}
FACE_PACKAGES = {f"MedSegAI.{face}" for face in FACES} | {"MedSegAI.MedSegAI"}


def forbidden_imports(files: Iterable[Path], *, tops: set[str] = frozenset(), packages: set[str] = frozenset()):
    """``file:line imports module`` for each import of one of the top-level names or of MedSegAI's own packages."""
    found = set()
    for path in files:
        for item in imports_of(path):
            own = any(item.module == package or item.module.startswith(f"{package}.") for package in packages)
            if own or item.top in tops:
                found.add(f"{path.relative_to(REPOSITORY_ROOT)}:{item.line} imports {item.module}")
    return sorted(found)


def test_logic_knows_neither_slicer_nor_vtk_nor_qt():
    assert forbidden_imports(python_files("Logic"), tops=SLICER_AND_VTK | QT) == []


def test_logic_knows_neither_the_bridge_nor_a_face():
    above = {"MedSegAI.Bridge", "MedSegAI.Session"} | FACE_PACKAGES
    assert forbidden_imports(python_files("Logic"), packages=above) == []


def test_no_rooms_of_logic_need_each_other_in_a_circle():
    """A room is a folder of Logic; the files beside the folders are words that every room shares and need none."""
    needs: dict[str, set[str]] = {}
    for path in python_files("Logic"):
        if path.stem != "doctor":
            needs.setdefault(_room(module_name(path)), set()).update(
                _room(item.module) for item in imports_of(path) if item.module.startswith("MedSegAI.Logic.")
            )
    assert needs["shared words"] == {"shared words"}
    others = {room: needed - {room} for room, needed in needs.items()}
    assert len(list(TopologicalSorter(others).static_order())) >= len(needs) > 5


def _room(module: str) -> str:
    """The folder of Logic that a module, or a name in it, lies in."""
    folder = module.split(".")[2]
    return folder if (PACKAGE / "Logic" / folder).is_dir() else "shared words"


def test_the_bridge_knows_neither_qt_nor_what_lies_above_it_nor_the_network_libraries():
    above = {"MedSegAI.Session"} | FACE_PACKAGES
    assert forbidden_imports(python_files("Bridge"), tops=QT | {"torch", "monai"}, packages=above) == []


def test_the_session_knows_no_face_and_does_no_array_arithmetic():
    tops = QT | {"trame", "trame_slicer"} | ARRAY_LIBRARIES
    assert forbidden_imports(python_files("Session"), tops=tops, packages=FACE_PACKAGES) == []


def test_the_faces_do_no_array_arithmetic():
    assert forbidden_imports(face_files(), tops=ARRAY_LIBRARIES) == []


def test_a_face_does_not_know_another_face():
    for face in FACES:
        others = {f"MedSegAI.{other}" for other in FACES if other != face}
        assert forbidden_imports(python_files(face), packages=others) == []


@pytest.mark.parametrize("path", python_files(), ids=module_name)
def test_nothing_runs_when_a_file_is_imported(path):
    assert statements_that_run_on_import(path) == []


def test_a_rule_that_is_broken_is_found(tmp_path):
    lazy = tmp_path / "lazy.py"
    lazy.write_text("import json\n\ndef f():\n    from vtkmodules.util import numpy_support\nprint(json)\n")
    assert [item.module for item in imports_of(lazy)] == ["json", "vtkmodules.util", "vtkmodules.util.numpy_support"]
    assert [item.at_file_scope for item in imports_of(lazy)] == [True, False, False]
    assert statements_that_run_on_import(lazy) == ["5: print(json)"]


def test_starting_a_face_loads_neither_torch_nor_monai():
    """The main thread of a face never computes; torch alone takes seconds to import."""
    logic = {
        item.module
        for path in face_files()
        for item in imports_of(path)
        if item.at_file_scope and item.module.startswith("MedSegAI.Logic.") and _is_module(item.module)
    }
    command_line = {module_name(path) for path in python_files("CommandLine") if path.stem != "__main__"}
    assert _heavy_modules_after_importing(sorted(logic | command_line)) == []


def _is_module(name: str) -> bool:
    return (REPOSITORY_ROOT / Path(*name.split("."))).with_suffix(".py").is_file()


def _heavy_modules_after_importing(modules: list[str]) -> list[str]:
    code = "import importlib, sys\n" + "".join(f"importlib.import_module({name!r})\n" for name in modules)
    code += "print(*sorted({'torch', 'monai', 'vtk', 'slicer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY_ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
