"""The host's stand-ins for CTK's and Slicer's widgets, over a real scene."""

from __future__ import annotations

from pathlib import Path

import pytest

UI = """<?xml version="1.0" encoding="UTF-8"?>
<ui version="4.0"><class>Panel</class>
 <widget class="qMRMLWidget" name="Panel"><layout class="QVBoxLayout" name="rows">
  <item><widget class="ctkCollapsibleButton" name="section">
   <property name="text"><string>Section</string></property>
   <property name="collapsed"><bool>true</bool></property>
   <layout class="QVBoxLayout" name="inside"><item><widget class="ctkSliderWidget" name="slider">
    <property name="singleStep"><double>0.1</double></property>
    <property name="maximum"><double>2.0</double></property>
    <property name="value"><double>0.5</double></property>
   </widget></item></layout>
  </widget></item>
  <item><widget class="qMRMLNodeComboBox" name="connected">
   <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
  </widget></item>
  <item><widget class="qMRMLNodeComboBox" name="forgotten">
   <property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist></property>
  </widget></item>
  <item><widget class="QCheckBox" name="box"/></item>
  <item><widget class="QLabel" name="label"><property name="text"><string>Model:</string></property></widget></item>
 </layout></widget>
 <connections>
  <connection><sender>Panel</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
   <receiver>connected</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection>
  <connection><sender>box</sender><signal>toggled(bool)</signal>
   <receiver>label</receiver><slot>setEnabled(bool)</slot></connection>
 </connections>
</ui>"""


@pytest.fixture
def panel(qt_host, tmp_path: Path):
    import slicer

    (tmp_path / "Panel.ui").write_text(UI)
    return slicer.util.loadUI(str(tmp_path / "Panel.ui"))


@pytest.fixture
def ui(panel):
    import slicer

    return slicer.util.childWidgetVariables(panel)


@pytest.fixture
def selector(qt_host):
    import slicer

    chosen = slicer.qMRMLNodeComboBox()
    chosen.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    chosen.setMRMLScene(qt_host.scene)
    return chosen


def a_scan(qt_host, name: str = "scan"):
    return qt_host.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)


def test_slicers_own_loader_makes_the_widgets_of_a_ui_file(panel, ui):
    assert (panel.className(), panel.name) == ("qMRMLWidget", "Panel")
    assert (ui.section.text, ui.section.collapsed, ui.label.text) == ("Section", True, "Model:")
    assert (ui.slider.value, ui.slider.maximum) == (pytest.approx(0.5), pytest.approx(2.0))


def test_only_connected_selectors_get_the_scene(qt_host, panel, ui):
    panel.setMRMLScene(qt_host.scene)
    scan = a_scan(qt_host)
    assert ui.connected.currentNode() is scan
    assert ui.forgotten.currentNode() is None


def test_connections_of_plain_qt_work_too(ui):
    ui.box.checked = True
    ui.box.checked = False
    assert not ui.label.enabled


def test_a_widget_nobody_knows_is_refused(qt_host, tmp_path: Path):
    import slicer

    (tmp_path / "bad.ui").write_text(UI.replace("QCheckBox", "qMRMLUnknownWidget"))
    with pytest.raises(ValueError, match="qMRMLUnknownWidget"):
        slicer.util.loadUI(str(tmp_path / "bad.ui"))


def test_a_section_hides_and_shows_what_was_shown(qt_host, ui):
    from Testing.Widgets.qt_host.waiting import pump

    heard = []
    pump()
    ui.section.connect("contentsCollapsed(bool)", heard.append)
    assert ui.slider.isHidden()
    ui.section.collapsed = False
    assert not ui.slider.isHidden()
    ui.section.collapsed = True
    assert ui.slider.isHidden()
    assert heard == [False, True]


def test_a_slider_keeps_its_range_and_tells(qt_host, ui):
    heard = []
    ui.slider.connect("valueChanged(double)", heard.append)
    ui.slider.value = 1.2
    ui.slider.setValue(99)
    assert heard == [pytest.approx(1.2), pytest.approx(2.0)]


def test_a_selector_follows_the_scene(qt_host, selector):
    import slicer

    heard = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    first, second = a_scan(qt_host), a_scan(qt_host, "other")
    qt_host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert (selector.nodeCount(), selector.currentNode()) == (2, first)
    selector.setCurrentNode(second)
    assert selector.currentNodeID == second.GetID()
    qt_host.scene.RemoveNode(second)
    assert selector.currentNode() is first
    slicer.mrmlScene.Clear()
    assert selector.currentNode() is None
    assert heard == [first, second, first, None]


def test_a_selector_with_none_chooses_nothing_by_itself(qt_host, selector):
    selector.noneEnabled = True
    scan = a_scan(qt_host)
    assert selector.currentNode() is None
    selector.setCurrentNode(scan)
    assert selector.currentNode() is scan
    selector.setCurrentNode(None)
    assert selector.currentNodeID == ""


def test_a_selector_shows_a_new_name(qt_host, selector):
    import qt

    a_scan(qt_host).SetName("T1")
    assert selector.findChildren(qt.QComboBox)[0].currentText == "T1"


def test_a_selector_can_leave_out_subclasses_and_hidden_nodes(qt_host, selector):
    qt_host.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    a_scan(qt_host).SetHideFromEditors(True)
    selector.setMRMLScene(None)
    selector.setMRMLScene(qt_host.scene)
    assert selector.nodeCount() == 1
    selector.showChildNodeTypes = False
    assert selector.nodeCount() == 0
    selector.showHidden = True
    assert selector.nodeCount() == 1


def test_the_segments_table_follows_its_node(qt_host):
    import slicer

    node = qt_host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    table = slicer.qMRMLSegmentsTableView()
    table.setMRMLScene(qt_host.scene)
    table.setSegmentationNode(node)
    left = node.GetSegmentation().AddEmptySegment("left", "Left")
    right = node.GetSegmentation().AddEmptySegment("right", "Right")
    assert table.displayedSegmentIDs() == [left, right]
    table.setSelectedSegmentIDs([right])
    assert table.selectedSegmentIDs() == [right]
    node.GetSegmentation().RemoveSegment(left)
    assert table.displayedSegmentIDs() == [right]


def test_the_segment_editor_says_that_it_is_none(qt_host):
    import qt
    import slicer

    editor = slicer.qMRMLSegmentEditorWidget()
    assert "Placeholder" in editor.findChildren(qt.QLabel)[0].text


def test_the_segment_editors_module_holds_the_placeholder(qt_host):
    import slicer

    slicer.util.selectModule("SegmentEditor")
    editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
    node = qt_host.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    editor.setSegmentationNode(node)
    assert editor.segmentationNode() is node
    assert slicer.util.selectedModule() == "SegmentEditor"
