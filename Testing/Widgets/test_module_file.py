"""Slicer's module file: loaded as Slicer loads it, from the folder in which Slicer installs it, beside a real scene.

Qt and the base classes are stand-ins (slicer_stand_ins.py), so the look of the panel and its signals are not tested.
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

PREAMBLE = """
import sys
from pathlib import Path
sys.path.insert(0, {repository!r})
from Testing.Widgets.slicer_stand_ins import load_as_slicer_does, stand_in_for_the_application
sys.path.remove({repository!r})
stand_in_for_the_application()
module = load_as_slicer_does(Path({installed!r}) / "MedSegAI.py")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The module as Slicer installs it: the content of MedSegAI/ in a folder of another name."""
    folder = tmp_path_factory.mktemp("Slicer") / "qt-scripted-modules"
    return Path(shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__")))


def in_slicers_python(installed: Path, code: str) -> str:
    """Run ``code`` in a fresh Python, away from the repository, after the module was loaded as ``module``."""
    whole = PREAMBLE.format(repository=str(REPOSITORY_ROOT), installed=str(installed)) + code
    command = [sys.executable, "-c", whole]
    done = subprocess.run(command, cwd=installed.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def panel_widgets() -> dict[str, ElementTree.Element]:
    return {widget.get("name"): widget for widget in ElementTree.parse(PANEL).getroot().iter("widget")}


def test_the_file_holds_slicers_four_classes():
    classes = {node.name for node in ast.parse(MODULE_FILE.read_text()).body if isinstance(node, ast.ClassDef)}
    assert {"MedSegAI", "MedSegAIWidget", "MedSegAILogic", "MedSegAITest"} <= classes


def test_every_widget_the_module_uses_is_on_the_panel():
    used = set(re.findall(r"self\.ui\.(\w+)", MODULE_FILE.read_text()))
    assert used <= set(panel_widgets())
    assert "segmentButton" in used


def test_every_choice_bound_to_the_panel_is_in_the_parameter_node():
    tree = ast.parse(MODULE_FILE.read_text())
    node = next(each for each in tree.body if getattr(each, "name", "") == "MedSegAIParameterNode")
    choices = {each.target.id for each in node.body if isinstance(each, ast.AnnAssign)}
    bound = {
        entry.findtext("string")
        for widget in panel_widgets().values()
        for entry in widget.findall("property[@name='SlicerParameterName']")
    }
    assert bound == {"inputVolume", "outputSegmentation"}
    assert bound <= choices


def test_the_panel_passes_the_scene_on_to_every_node_selector():
    root = ElementTree.parse(PANEL).getroot()
    connected = {each.findtext("receiver") for each in root.iter("connection")}
    selectors = {name for name, widget in panel_widgets().items() if widget.get("class") == "qMRMLNodeComboBox"}
    assert connected == selectors


def test_loading_it_makes_it_the_package_and_imports_nothing_more(installed: Path):
    code = """
print(sorted(name for name in sys.modules if name in ("torch", "monai") or name.startswith("MedSegAI.")))
import MedSegAI.Logic.geometry
print(MedSegAI.Logic.geometry.__file__)
"""
    loaded, place = in_slicers_python(installed, code).splitlines()
    assert loaded == "[]"
    assert Path(place) == installed / "Logic" / "geometry.py"


def test_it_tells_slicer_who_it_is(installed: Path):
    code = """
import types
about = module.MedSegAI(types.SimpleNamespace()).parent
print(about.title, about.categories, about.contributors, sep="|")
"""
    assert in_slicers_python(installed, code) == "MedSegAI|['Segmentation']|['MedSegAI developers']"


def test_its_own_test_passes_with_a_real_worker(installed: Path):
    code = "test = module.MedSegAITest('runTest')\ntest.setUp()\ntest.runTest()\nprint('passed')"
    assert in_slicers_python(installed, code) == "passed"


def test_the_worker_is_the_installed_one(installed: Path):
    """No folder is called MedSegAI there, and a MedSegAI elsewhere on Python's path must not be taken instead."""
    jobs = installed / "Logic" / "worker" / "jobs.py"
    assert '"checking"' in jobs.read_text()
    jobs.write_text(jobs.read_text().replace('"checking"', '"checking as installed"'))
    code = """
import numpy
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Volume
from MedSegAI.Widgets.segmentation_run import RunStatus
logic, status = module.MedSegAILogic(), RunStatus()
logic.runner().start_check(Volume(numpy.ones((2, 3, 4)), Grid((2, 3, 4))), rounds=1, reporter=status).wait()
logic.close()
print(status.text)
"""
    assert in_slicers_python(installed, code) == "Checking as installed"


def test_a_packages_list_says_what_is_missing(tmp_path: Path):
    from MedSegAI.Widgets.dependencies import missing_packages

    listed = tmp_path / "requirements.txt"
    listed.write_text("# a comment\nnumpy>=1\nno-such-package-anywhere>=2  # why\n")
    assert missing_packages(listed) == ("no-such-package-anywhere>=2",)
