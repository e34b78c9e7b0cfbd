"""The host loads module files as Slicer does, and leaves no trace."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import Annotated

import pytest

pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")
import slicer

from MedSegAI.Bridge.scene import inside_slicer, load_scene, save_scene

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


@pytest.fixture
def wrap(qt_host):
    """Wraps a new parameter node of the scene; the same node again for the same call with ``again``."""
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    def wrapped(cls: type, node=None):
        node = node or qt_host.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
        return parameterNodeWrapper(cls)(node)

    return wrapped


class Speed(enum.Enum):
    FAST = 1
    GOOD = 2


class Choices:
    scan: slicer.vtkMRMLScalarVolumeNode
    name: str = "somebody"
    overlap: float = 0.5
    rounds: int = 3
    keep: bool = True
    speed: Speed = Speed.GOOD


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


def test_parameters_lie_in_the_node_as_slicer_writes_them(wrap, qt_host):
    choices = wrap(Choices)
    choices.scan = scan = qt_host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    choices.keep, choices.overlap = False, 0.25
    node = choices.parameterNode
    names = ("name", "overlap", "rounds", "keep", "speed")
    assert [node.GetParameter(name) for name in names] == ["somebody", "0.25", "3", "False", "GOOD"]
    assert node.GetNodeReferenceID("scan") == scan.GetID()


def test_parameters_survive_the_scene_file(wrap, qt_host, tmp_path: Path):
    choices = wrap(Choices)
    choices.scan = qt_host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")
    choices.rounds, choices.speed = 7, Speed.FAST
    save_scene(qt_host.scene, tmp_path / "scene.mrb")
    read = load_scene(tmp_path / "scene.mrb")
    again = wrap(Choices, read.mrml.GetFirstNodeByClass("vtkMRMLScriptedModuleNode"))
    assert (again.rounds, again.speed, again.scan.GetName(), again.keep) == (7, Speed.FAST, "scan", True)


def test_a_change_is_one_event_and_no_change_is_none(wrap):
    choices, events = wrap(Choices), []
    choices.AddObserver("ModifiedEvent", lambda *_: events.append(choices.name))
    choices.name = "you"
    choices.name = "you"
    assert events == ["you"]


def test_wrong_values_are_refused(wrap):
    from slicer.parameterNodeWrapper import Choice, WithinRange

    hints = {"overlap": Annotated[float, WithinRange(0, 1)], "mode": Annotated[str, Choice(["a", "b"])]}
    strict = wrap(type("Strict", (), {"__annotations__": hints, "overlap": 0.5, "mode": "a"}))
    for name, value, error in (
        ("overlap", 2.0, ValueError),
        ("overlap", "x", TypeError),
        ("mode", "c", ValueError),
        ("mode", None, ValueError),
    ):
        with pytest.raises(error):
            setattr(strict, name, value)
    assert (strict.overlap, strict.mode) == (0.5, "a")


@pytest.mark.parametrize(
    ("widget", "annotated", "attribute", "shown", "chosen"),
    [
        ("QLineEdit", str, "text", "from the node", "typed"),
        ("QCheckBox", bool, "checked", True, False),
        ("QSpinBox", int, "value", 12, 30),
        ("QDoubleSpinBox", float, "value", 0.5, 0.75),
        ("ctkSliderWidget", "range", "value", 0.5, 0.75),
        ("QComboBox", "choice", "currentText", "b", "a"),
    ],
)
def test_widgets_are_bound_in_both_directions(wrap, widget, annotated, attribute, shown, chosen):
    import ctk
    import qt
    from slicer.parameterNodeWrapper import Choice, Decimals, Default, WithinRange

    kinds = {
        "range": Annotated[float, WithinRange(0, 1), Decimals(2), Default(0.25)],
        "choice": Annotated[str, Choice(["a", "b"]), Default("a")],
    }
    choices = wrap(type("Bound", (), {"__annotations__": {"it": kinds.get(annotated, annotated)}}))
    made = getattr(ctk if widget.startswith("ctk") else qt, widget)()
    made.setProperty("SlicerParameterName", "it")
    panel = qt.QWidget()
    qt.QVBoxLayout(panel).addWidget(made)
    choices.connectGui(panel)
    choices.it = shown
    assert getattr(made, attribute) == pytest.approx(shown)
    setattr(made, attribute, chosen)
    assert choices.it == pytest.approx(chosen)


def test_a_node_selector_is_bound_in_both_directions(wrap, qt_host):
    selector = slicer.qMRMLNodeComboBox()
    selector.noneEnabled = True
    selector.setMRMLScene(qt_host.scene)
    selector.setProperty("SlicerParameterName", "scan")
    choices = wrap(Choices)
    choices.connectParametersToGui({"scan": selector})
    one, two = (qt_host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode") for _ in range(2))
    choices.scan = one
    assert selector.currentNode() is one
    selector.setCurrentNode(two)
    assert choices.scan is two
    qt_host.scene.RemoveNode(two)
    assert choices.scan is None


def test_only_a_tag_releases_widgets_as_in_slicer(wrap):
    import qt

    line, choices = qt.QLineEdit(), wrap(Choices)
    line.setProperty("SlicerParameterName", "name")
    tag = choices.connectParametersToGui({"name": line})
    line.text = "first"
    choices.disconnectGui(tag)
    line.text = "second"
    assert choices.name == "first"


def test_what_slicer_would_not_bind_is_refused(wrap):
    import ctk
    import qt

    choices = wrap(Choices)
    with pytest.raises(RuntimeError, match="Choice"):
        choices.connectParametersToGui({"name": qt.QComboBox()})
    with pytest.raises(RuntimeError, match="range"):
        choices.connectParametersToGui({"overlap": ctk.ctkSliderWidget()})
    with pytest.raises(RuntimeError, match="Unable to bind"):
        choices.connectParametersToGui({"keep": qt.QLineEdit()})


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
