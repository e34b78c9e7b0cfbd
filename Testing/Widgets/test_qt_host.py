"""The host loads module files as Slicer does, and leaves no trace."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")
import slicer

from MedSegAI.Bridge.scene import inside_slicer

MODULE = """
import qt
import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import *
from slicer.util import VTKObservationMixin

RUNS = {runs}


class Small(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = "Small"
        slicer.app.connect("startupCompleted()", register)


def register():
    import SampleData
    SampleData.SampleDataLogic.registerCustomSampleDataSource(category="Small", sampleName="One")


@parameterNodeWrapper
class SmallParameterNode:
    scan: slicer.vtkMRMLScalarVolumeNode
    name: str = "somebody"


class SmallWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.happened = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        self.logic = SmallLogic()
        self.button = qt.QPushButton(_("Greet {{name}}"))
        self.button.name = "greetButton"
        self.button.connect("clicked()", self.greet)
        self.layout.addWidget(self.button)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.closed)

    def greet(self):
        self.button.text = _("Hello {{name}}").format(name=self.logic.getParameterNode().name)

    def closed(self, caller, event):
        self.happened.append("scene closed")

    def enter(self):
        self.happened.append("enter")

    def exit(self):
        self.happened.append("exit")

    def cleanup(self):
        self.removeObservers()
        self.happened.append("cleanup")


class SmallLogic(ScriptedLoadableModuleLogic):
    def getParameterNode(self):
        return SmallParameterNode(super().getParameterNode())
"""

CHINESE = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN"><context><name>Small</name>
 <message><source>Greet {name}</source><translation>问候 {name}</translation></message>
 <message><source>Hello {name}</source><translation>您好 {名字}</translation></message>
</context></TS>
"""


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    (tmp_path / "Small.py").write_text(MODULE.format(runs=1))
    return tmp_path / "Small.py"


@pytest.fixture
def small(qt_host, small_file: Path):
    return qt_host.open_module(small_file)


def test_a_module_is_loaded_entered_and_left(small):
    assert (small.about.parent.title, small.widget.happened) == ("Small", ["enter"])
    assert small.panel.isEntered and slicer.modules.SmallWidget is small.widget
    small.exit()
    assert not small.panel.isEntered
    small.enter()
    assert small.widget.happened == ["enter", "exit", "enter"]


def test_its_buttons_are_pressed_and_its_node_is_a_singleton(small):
    small.child("greetButton").click()
    assert small.widget.button.text == "Hello somebody"
    nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
    assert [node.GetAttribute("ModuleName") for node in nodes] == ["Small"]
    assert small.logic.getParameterNode().parameterNode is nodes[0]


def test_its_node_survives_the_closing_of_the_scene(small):
    small.logic.getParameterNode().name = "you"
    slicer.mrmlScene.Clear()
    assert small.widget.happened == ["enter", "scene closed"]
    assert small.logic.getParameterNode().name == "somebody"
    assert small.logic.getParameterNode().parameterNode.GetAttribute("ModuleName") == "Small"


def test_sample_data_is_recorded(small, qt_host):
    assert qt_host.sample_data == [{"category": "Small", "sampleName": "One"}]


def test_a_reload_runs_the_file_again(small, small_file: Path):
    first = small.widget
    small_file.write_text(MODULE.format(runs=2))
    small.reload()
    assert small.widget is not first and small.file.RUNS == 2
    assert first.happened == ["enter", "cleanup"]
    small.child("greetButton").click()
    assert small.widget.button.text == "Hello somebody"
    slicer.mrmlScene.Clear()
    assert first.happened == ["enter", "cleanup"]


def test_it_speaks_chinese_and_ignores_a_translation_that_lost_its_placeholder(qt_host, small_file, tmp_path):
    (tmp_path / "Small_zh-CN.ts").write_text(CHINESE, encoding="utf-8")
    qt_host.speak(tmp_path / "Small_zh-CN.ts")
    small = qt_host.open_module(small_file)
    assert small.widget.button.text == "问候 {name}"
    small.widget.button.click()
    assert small.widget.button.text == "Hello somebody"


def test_closing_cleans_up_once(qt_host, small):
    widget = small.widget
    qt_host.close()
    assert widget.happened == ["enter", "exit", "cleanup"]


def test_a_picture_is_taken(small, qt_host, tmp_path: Path):
    from Testing.Widgets.qt_host.waiting import screenshot

    picture = screenshot(qt_host.main_window, tmp_path / "new" / "small.png")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_host_leaves_no_trace():
    pytest.importorskip("PySide6.QtUiTools", reason="needs Qt (pip install medsegai[desktop-host])")
    from PySide6 import QtWidgets

    from Testing.Widgets.qt_host.host import QtHost

    attributes, modules, messages = set(vars(slicer)), set(sys.modules), slicer.util.messageBox
    with QtHost():
        assert inside_slicer()
        label = QtWidgets.QLabel("x")
    assert not inside_slicer()
    assert set(vars(slicer)) == attributes and slicer.util.messageBox is messages
    assert not {"qt", "ctk", "SampleData", "slicer.i18n"} & (set(sys.modules) - modules)
    del label
    label = QtWidgets.QLabel("y")
    assert label.text() == "y"


@pytest.mark.parametrize("present", [True, False])
def test_slicers_packaging_is_there_or_not(present):
    pytest.importorskip("PySide6.QtUiTools", reason="needs Qt (pip install medsegai[desktop-host])")
    from Testing.Widgets.qt_host.host import QtHost

    with QtHost(packaging=present, pytorch=present) as host:
        if not present:
            with pytest.raises(ImportError):
                import slicer.packaging
            with pytest.raises(ImportError):
                import PyTorchUtils
            return
        import PyTorchUtils
        import slicer.packaging

        host.dialogs.answers.append(True)
        slicer.packaging.pip_ensure(["numpy", "no-such-package-anywhere>=2"], requester="MedSegAI")
        assert host.installer.installed == [["no-such-package-anywhere>=2"]]
        assert PyTorchUtils.PyTorchUtilsLogic().installTorch(askConfirmation=True) is None
