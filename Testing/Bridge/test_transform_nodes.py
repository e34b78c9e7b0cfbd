"""A transform moves points in Slicer as it does in Logic."""

from __future__ import annotations

import numpy as np
import pytest
from vtkmodules.vtkCommonTransforms import vtkThinPlateSplineTransform

from MedSegAI.Bridge.transform_nodes import node_to_transform, transform_to_node
from MedSegAI.Logic.errors import InputError
from Testing.Bridge.conftest import rotation


def a_matrix():
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(0.1, 0.2, 0.3)
    matrix[:3, 3] = (1.5, -2.5, 3.5)
    return matrix


def test_a_transform_survives_the_round_trip(a_scene):
    np.testing.assert_allclose(node_to_transform(transform_to_node(a_matrix(), a_scene)), a_matrix(), atol=1e-12)


def test_a_shift_to_the_left_in_lps_is_a_negative_shift_in_slicers_ras(a_scene):
    shift = np.eye(4)
    shift[0, 3] = 7.0
    node = transform_to_node(shift, a_scene, name="to the left")
    assert node.GetTransformToParent().TransformPoint(0, 0, 0) == (-7.0, 0.0, 0.0)
    assert node.GetName() == "to the left"


@pytest.mark.parametrize(
    "matrix", [np.eye(3), np.zeros((4, 4)), np.full((4, 4), np.nan), np.diag([1, 1, 1, 2.0])], ids=str
)
def test_what_is_no_affine_transform_is_refused_with_a_sentence(a_scene, matrix):
    with pytest.raises(InputError, match="transform is not"):
        transform_to_node(matrix, a_scene)


def test_a_bending_transform_has_no_matrix(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLTransformNode", "bent")
    node.SetAndObserveTransformToParent(vtkThinPlateSplineTransform())
    with pytest.raises(InputError, match="'bent' is not linear"):
        node_to_transform(node)
