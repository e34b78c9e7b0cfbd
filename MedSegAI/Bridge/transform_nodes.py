"""Linear transforms: Logic's 4 x 4 matrices in LPS to and from transform nodes in RAS."""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from MedSegAI.Bridge.geometry import matrix_array, vtk_matrix
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import LPS_TO_RAS


def transform_to_node(
    matrix: np.ndarray, scene: slicer.vtkMRMLScene, *, name: str = "transform"
) -> slicer.vtkMRMLLinearTransformNode:
    """A new transform node that moves what lies under it as ``matrix`` moves points.

    Args:
        matrix: 4 x 4, ``matrix @ (x, y, z, 1)`` in LPS mm: from the node's own space to its parent's. (SimpleITK's
            registration gives the opposite direction, from fixed to moving points: invert that.)
        scene: The scene to add to.
        name: Name of the node.

    Raises:
        InputError: if the matrix is not a finite, invertible 4 x 4 affine one.
    """
    matrix = np.asarray(matrix, dtype=float)
    if matrix.shape != (4, 4) or not np.all(np.isfinite(matrix)) or abs(np.linalg.det(matrix)) < 1e-12:
        raise InputError("The transform is not an invertible 4 x 4 matrix.", advice="Check the transform.")
    if not np.allclose(matrix[3], [0, 0, 0, 1]):
        raise InputError("The transform is not affine: its last row is not 0 0 0 1.", advice="Check the transform.")
    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", scene.GenerateUniqueName(name))
    node.SetMatrixTransformToParent(vtk_matrix(LPS_TO_RAS @ matrix @ LPS_TO_RAS))
    return node


def node_to_transform(node: slicer.vtkMRMLTransformNode) -> np.ndarray:
    """4 x 4 matrix in LPS mm from the node's own space to the world, all its parents applied.

    Raises:
        InputError: if the node or one of its parents is not linear.
    """
    if not node.IsTransformToWorldLinear():
        raise InputError(
            f"The transform '{node.GetName()}' is not linear.", advice="Choose a linear (rigid or affine) transform."
        )
    to_world = vtkMatrix4x4()
    node.GetMatrixTransformToWorld(to_world)
    return LPS_TO_RAS @ matrix_array(to_world) @ LPS_TO_RAS
