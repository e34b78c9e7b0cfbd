"""The host's parameter nodes hold what Slicer's wrapper would write, and its widgets are bound as Slicer binds them."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import pytest

pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")
import slicer

from MedSegAI.Bridge.scene import load_scene, save_scene


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
