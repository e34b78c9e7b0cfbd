"""The label maps (layers) inside a segmentation node: where they lie and what they hold.

Several segments share one layer, each with its own value in it; Slicer moves a segment to a layer of its own when the
user lets it overlap another.
"""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.vtkCommonCore import VTK_UNSIGNED_CHAR
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkCommonTransforms import vtkGeneralTransform

from MedSegAI.Bridge.geometry import (
    box_of,
    extent_of,
    grid_of_oriented_image,
    matrix_array,
    scalars_of,
    voxels_of,
    vtk_matrix,
)
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import SAME_POINT_MM, Box, Grid


def empty_layer(grid: Grid, *, whole_extent: bool = False) -> slicer.vtkOrientedImageData:
    """A layer without voxels; with ``whole_extent`` it has the grid's extent but no memory (to state a geometry)."""
    image = slicer.vtkOrientedImageData()
    image.SetImageToWorldMatrix(vtk_matrix(grid.index_to_ras))
    image.SetExtent(extent_of(Box.whole(grid.shape) if whole_extent else Box.empty()))
    if not whole_extent:
        image.AllocateScalars(VTK_UNSIGNED_CHAR, 1)
    return image


def layer_voxels(image: slicer.vtkOrientedImageData) -> np.ndarray:
    """The layer's voxels as a (k, j, i) view of its memory; (0, 0, 0) voxels for an empty layer."""
    if box_of(image).is_empty:
        return np.zeros((0, 0, 0), np.uint8)
    return voxels_of(image, name="layer")


def offset_to_layer(
    grid: Grid, image: slicer.vtkOrientedImageData, *, to_world: np.ndarray | None = None
) -> tuple[int, int, int] | None:
    """What to add to a voxel's index (k, j, i) in ``grid`` to get its index in the layer; None if lattices differ.

    Args:
        grid: A grid in the world, LPS mm.
        image: The layer.
        to_world: 4 x 4 RAS matrix of the node's parent transform; None where it has none.
    """
    layer_to_world = vtkMatrix4x4()
    image.GetImageToWorldMatrix(layer_to_world)
    affine = matrix_array(layer_to_world)
    if to_world is not None:
        affine = to_world @ affine
    step = np.linalg.inv(affine) @ grid.index_to_ras
    offset = np.round(step[:3, 3])
    expected = np.eye(4)
    expected[:3, 3] = offset
    # The error that counts is that of the farthest voxel, in millimetres.
    error = np.abs(step - expected) @ [*grid.size, 1.0]
    if (error[:3] * image.GetSpacing()).max() > SAME_POINT_MM:
        return None
    return tuple(int(value) for value in offset[::-1])


def grow_layer(image: slicer.vtkOrientedImageData, box: Box) -> None:
    """Enlarge a layer in place, with background, so that it covers ``box`` (its own index space) too."""
    old = box_of(image)
    if box.is_empty or (not old.is_empty and old.union(box) == old):
        return
    new = box if old.is_empty else old.union(box)
    before = layer_voxels(image)
    array = np.zeros(new.shape, before.dtype)
    if not old.is_empty:
        array[old.shift(tuple(-start for start in new.start)).slices] = before
    image.SetExtent(extent_of(new))
    image.GetPointData().SetScalars(scalars_of(array))


def world_layer(
    node: slicer.vtkMRMLSegmentationNode, image: slicer.vtkOrientedImageData, grid: Grid
) -> tuple[np.ndarray, Box]:
    """The layer's voxels where ``grid`` needs them, the node's parent transforms applied.

    Returns:
        Voxels (k, j, i) and the box of ``grid`` they fill: a view of the layer's memory where both lie on one
        lattice, else resampled to the nearest voxel.
    """
    if box_of(image).is_empty:
        return np.zeros((0, 0, 0), np.uint8), Box.empty()
    offset = _offset_in_world(node, image, grid)
    if offset is None:
        return layer_voxels(_resampled(node, image, grid)), Box.whole(grid.shape)
    back = tuple(-step for step in offset)
    inside = box_of(image).shift(back).clip(grid.shape)
    if inside.is_empty:
        return np.zeros((0, 0, 0), np.uint8), Box.empty()
    within = inside.shift(offset).shift(tuple(-start for start in box_of(image).start))
    return layer_voxels(image)[within.slices], inside


def reference_grid(node: slicer.vtkMRMLSegmentationNode) -> Grid:
    """The node's reference geometry as a grid of the world (LPS); the layers' common box where it has none.

    Raises:
        InputError: if there is neither, or the node lies under a transform that shears or bends it.
    """
    image = _reference_image(node)
    parent = node.GetParentTransformNode()
    if parent is not None:
        if not parent.IsTransformToWorldLinear():
            raise _no_grid(node)
        to_world, matrix = vtkMatrix4x4(), vtkMatrix4x4()
        parent.GetMatrixTransformToWorld(to_world)
        image.GetImageToWorldMatrix(matrix)
        world = matrix_array(to_world) @ matrix_array(matrix)
        try:
            grid = Grid.from_index_to_ras(box_of(image).shape, world)
        except InputError as error:
            raise _no_grid(node) from error
        start = np.array(box_of(image).start)
        return Grid(grid.shape, grid.spacing, tuple(grid.lps_of(start)), grid.direction)
    return grid_of_oriented_image(image)


def _reference_image(node: slicer.vtkMRMLSegmentationNode) -> slicer.vtkOrientedImageData:
    segmentation = node.GetSegmentation()
    converter = slicer.vtkSegmentationConverter
    text = segmentation.GetConversionParameter(converter.GetReferenceImageGeometryParameterName())
    image = slicer.vtkOrientedImageData()
    if text and converter.DeserializeImageGeometry(text, image, False) and not box_of(image).is_empty:
        return image
    common = segmentation.DetermineCommonLabelmapGeometry(segmentation.EXTENT_UNION_OF_SEGMENTS, None)
    if common and converter.DeserializeImageGeometry(common, image, False) and not box_of(image).is_empty:
        return image
    raise InputError(f"'{node.GetName()}' has no geometry to read it on.", advice="Choose the scan it belongs to.")


def _no_grid(node: slicer.vtkMRMLSegmentationNode) -> InputError:
    return InputError(
        f"'{node.GetName()}' lies under a transform that shears or bends it, so it has no regular grid of its own.",
        advice="Choose the scan whose grid it should be read on.",
    )


def _offset_in_world(
    node: slicer.vtkMRMLSegmentationNode, image: slicer.vtkOrientedImageData, grid: Grid
) -> tuple[int, int, int] | None:
    parent = node.GetParentTransformNode()
    if parent is None:
        return offset_to_layer(grid, image)
    if not parent.IsTransformToWorldLinear():
        return None
    to_world = vtkMatrix4x4()
    parent.GetMatrixTransformToWorld(to_world)
    return offset_to_layer(grid, image, to_world=matrix_array(to_world))


def _resampled(
    node: slicer.vtkMRMLSegmentationNode, image: slicer.vtkOrientedImageData, grid: Grid
) -> slicer.vtkOrientedImageData:
    """The layer on ``grid``, nearest voxel, under any parent transform, in one step so that nothing is lost twice."""
    target = empty_layer(grid, whole_extent=True)
    target.AllocateScalars(VTK_UNSIGNED_CHAR, 1)
    to_world = vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(node.GetParentTransformNode(), None, to_world)
    result = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        image, target, result, False, False, to_world
    )
    return result
