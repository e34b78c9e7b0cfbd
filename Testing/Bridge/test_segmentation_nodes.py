"""Labels, names, colours, codes and provenance survive the way into Slicer and back."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
from vtkmodules.vtkCommonTransforms import vtkThinPlateSplineTransform

from MedSegAI.Bridge.scene import load_scene, save_scene
from MedSegAI.Bridge.segment_surfaces import create_surfaces
from MedSegAI.Bridge.segmentation_nodes import (
    node_to_segmentation,
    read_provenance,
    segmentation_to_node,
    tag_of,
    write_provenance,
)
from MedSegAI.Bridge.transform_nodes import transform_to_node
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.errors import InputError, LabelError
from MedSegAI.Logic.files.segment_tags import PROVENANCE_TAG, TERMINOLOGY_TAG
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume
from Testing.Bridge.conftest import all_48_directions, rotation


@pytest.fixture
def a_segmentation(a_scene, some_labels, a_table, a_provenance):
    return segmentation_to_node(some_labels, a_table, a_scene, provenance=a_provenance, name="hippocampi")


def assert_same_tables(a: LabelTable, b: LabelTable) -> None:
    assert [(x.value, x.key, x.name, x.terminology) for x in a] == [(x.value, x.key, x.name, x.terminology) for x in b]
    np.testing.assert_allclose([x.colour for x in a], [x.colour for x in b], atol=1e-5)


def test_labels_names_colours_and_codes_survive_the_node(a_segmentation, some_labels, a_table):
    labels, table = node_to_segmentation(a_segmentation)
    np.testing.assert_array_equal(labels.array, some_labels.array)
    assert labels.array.dtype == np.uint8
    assert labels.grid.same_frame(some_labels.grid, tolerance_mm=1e-5)
    assert_same_tables(table, a_table)


@pytest.mark.parametrize("direction", list(all_48_directions()))
def test_labels_lie_right_in_each_of_the_48_orientations(a_scene, a_table, direction):
    grid = Grid((7, 8, 9), (0.7, 1.3, 2.9), (11.5, -40.25, 73.125), direction)
    array = np.zeros(grid.shape, np.uint8)
    array[2:4, 3:6, 1:7], array[5, 6, 7] = 3, 7
    node = segmentation_to_node(Volume(array, grid), a_table, a_scene)
    labels, _ = node_to_segmentation(node)
    np.testing.assert_array_equal(labels.array, array)
    assert labels.grid.same_frame(grid, tolerance_mm=1e-5)
    centre = np.array(node.GetSegmentCenterRAS("odd")) * [-1, -1, 1]
    np.testing.assert_allclose(centre, grid.lps_of(np.array([5, 6, 7])), atol=1e-4)


def test_segments_share_one_layer_cropped_to_what_is_segmented(a_segmentation, some_labels):
    segmentation = a_segmentation.GetSegmentation()
    assert segmentation.GetNumberOfLayers() == 1
    assert segmentation.GetSegment("odd").GetRepresentation("Binary labelmap").GetDimensions() == (8, 6, 4)
    some_labels.array[...] = 0
    assert node_to_segmentation(a_segmentation)[0].array.any()


def test_the_terminology_entry_is_the_one_that_slicers_logic_writes(a_segmentation):
    segment = a_segmentation.GetSegmentation().GetSegment("left_hippocampus")
    text = tag_of(segment, slicer.vtkSegment.GetTerminologyEntryTagName())
    by_slicer = slicer.vtkSlicerTerminologiesModuleLogic.SerializeTerminologyEntry(
        "Segmentation category and type - DICOM master list",
        *("123037004", "SCT", "Anatomical Structure", "5366008", "SCT", "Hippocampus", "7771000", "SCT", "Left"),
        *("Anatomic codes - DICOM master list", "", "", "", "", "", ""),
    )
    assert text == by_slicer
    assert slicer.vtkSegment.GetTerminologyEntryTagName() == TERMINOLOGY_TAG

    logic, entry = slicer.vtkSlicerTerminologiesModuleLogic(), slicer.vtkSlicerTerminologyEntry()
    assert logic.DeserializeTerminologyEntry(text, entry)
    assert entry.GetTypeObject().GetCodeMeaning() == "Hippocampus"
    assert entry.GetTypeModifierObject().GetCodeValue() == "7771000"


def test_everything_survives_seg_nrrd(a_segmentation, a_scene, some_labels, a_table, a_provenance, tmp_path):
    storage = a_segmentation.CreateDefaultStorageNode()
    storage.SetFileName(str(tmp_path / "result.seg.nrrd"))
    assert storage.WriteData(a_segmentation)

    loaded = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loaded")
    assert storage.ReadData(loaded)

    labels, table = node_to_segmentation(loaded, grid=some_labels.grid)
    np.testing.assert_array_equal(labels.array, some_labels.array)
    assert_same_tables(table, a_table)
    assert loaded.GetAttribute(PROVENANCE_TAG) is None
    assert read_provenance(loaded) == a_provenance


def test_everything_survives_mrb(a_segmentation, a_scene, some_labels, a_table, a_provenance, tmp_path):
    create_surfaces(a_segmentation)
    loaded = load_scene(save_scene(a_scene, tmp_path / "case.mrb")).mrml.GetFirstNodeByName("hippocampi")
    labels, table = node_to_segmentation(loaded)
    np.testing.assert_array_equal(labels.array, some_labels.array)
    assert labels.grid.same_frame(some_labels.grid, tolerance_mm=1e-4)
    assert_same_tables(table, a_table)
    assert read_provenance(loaded) == a_provenance


def test_the_provenance_stays_when_the_user_removes_a_segment(a_segmentation, a_provenance):
    a_segmentation.RemoveAttribute(PROVENANCE_TAG)
    a_segmentation.GetSegmentation().RemoveSegment("left_hippocampus")
    assert read_provenance(a_segmentation) == a_provenance


def test_no_or_unreadable_provenance_is_none_and_not_an_error(a_scene, some_labels, a_table):
    node = segmentation_to_node(some_labels, a_table, a_scene)
    assert read_provenance(node) is None
    node.SetAttribute(PROVENANCE_TAG, "{ not json")
    assert read_provenance(node) is None


def test_provenance_can_be_written_later(a_scene, some_labels, a_table, a_provenance):
    node = segmentation_to_node(some_labels, a_table, a_scene)
    write_provenance(node, a_provenance)
    assert read_provenance(node) == a_provenance


def test_the_scans_geometry_is_the_reference_of_later_edits(a_scene, a_small_scan, a_table):
    scan = volume_to_node(a_small_scan, a_scene)
    array = np.zeros(a_small_scan.grid.shape, np.uint8)
    array[1:3, 1:3, 1:3] = 3
    node = segmentation_to_node(a_small_scan.with_array(array), a_table, a_scene, reference=scan)
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is scan
    assert node_to_segmentation(node)[0].grid.same_frame(a_small_scan.grid, tolerance_mm=1e-5)


def test_no_voxels_at_all_make_empty_segments(a_scene, some_labels, a_table, tmp_path):
    node = segmentation_to_node(some_labels.with_array(np.zeros_like(some_labels.array)), a_table, a_scene)
    labels, table = node_to_segmentation(node)
    assert not labels.array.any()
    assert labels.grid.same_frame(some_labels.grid, tolerance_mm=1e-5)
    assert len(table) == 2


def test_a_value_without_a_name_is_refused_with_a_sentence(a_scene, some_labels, a_table):
    some_labels.array[0, 0, 0] = 99
    with pytest.raises(LabelError, match=r"values without a name: \[99\]"):
        segmentation_to_node(some_labels, a_table, a_scene)


def test_a_parent_transform_moves_the_segments(a_segmentation, a_scene, some_labels):
    lps = np.eye(4)
    lps[:3, :3], lps[:3, 3] = rotation(0.3, 0.2, 0.1), (10, 20, 30)
    a_segmentation.SetAndObserveTransformNodeID(transform_to_node(lps, a_scene).GetID())
    moved = Grid.from_index_to_lps(some_labels.grid.shape, lps @ some_labels.grid.index_to_lps)
    for grid in (None, moved):
        labels, _ = node_to_segmentation(a_segmentation, grid=grid)
        np.testing.assert_array_equal(labels.array, some_labels.array)
        assert labels.grid.same_frame(moved, tolerance_mm=1e-4)


def test_reading_on_a_finer_or_shifted_grid_takes_the_nearest_voxel(a_segmentation, some_labels):
    grid = some_labels.grid
    cut = grid.crop(Box((1, 1, 1), (20, 20, 20)))
    labels, _ = node_to_segmentation(a_segmentation, grid=cut)
    np.testing.assert_array_equal(labels.array[:11, :13, :15], some_labels.array[1:, 1:, 1:])

    fine = Grid(
        tuple(2 * n for n in grid.shape),
        tuple(s / 2 for s in grid.spacing),
        tuple(grid.lps_of(np.full(3, -0.25))),
        grid.direction,
    )
    labels, _ = node_to_segmentation(a_segmentation, grid=fine)
    expected = some_labels.array.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    np.testing.assert_array_equal(labels.array, expected)

    beside = grid.crop(Box((0, 0, 100), (5, 5, 105)))
    assert not node_to_segmentation(a_segmentation, grid=beside)[0].array.any()

    elsewhere = Grid(grid.shape, grid.spacing, (5000, 5000, 5000), grid.direction)
    assert not node_to_segmentation(a_segmentation, grid=elsewhere)[0].array.any()


def test_a_shearing_parent_needs_a_grid_and_is_then_followed(a_scene, a_table):
    shear = np.eye(4)
    shear[0, 1] = 0.25
    grid = Grid((10, 16, 24))
    array = np.zeros(grid.shape, np.uint8)
    array[3:7, 4:12, 6:14] = 7
    node = segmentation_to_node(Volume(array, grid), a_table, a_scene)
    node.SetAndObserveTransformNodeID(transform_to_node(shear, a_scene).GetID())
    with pytest.raises(InputError, match="no regular grid"):
        node_to_segmentation(node)

    labels, _ = node_to_segmentation(node, grid=grid)

    # Row j moves by j / 4 voxels, to the nearest voxel; ties (j = 2, 6, 10) may fall either way.
    for j in set(range(16)) - {2, 6, 10, 14}:
        expected = np.roll(array[:, j], int(np.floor(j / 4 + 0.5)), axis=1)
        np.testing.assert_array_equal(labels.array[:, j], expected)


def test_a_bending_parent_needs_a_grid_and_says_so(a_segmentation, a_scene, some_labels):
    bent = a_scene.AddNewNodeByClass("vtkMRMLTransformNode", "bent")
    spline = vtkThinPlateSplineTransform()
    spline.SetBasisToR()
    bent.SetAndObserveTransformToParent(spline)
    a_segmentation.SetAndObserveTransformNodeID(bent.GetID())
    with pytest.raises(InputError, match="no regular grid"):
        node_to_segmentation(a_segmentation)
    # A spline without landmarks moves nothing.
    labels, _ = node_to_segmentation(a_segmentation, grid=some_labels.grid)
    np.testing.assert_array_equal(labels.array, some_labels.array)


def test_without_a_reference_geometry_the_grid_is_that_of_the_layers(a_segmentation, some_labels):
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    a_segmentation.GetSegmentation().SetConversionParameter(name, "")
    labels, _ = node_to_segmentation(a_segmentation)
    box = Box.around(some_labels.array)
    np.testing.assert_array_equal(labels.array, some_labels.array[box.slices])
    assert labels.grid.same_frame(some_labels.grid.crop(box), tolerance_mm=1e-5)


def test_empty_segments_without_any_geometry_are_refused_with_a_sentence(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "bare")
    node.GetSegmentation().AddEmptySegment("one")
    with pytest.raises(InputError, match="'bare' has no geometry"):
        node_to_segmentation(node)


def test_segments_of_a_kind_that_has_no_voxels_are_refused_with_a_sentence(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "contours")
    node.GetSegmentation().AddEmptySegment("one")
    node.GetSegmentation().SetSourceRepresentationName("Planar contour")
    with pytest.raises(InputError, match="'contours' cannot be turned into voxels"):
        node_to_segmentation(node)


def test_a_segment_drawn_as_a_surface_is_turned_into_voxels(a_segmentation, a_scene, some_labels):
    create_surfaces(a_segmentation, smoothing=0.0)
    surface = slicer.vtkSegment()
    surface.AddRepresentation("Closed surface", a_segmentation.GetClosedSurfaceInternalRepresentation("odd"))
    node = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "surfaces")
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    node.GetSegmentation().AddSegment(surface, "odd")
    labels, _ = node_to_segmentation(node, grid=some_labels.grid)
    mine, theirs = labels.array > 0, some_labels.array == 7
    assert 2 * (mine & theirs).sum() / (mine.sum() + theirs.sum()) > 0.8


def test_a_segment_the_user_added_is_read_with_the_next_free_value(a_segmentation, some_labels):
    user = slicer.vtkSegment()
    user.SetName("mine")
    a_segmentation.GetSegmentation().AddSegment(user, "Segment_1")
    a_segmentation.CreateBinaryLabelmapRepresentation()
    table = node_to_segmentation(a_segmentation, grid=some_labels.grid)[1]
    assert [(label.value, label.key) for label in table] == [
        (1, "Segment_1"),
        (3, "left_hippocampus"),
        (7, "odd"),
    ]


def test_a_copied_segment_does_not_take_its_originals_value(a_segmentation, some_labels):
    segmentation = a_segmentation.GetSegmentation()
    copy = slicer.vtkSegment()
    copy.DeepCopy(segmentation.GetSegment("odd"))
    segmentation.AddSegment(copy, "copy")
    labels, table = node_to_segmentation(a_segmentation, grid=some_labels.grid)
    assert [label.value for label in table] == [1, 3, 7]
    # The copy comes later in the list, so it lies on top.
    np.testing.assert_array_equal(labels.array == 1, some_labels.array == 7)


def test_a_node_without_segments_is_refused_with_a_sentence(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "nothing")
    with pytest.raises(InputError, match="'nothing' has no segments"):
        node_to_segmentation(node)


def test_more_than_255_segments_are_refused_with_a_sentence(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "many")
    for number in range(256):
        node.GetSegmentation().AddEmptySegment(f"s{number}")
    with pytest.raises(LabelError, match="256 segments"):
        node_to_segmentation(node)


def test_surfaces_are_closed_and_lie_where_the_labels_are(a_segmentation, some_labels):
    create_surfaces(a_segmentation, smoothing=0.0)
    surface = a_segmentation.GetClosedSurfaceInternalRepresentation("left_hippocampus")
    assert surface.GetNumberOfPolys() > 50
    low, high = np.array(surface.GetBounds()).reshape(3, 2).T
    voxels = some_labels.grid.lps_of(np.argwhere(some_labels.array == 3)) * [-1, -1, 1]
    np.testing.assert_allclose(low, voxels.min(0), atol=2.0)
    np.testing.assert_allclose(high, voxels.max(0), atol=2.0)


def test_surfaces_of_nothing_are_refused_with_a_sentence(a_scene):
    node = a_scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "nothing")
    with pytest.raises(InputError, match="No surfaces"):
        create_surfaces(node)


def test_a_real_head_with_two_segments_survives(a_scene, two_blobs_in_a_head):
    labels, _ = two_blobs_in_a_head
    table = LabelTable((Label(1, "left", "Left", (1, 0, 0)), Label(2, "right", "Right", (0, 1, 0))))
    node = segmentation_to_node(labels, table, a_scene)
    np.testing.assert_array_equal(node_to_segmentation(node)[0].array, labels.array)


def test_only_the_box_that_the_caller_knows_is_looked_at(a_scene, some_labels, a_table):
    searched = Box((1, 2, 3), (9, 12, 14))
    whole = segmentation_to_node(some_labels, a_table, a_scene)
    boxed = segmentation_to_node(some_labels, a_table, a_scene, box=searched)
    np.testing.assert_array_equal(node_to_segmentation(boxed)[0].array, some_labels.array)
    extents = [
        n.GetSegmentation().GetSegment("odd").GetRepresentation("Binary labelmap").GetExtent() for n in (whole, boxed)
    ]
    assert extents[0] == extents[1]
    some_labels.array[0, 0, 0] = 99
    segmentation_to_node(some_labels, a_table, a_scene, box=searched)
    some_labels.array[1, 2, 3] = 99
    with pytest.raises(LabelError, match="99"):
        segmentation_to_node(some_labels, a_table, a_scene, box=searched)


def test_an_empty_box_makes_empty_segments(a_scene, some_labels, a_table):
    node = segmentation_to_node(some_labels, a_table, a_scene, box=Box.empty())
    assert not node_to_segmentation(node)[0].array.any()
    assert node.GetSegmentation().GetNumberOfSegments() == 2


def test_six_layers_under_a_bending_transform_keep_their_own_voxels(a_scene):
    table = LabelTable(tuple(Label(v, f"s{v}", f"Segment {v}", (1.0, 0.0, 0.0)) for v in range(1, 7)))
    array = np.zeros((8, 8, 8), np.uint8)
    for value in range(1, 7):
        array[value, 1, : value + 1] = value
    node = segmentation_to_node(Volume(array, Grid(array.shape)), table, a_scene)
    for label in table:
        node.GetSegmentation().SeparateSegmentLabelmap(label.key)
    spline = vtkThinPlateSplineTransform()
    transform = a_scene.AddNewNodeByClass("vtkMRMLTransformNode", "identity, but not linear")
    transform.SetAndObserveTransformToParent(spline)
    node.SetAndObserveTransformNodeID(transform.GetID())
    labels, _ = node_to_segmentation(node, grid=Grid(array.shape))
    np.testing.assert_array_equal(labels.array, array)
