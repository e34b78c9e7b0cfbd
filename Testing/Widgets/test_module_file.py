"""Slicer's module file: loaded as Slicer loads it, from the folder in which Slicer installs it, in the Qt host.

The host (qt_host/host.py) says what it proves and what not.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from Testing.source_tree import PACKAGE, REPOSITORY_ROOT

pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")

MODULE_FILE = PACKAGE / "MedSegAI.py"
PANEL = PACKAGE / "Resources" / "UI" / "MedSegAI.ui"

# The host needs the repository's own MedSegAI for a moment; what is tested must be the installed one alone.
PREAMBLE = """
import sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from Testing.Widgets.qt_host.host import QtHost
from Testing.Widgets.qt_host.open_module import load_module_file
sys.path.remove({repository!r})
host = QtHost()
host.install()
for name in [each for each in sys.modules if each.partition(".")[0] == "MedSegAI"]:
    del sys.modules[name]
FILE = Path({installed!r}) / "MedSegAI.py"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module as Slicer installs it: the content of MedSegAI/ in a folder of another name."""
    folder = tmp_path_factory.mktemp("Slicer") / "qt-scripted-modules"
    return Path(shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__")))


def in_slicers_python(installed: Path, code: str) -> str:
    """Run ``code`` in a fresh Python, away from the repository, where ``host`` is Slicer and ``FILE`` the module."""
    pytest.importorskip("PySide6.QtUiTools", reason="needs Qt (pip install medsegai[desktop-host])")
    whole = PREAMBLE.format(repository=str(REPOSITORY_ROOT), installed=str(installed)) + code
    command = [sys.executable, "-c", whole]
    done = subprocess.run(command, cwd=installed.parent, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def panel_widgets() -> dict[str, ElementTree.Element]:
    return {widget.get("name"): widget for widget in ElementTree.parse(PANEL).getroot().iter("widget")}


def files_that_use_the_panel() -> list[Path]:
    return [MODULE_FILE, *sorted((PACKAGE / "Widgets").glob("*.py"))]


def test_the_file_holds_slicers_four_classes():
    classes = {node.name for node in ast.parse(MODULE_FILE.read_text()).body if isinstance(node, ast.ClassDef)}
    assert {"MedSegAI", "MedSegAIWidget", "MedSegAILogic", "MedSegAITest"} <= classes


def test_every_widget_the_module_uses_is_on_the_panel():
    used = {
        name for path in files_that_use_the_panel() for name in re.findall(r"\b_?ui\.([a-zA-Z]\w+)", path.read_text())
    }
    assert used <= set(panel_widgets())
    assert "segmentButton" in used


def test_every_widget_that_can_be_pressed_is_used():
    pressed = {name for name, each in panel_widgets().items() if each.get("class") in ("QPushButton", "QToolButton")}
    text = "".join(path.read_text() for path in files_that_use_the_panel())
    assert {name for name in pressed if name not in text} == set()


def test_every_widget_says_in_a_tooltip_what_it_is_for():
    no_tip_needed = ("qMRMLWidget", "QWidget")
    labels = {name for name, each in panel_widgets().items() if each.find("property[@name='buddy']") is not None}
    silent = {
        name
        for name, each in panel_widgets().items()
        if each.find("property[@name='toolTip']") is None and each.get("class") not in no_tip_needed
    }
    assert silent - labels == {"modelLicenceLabel", "modelAccuracyLabel"}


def test_every_field_has_a_label_that_leads_to_it():
    fields = ("QComboBox", "ctkSliderWidget", "qMRMLNodeComboBox")
    buddies = {each.findtext("property[@name='buddy']/cstring") for each in panel_widgets().values()} - {None}
    assert {name for name, each in panel_widgets().items() if each.get("class") in fields} <= buddies


def test_the_panel_passes_the_scene_on_to_every_node_selector():
    root = ElementTree.parse(PANEL).getroot()
    connected = {
        each.findtext("receiver") for each in root.iter("connection") if "mrmlScene" in each.findtext("signal", "")
    }
    selectors = {name for name, widget in panel_widgets().items() if widget.get("class") == "qMRMLNodeComboBox"}
    assert selectors and connected == selectors


def test_loading_it_makes_it_the_package_and_imports_nothing_more(installed: Path):
    code = """
load_module_file(FILE)
print(sorted(name for name in sys.modules if name in ("torch", "monai") or name.startswith("MedSegAI.")))
import MedSegAI.Logic.geometry
print(MedSegAI.Logic.geometry.__file__)
"""
    loaded, place = in_slicers_python(installed, code).splitlines()
    assert loaded == "[]"
    assert Path(place) == installed / "Logic" / "geometry.py"


def test_opening_its_panel_imports_neither_torch_nor_monai(installed: Path):
    code = """
host.open_module(FILE)
host.raise_slot_errors()
print(sorted(name for name in sys.modules if name in ("torch", "monai")))
print({Path(sys.modules[name].__file__).is_relative_to(FILE.parent) for name in sys.modules
       if name.startswith("MedSegAI.") and getattr(sys.modules[name], "__file__", None)})
"""
    assert in_slicers_python(installed, code).splitlines() == ["[]", "{True}"]


def test_it_tells_slicer_who_it_is(installed: Path):
    code = """
about = host.open_module(FILE).about.parent
print(about.title, about.categories, about.contributors, sep="|")
"""
    assert in_slicers_python(installed, code) == "MedSegAI|['Segmentation']|['MedSegAI developers']"


def test_it_is_reloaded_and_closed_without_complaint(installed: Path):
    code = """
opened = host.open_module(FILE)
opened.reload()
host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")
host.scene.Clear()
host.close()
print(host.take_slot_errors())
"""
    assert in_slicers_python(installed, code) == "[]"


def test_its_own_test_passes_with_a_real_worker(installed: Path):
    code = """
opened = host.open_module(FILE)
opened.about.runTest(msec=0)
host.close()
host.raise_slot_errors()
print('passed')
"""
    assert in_slicers_python(installed, code).splitlines()[-1] == "passed"
