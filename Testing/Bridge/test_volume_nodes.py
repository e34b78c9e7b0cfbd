"""A scan goes into Slicer and back to the voxel and the micrometre, whatever transforms it lies under."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import slicer
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonTransforms import vtkThinPlateSplineTransform

from MedSegAI.Bridge.geometry import matrix_array, vtk_matrix
from MedSegAI.Bridge.transform_nodes import transform_to_node
from MedSegAI.Bridge.volume_nodes import node_to_volume, update_volume_node, volume_to_node, world_grid
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.volume import Modality, Unit, Volume
from Testing.Bridge.conftest import all_48_directions, an_oblique_grid, numbered, rotation

MICROMETRE_FRACTION = 1e-5


def corner_error_mm(a: Grid, b: Grid) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.corners_lps() - b.corners_lps()).max())


def moved(affine):
    matrix = np.eye(4)
    matrix[:3] = affine
    return matrix


@pytest.mark.parametrize("direction", list(all_48_directions()))
def test_each_of_the_48_axis_orientations_survives_the_round_trip(a_scene, direction):
    grid = Grid((4, 5, 6), (0.7, 1.3, 2.9), (11.5, -40.25, 73.125), direction)
    volume = Volume(numbered(grid.shape), grid)

    back = node_to_volume(volume_to_node(volume, a_scene))

    assert corner_error_mm(back.grid, grid) < MICROMETRE_FRACTION
    np.testing.assert_array_equal(back.array, volume.array)


def test_an_oblique_grid_survives_the_round_trip_and_its_voxels_lie_where_slicer_says(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan, a_scene)

    back = node_to_volume(node)
    assert corner_error_mm(back.grid, a_small_scan.grid) < MICROMETRE_FRACTION

    ijk_to_ras = vtk_matrix(np.eye(4))
    node.GetIJKToRASMatrix(ijk_to_ras)
    ras = matrix_array(ijk_to_ras) @ [5, 4, 3, 1]
    np.testing.assert_allclose(ras[:3] * [-1, -1, 1], a_small_scan.grid.lps_of(np.array([3, 4, 5])), atol=1e-5)
    assert node.GetImageData().GetScalarComponentAsDouble(5, 4, 3, 0) == a_small_scan.array[3, 4, 5]


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"])
def test_the_type_of_the_voxels_is_kept(a_scene, dtype):
    volume = Volume(numbered((2, 3, 4), dtype), Grid((2, 3, 4)))
    back = node_to_volume(volume_to_node(volume, a_scene))
    assert back.array.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(back.array, volume.array)


@pytest.mark.parametrize(("dtype", "stored"), [("?", "u1"), ("f2", "f4"), (">i2", "i2")])
def test_a_type_that_vtk_does_not_know_is_stored_as_the_nearest_one(a_scene, dtype, stored):
    array = (numbered((2, 3, 4)) % 2).astype(dtype)
    back = node_to_volume(volume_to_node(Volume(array, Grid((2, 3, 4))), a_scene))
    assert back.array.dtype == np.dtype(stored)
    np.testing.assert_array_equal(back.array, array.astype(stored))


def test_node_and_array_share_memory_both_ways(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan, a_scene)
    a_small_scan.array[1, 2, 3] = -77
    assert node.GetImageData().GetScalarComponentAsDouble(3, 2, 1, 0) == -77
    assert np.shares_memory(node_to_volume(node).array, a_small_scan.array)


def test_a_mirrored_view_of_an_array_keeps_its_voxels(a_scene):
    array = numbered((3, 4, 5))[:, ::-1, :]
    back = node_to_volume(volume_to_node(Volume(array, Grid((3, 4, 5))), a_scene))
    np.testing.assert_array_equal(back.array, array)


def test_a_scan_in_a_mapped_file_can_be_written_to_in_the_scene(a_scene, tmp_path):
    np.save(tmp_path / "scan.npy", numbered((3, 4, 5)))
    mapped = np.load(tmp_path / "scan.npy", mmap_mode="r")
    node = volume_to_node(Volume(mapped, Grid((3, 4, 5))), a_scene)
    node.GetImageData().GetPointData().GetScalars().Fill(9)
    assert (node_to_volume(node).array == 9).all()
    np.testing.assert_array_equal(mapped, numbered((3, 4, 5)))


def test_the_node_keeps_its_voxels_when_the_volume_is_gone_and_the_volume_when_the_node_is_gone(a_scene):
    node = volume_to_node(Volume(numbered((50, 50, 50), "i4"), Grid((50, 50, 50))), a_scene)
    gc.collect()
    kept = node_to_volume(node).array
    a_scene.RemoveNode(node)
    del node
    gc.collect()
    np.testing.assert_array_equal(kept, numbered((50, 50, 50), "i4"))


def test_modality_unit_and_name_travel_with_the_node(a_scene):
    volume = Volume(numbered((2, 3, 4)), Grid((2, 3, 4)), Modality.CT, Unit.HOUNSFIELD, "chest")
    back = node_to_volume(volume_to_node(volume, a_scene))
    assert (back.modality, back.unit, back.name) == (Modality.CT, Unit.HOUNSFIELD, "chest")


def test_a_ct_that_slicer_loaded_is_known_by_its_hounsfield_units(a_scene):
    node = volume_to_node(Volume(numbered((2, 3, 4)), Grid((2, 3, 4))), a_scene)
    node.RemoveAttribute("MedSegAI.Modality")
    node.RemoveAttribute("MedSegAI.Unit")
    assert node_to_volume(node).modality is Modality.UNKNOWN
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning("[hnsf'U]", "UCUM", "Hounsfield unit")
    node.SetVoxelValueUnits(entry)
    assert (node_to_volume(node).modality, node_to_volume(node).unit) == (Modality.CT, Unit.HOUNSFIELD)
    assert node_to_volume(node, modality=Modality.MR).modality is Modality.MR


def test_two_nodes_of_one_name_stay_apart(a_scene, a_small_scan):
    names = {volume_to_node(a_small_scan, a_scene).GetName() for _ in range(2)}
    assert len(names) == 2


def test_updating_a_node_changes_voxels_and_geometry_but_not_its_name_or_identity(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan, a_scene)
    identity, name = node.GetID(), node.GetName()
    other = Volume(numbered((3, 3, 3), "f4"), Grid((3, 3, 3), (2, 2, 2)))
    update_volume_node(node, other)
    assert (node.GetID(), node.GetName()) == (identity, name)
    assert corner_error_mm(node_to_volume(node).grid, other.grid) < MICROMETRE_FRACTION


@pytest.mark.parametrize("direction", [np.eye(3), np.diag([1.0, 1.0, -1.0]), rotation(0.2, 0.4, -0.9)])
def test_a_rigid_or_mirroring_parent_moves_the_grid_and_leaves_the_voxels(a_scene, a_small_scan, direction):
    lps = moved(np.column_stack([direction, [10.0, -20.0, 30.0]]))
    node = volume_to_node(a_small_scan, a_scene)
    node.SetAndObserveTransformNodeID(transform_to_node(lps, a_scene).GetID())

    back = node_to_volume(node)

    expected = Grid.from_index_to_lps(a_small_scan.grid.shape, lps @ a_small_scan.grid.index_to_lps)
    assert corner_error_mm(back.grid, expected) < MICROMETRE_FRACTION
    assert np.shares_memory(back.array, a_small_scan.array)


def test_parents_of_parents_count(a_scene, a_small_scan):
    inner, outer = np.eye(4), np.eye(4)
    inner[:3, 3], outer[:3, :3] = (5, 0, 0), rotation(0, 0, np.pi / 2)
    node = volume_to_node(a_small_scan, a_scene)
    first, second = transform_to_node(inner, a_scene), transform_to_node(outer, a_scene)
    first.SetAndObserveTransformNodeID(second.GetID())
    node.SetAndObserveTransformNodeID(first.GetID())
    expected = outer @ inner @ a_small_scan.grid.index_to_lps
    np.testing.assert_allclose(world_grid(node).index_to_lps, expected, atol=1e-6)


def a_ramp(shape=(20, 22, 24), dtype=np.float32):
    """A scan whose value is a linear function of the LPS position, so that any resampling has a known answer."""
    grid = an_oblique_grid(shape)
    lps = grid.lps_of(np.stack(np.indices(shape), -1))
    return Volume((lps @ np.array([2.0, -3.0, 5.0])).astype(dtype), grid, name="ramp")


def test_a_shearing_parent_resamples_to_the_right_place(a_scene):
    ramp = a_ramp()
    shear = np.eye(4)
    shear[0, 1], shear[1, 2], shear[:3, 3] = 0.3, -0.2, (4, 5, 6)
    node = volume_to_node(ramp, a_scene)
    node.SetAndObserveTransformNodeID(transform_to_node(shear, a_scene).GetID())
    assert world_grid(node) is None

    back = node_to_volume(node)

    lps = back.grid.lps_of(np.stack(np.indices(back.grid.shape), -1))
    source = (lps - shear[:3, 3]) @ np.linalg.inv(shear[:3, :3]).T
    index = ramp.grid.kji_of(source)
    inside = np.all((index > 0.01) & (index < np.array(ramp.grid.shape) - 1.01), axis=-1)
    assert inside.sum() > 5000
    np.testing.assert_allclose(back.array[inside], (source @ np.array([2.0, -3.0, 5.0]))[inside], atol=2e-3)
    assert back.array[~np.all((index > -1) & (index < np.array(ramp.grid.shape)), axis=-1)].max() == ramp.array.min()


def test_a_bending_parent_resamples_and_a_label_map_keeps_its_labels(a_scene):
    labels = Volume((numbered((10, 10, 10)) % 3).astype(np.uint8), Grid((10, 10, 10)), name="labels")
    spline = vtkThinPlateSplineTransform()
    spline.SetBasisToR()
    source, target = vtkPoints(), vtkPoints()
    for point in np.array([[0, 0, 0], [-9, 0, 0], [0, -9, 0], [0, 0, 9], [-9, -9, 9.0]]):
        source.InsertNextPoint(point)
        target.InsertNextPoint(point + 0.2 * np.sin(point))
    spline.SetSourceLandmarks(source)
    spline.SetTargetLandmarks(target)
    transform = a_scene.AddNewNodeByClass("vtkMRMLTransformNode", "bent")
    transform.SetAndObserveTransformToParent(spline)
    node = a_scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    update_volume_node(node, labels)
    node.SetAndObserveTransformNodeID(transform.GetID())

    back = node_to_volume(node)

    assert set(np.unique(back.array)) == {0, 1, 2}
    assert back.array.dtype == np.uint8


def test_a_transform_that_spreads_a_scan_over_kilometres_is_refused_with_a_sentence(a_scene, a_small_scan):
    huge = np.diag([1e6, 1e6, 1e6, 1.0])
    huge[0, 1] = 1e5
    node = volume_to_node(a_small_scan, a_scene)
    node.SetAndObserveTransformNodeID(transform_to_node(huge, a_scene).GetID())
    with pytest.raises(InputError, match="spreads it over"):
        node_to_volume(node)


def test_sheared_axes_of_the_node_itself_are_refused_with_a_sentence(a_scene, a_small_scan):
    node = volume_to_node(a_small_scan, a_scene)
    sheared = np.eye(4)
    sheared[0, 1] = 0.4
    node.SetIJKToRASMatrix(vtk_matrix(sheared))
    with pytest.raises(InputError, match="not perpendicular"):
        node_to_volume(node)


def test_an_empty_node_is_refused_with_a_sentence(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing")
    with pytest.raises(InputError, match="'nothing' holds no voxels"):
        node_to_volume(node)


def test_a_colour_image_is_refused_with_a_sentence(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(4, 4, 1)
    image.AllocateScalars(3, 3)
    node.SetAndObserveImageData(image)
    with pytest.raises(InputError, match="3 values a voxel"):
        node_to_volume(node)


def test_a_real_head_is_shown_in_the_scene_without_a_copy(a_scene, a_head):
    node = volume_to_node(a_head, a_scene)
    back = node_to_volume(node)
    assert np.shares_memory(back.array, a_head.array)
    assert back.grid.same_frame(a_head.grid, tolerance_mm=MICROMETRE_FRACTION)
