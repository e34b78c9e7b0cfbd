"""What Logic writes without Slicer opens in Slicer, and the other way round."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.segment_updates import update_segments
from MedSegAI.Bridge.segmentation_nodes import node_to_segmentation, read_provenance, segmentation_to_node
from MedSegAI.Bridge.volume_nodes import node_to_volume, volume_to_node
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.files.write import write_segmentation, write_volume
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume
from Testing.Bridge.conftest import all_48_directions
from Testing.Bridge.test_segmentation_nodes import assert_same_tables


def load_in_slicer(scene, path):
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loaded")
    storage = scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    return node


def save_in_slicer(node, path):
    storage = node.CreateDefaultStorageNode()
    storage.SetFileName(str(path))
    assert storage.WriteData(node)
    return path


def test_logics_seg_nrrd_opens_in_slicer_with_everything(a_scene, some_labels, a_table, a_provenance, tmp_path):
    path = tmp_path / "result.seg.nrrd"
    write_segmentation(path, some_labels, a_table, a_provenance)
    node = load_in_slicer(a_scene, path)
    labels, table = node_to_segmentation(node)
    np.testing.assert_array_equal(labels.array, some_labels.array)
    assert labels.grid.same_frame(some_labels.grid, tolerance_mm=1e-4)
    assert_same_tables(table, a_table)
    assert read_provenance(node) == a_provenance


def test_slicers_seg_nrrd_opens_in_logic_with_everything(a_scene, some_labels, a_table, a_provenance, tmp_path):
    node = segmentation_to_node(some_labels, a_table, a_scene, provenance=a_provenance)
    back = read_segmentation(save_in_slicer(node, tmp_path / "slicer.seg.nrrd"))
    np.testing.assert_array_equal(back.labels.array, some_labels.array)
    assert back.labels.grid.same_frame(some_labels.grid, tolerance_mm=1e-4)
    assert_same_tables(back.table, a_table)
    assert back.provenance == a_provenance


def test_a_result_edited_in_slicer_keeps_its_provenance_back_in_logic(
    a_scene, some_labels, a_table, a_provenance, tmp_path
):
    write_segmentation(tmp_path / "result.seg.nrrd", some_labels, a_table, a_provenance)
    node = load_in_slicer(a_scene, tmp_path / "result.seg.nrrd")
    box = Box((0, 0, 0), (2, 2, 2))
    edited = some_labels.array.copy()
    edited[box.slices] = 7
    update_segments(node, some_labels.with_array(edited), box=box)
    back = read_segmentation(save_in_slicer(node, tmp_path / "edited.seg.nrrd"))
    assert back.provenance == a_provenance
    assert [(label.value, label.key) for label in back.table] == [(3, "left_hippocampus"), (7, "odd")]
    assert (back.labels.array == 7).sum() == (edited == 7).sum()


def test_an_empty_result_opens_in_slicer(a_scene, some_labels, a_table, tmp_path):
    empty = some_labels.with_array(np.zeros_like(some_labels.array))
    write_segmentation(tmp_path / "empty.seg.nrrd", empty, a_table)
    labels, table = node_to_segmentation(load_in_slicer(a_scene, tmp_path / "empty.seg.nrrd"), grid=empty.grid)
    assert not labels.array.any()
    assert len(table) == 2


@pytest.mark.parametrize("direction", list(all_48_directions())[::5])
def test_voxels_lie_at_the_same_place_in_logic_and_in_slicer(a_scene, a_table, tmp_path, direction):
    grid = Grid((7, 8, 9), (0.7, 1.3, 2.9), (11.5, -40.25, 73.125), direction)
    array = np.zeros(grid.shape, np.uint8)
    array[5, 6, 7] = 7
    write_segmentation(tmp_path / "one.seg.nrrd", Volume(array, grid), a_table)
    centre = load_in_slicer(a_scene, tmp_path / "one.seg.nrrd").GetSegmentCenterRAS("odd")
    np.testing.assert_allclose(np.array(centre) * [-1, -1, 1], grid.lps_of(np.array([5, 6, 7])), atol=1e-4)


@pytest.mark.parametrize("ending", [".nrrd", ".nii.gz", ".mha"])
def test_a_volume_written_by_one_is_the_same_in_the_other(a_scene, a_small_scan, tmp_path, ending):
    path = tmp_path / f"scan{ending}"
    write_volume(path, a_small_scan)
    node = a_scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "scan")
    storage = a_scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(path))
    assert storage.ReadData(node)
    back = node_to_volume(node)
    np.testing.assert_array_equal(back.array, a_small_scan.array)
    assert back.grid.same_frame(a_small_scan.grid, tolerance_mm=1e-3)


def test_real_expert_labels_survive_logic_slicer_and_logic_again(a_scene, hippocampus_crops, tmp_path):
    table = LabelTable(
        (Label(1, "anterior", "Anterior", (0.9, 0.6, 0.2)), Label(2, "posterior", "Posterior", (0.3, 0.5, 0.9)))
    )
    for crop in hippocampus_crops:
        scan = read_volume(crop.image)
        expert = read_segmentation(crop.labels).labels
        node = segmentation_to_node(expert, table, a_scene, reference=volume_to_node(scan, a_scene), name=crop.name)
        back = read_segmentation(save_in_slicer(node, tmp_path / f"{crop.name}.seg.nrrd")).labels
        np.testing.assert_array_equal(back.array, expert.array)
        assert back.grid.same_frame(scan.grid, tolerance_mm=1e-3)


def test_a_ct_with_all_its_structures_survives(a_scene, data_folder):
    """A real CT at 3 mm with the 61 structures TotalSegmentator found in it: many segments in one layer."""
    folder = data_folder / "totalseg_ct"
    scan = read_volume(folder / "example_ct.nii.gz")
    found = read_segmentation(folder / "example_seg_fast_force_split.nii.gz")
    node = segmentation_to_node(found.labels, found.table, a_scene, reference=volume_to_node(scan, a_scene))
    labels, table = node_to_segmentation(node)
    np.testing.assert_array_equal(labels.array, found.labels.array)
    assert_same_tables(table, found.table)
    assert node.GetSegmentation().GetNumberOfLayers() == 1
