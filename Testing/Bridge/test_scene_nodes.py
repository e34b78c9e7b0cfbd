"""A scene's nodes by class, in their order."""

from __future__ import annotations

from MedSegAI.Bridge.scene_nodes import nodes_of_class


def test_nodes_come_in_their_order_with_those_of_subclasses(a_scene):
    wanted = ["vtkMRMLScalarVolumeNode", "vtkMRMLLabelMapVolumeNode", "vtkMRMLScalarVolumeNode"]
    added = [a_scene.AddNewNodeByClass(kind) for kind in wanted]
    assert nodes_of_class(a_scene, "vtkMRMLScalarVolumeNode") == added
    assert nodes_of_class(a_scene, "vtkMRMLLabelMapVolumeNode") == added[1:2]
    assert nodes_of_class(a_scene, "vtkMRMLTableNode") == []
