"""Points that know their segments, on real MRML."""

from __future__ import annotations

import pytest

from MedSegAI.Bridge.point_lists import (
    add_point,
    last_placed,
    new_aim,
    new_point_list,
    point_keys,
    remove_point,
    takes_clicks,
)
from MedSegAI.Bridge.scene import load_scene, new_scene, save_scene


@pytest.fixture
def a_scene():
    return new_scene().mrml


def test_a_point_is_added_once_and_removed_by_its_segment(a_scene):
    node = new_point_list(a_scene, name="Nodules")
    add_point(node, (1.0, 2.0, 3.0), name="Lung nodule 1", key="lung_nodule_1")
    add_point(node, (9.0, 9.0, 9.0), name="Lung nodule 1", key="lung_nodule_1")
    add_point(node, (4.0, 5.0, 6.0), name="Lung nodule 2", key="lung_nodule_2")
    assert point_keys(node) == ("lung_nodule_1", "lung_nodule_2")
    assert last_placed(node) == (4.0, 5.0, 6.0)
    remove_point(node, "lung_nodule_2")
    remove_point(node, "lung_nodule_2")
    assert point_keys(node) == ("lung_nodule_1",)
    assert node.GetNthControlPointLabel(0) == "Lung nodule 1"


def test_points_know_their_segments_in_a_scene_opened_again(a_scene, tmp_path):
    add_point(new_point_list(a_scene, name="Nodules"), (1.0, 2.0, 3.0), name="Lung nodule 1", key="lung_nodule_1")
    new_aim(a_scene)
    opened = load_scene(save_scene(a_scene, tmp_path / "case.mrb")).mrml
    assert opened.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 1, "what a click aims with is not saved"
    node = opened.GetFirstNodeByClass("vtkMRMLMarkupsFiducialNode")
    assert point_keys(node) == ("lung_nodule_1",)
    assert last_placed(node) == pytest.approx((1.0, 2.0, 3.0))


def test_a_new_list_does_not_take_the_clicks_that_were_meant_for_another_node(a_scene):
    selection = a_scene.AddNewNodeByClass("vtkMRMLSelectionNode")
    interaction = a_scene.AddNewNodeByClass("vtkMRMLInteractionNode")
    aim = new_aim(a_scene)
    assert not takes_clicks(aim)
    selection.SetActivePlaceNodeID(aim.GetID())
    interaction.SetCurrentInteractionMode(interaction.Place)
    assert takes_clicks(aim)
    new_point_list(a_scene, name="Nodules")
    assert takes_clicks(aim)
    a_scene.RemoveNode(aim)
    assert not takes_clicks(aim)


def test_a_list_without_points_says_so(a_scene):
    node = new_aim(a_scene)
    assert last_placed(node) is None
    node.AddControlPointWorld(1.0, 1.0, 1.0)
    node.UnsetNthControlPointPosition(0)
    assert last_placed(node) is None
