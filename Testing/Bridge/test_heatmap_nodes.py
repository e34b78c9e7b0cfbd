"""A heat map keeps its values in the scene, is transparent below its threshold and lies over the scan."""

from __future__ import annotations

import numpy as np
import pytest
import slicer

from MedSegAI.Bridge.heatmap_nodes import (
    heat_colour_node,
    heat_colours_of,
    heatmap_to_node,
    set_heat_colours,
    set_heat_threshold,
)
from MedSegAI.Bridge.scene import load_scene, save_scene
from MedSegAI.Bridge.slice_composites import show_heat, show_scan
from MedSegAI.Bridge.volume_nodes import node_to_volume, volume_to_node
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.report.heat_colours import HEAT_COLOUR_MAPS, HEAT_LEGEND, heat_colours
from MedSegAI.Logic.volume import Unit


@pytest.fixture
def a_heat_map(a_small_scan):
    array = np.linspace(0, 1, a_small_scan.array.size, dtype=np.float32).reshape(a_small_scan.array.shape)
    return a_small_scan.with_array(array, unit=Unit.ARBITRARY)


def test_the_heat_map_keeps_its_values_and_place(a_scene, a_heat_map):
    back = node_to_volume(heatmap_to_node(a_heat_map, a_scene))
    np.testing.assert_array_equal(back.array, a_heat_map.array)
    assert back.array.dtype == np.float32
    assert back.grid.same_frame(a_heat_map.grid, tolerance_mm=1e-5)


def test_it_has_256_colours_of_its_own_over_the_whole_range(a_scene, a_heat_map):
    node = heatmap_to_node(a_heat_map, a_scene)
    colours = node.GetDisplayNode().GetColorNode()
    assert colours.GetNumberOfColors() == 256
    got = [colours.GetLookupTable().GetTableValue(index) for index in (0, 128, 255)]
    np.testing.assert_allclose(np.array(got)[:, :3], heat_colours(256)[[0, 128, 255]], atol=1 / 255)
    display = node.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0.0, 1.0)
    assert not display.GetAutoWindowLevel()


def test_two_heat_maps_share_the_colours(a_scene, a_heat_map):
    first, second = (heatmap_to_node(a_heat_map, a_scene) for _ in range(2))
    assert first.GetDisplayNode().GetColorNode() is second.GetDisplayNode().GetColorNode()
    assert heat_colour_node(a_scene) is first.GetDisplayNode().GetColorNode()


def alpha_shown(node):
    """What Slicer's display pipeline makes of each voxel: 0 transparent, 255 opaque."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    display = node.GetDisplayNode()
    display.UpdateImageDataPipeline()
    port = display.GetImageDataConnection()
    port.GetProducer().Update()
    rgba = vtk_to_numpy(port.GetProducer().GetOutputDataObject(0).GetPointData().GetScalars())
    return rgba[:, 3]


def test_voxels_below_the_threshold_are_transparent_and_it_can_be_moved(a_scene, a_heat_map):
    node = heatmap_to_node(a_heat_map, a_scene, threshold=0.4)
    heat = a_heat_map.array.ravel()
    assert node.GetDisplayNode().GetLowerThreshold() == pytest.approx(0.4)
    np.testing.assert_array_equal(alpha_shown(node) > 0, heat >= 0.4)
    set_heat_threshold(node, 0.75)
    np.testing.assert_array_equal(alpha_shown(node) > 0, heat >= 0.75)


@pytest.mark.parametrize("threshold", [-0.1, 1.1])
def test_a_threshold_outside_0_to_1_is_refused_with_a_sentence(a_scene, a_heat_map, threshold):
    with pytest.raises(InputError, match="threshold"):
        heatmap_to_node(a_heat_map, a_scene, threshold=threshold)


def composites(scene):
    count = scene.GetNumberOfNodesByClass("vtkMRMLSliceCompositeNode")
    return [scene.GetNthNodeByClass(index, "vtkMRMLSliceCompositeNode") for index in range(count)]


def test_it_lies_over_the_scan_in_the_views_that_slicer_will_have(a_scene, a_small_scan, a_heat_map):
    scan, heat = volume_to_node(a_small_scan, a_scene), heatmap_to_node(a_heat_map, a_scene)
    show_heat(heat, scan, opacity=0.4)
    assert {node.GetLayoutName() for node in composites(a_scene)} == {"Red", "Green", "Yellow"}
    for node in composites(a_scene):
        assert (node.GetBackgroundVolumeID(), node.GetForegroundVolumeID()) == (scan.GetID(), heat.GetID())
        assert node.GetForegroundOpacity() == pytest.approx(0.4)
    show_heat(heat, scan, opacity=0.6)
    assert len(composites(a_scene)) == 3
    with pytest.raises(InputError, match="opacity"):
        show_heat(heat, scan, opacity=2.0)


def test_a_scan_alone_is_shown_in_the_views_that_slicer_will_have(a_scene, a_small_scan, a_heat_map):
    scan = volume_to_node(a_small_scan, a_scene)
    show_heat(heatmap_to_node(a_heat_map, a_scene), scan)
    show_scan(scan)
    assert [node.GetBackgroundVolumeID() for node in composites(a_scene)] == [scan.GetID()] * 3
    assert [node.GetForegroundVolumeID() for node in composites(a_scene)] == [None] * 3


def test_display_and_legend_survive_mrb(a_scene, a_small_scan, a_heat_map, tmp_path):
    scan = volume_to_node(a_small_scan, a_scene)
    heat = heatmap_to_node(a_heat_map, a_scene, threshold=0.35, name="heat map")
    show_heat(heat, scan, opacity=0.55)

    loaded = load_scene(save_scene(a_scene, tmp_path / "case.mrb")).mrml

    node = loaded.GetFirstNodeByName("heat map")
    assert node.GetDisplayNode().GetLowerThreshold() == pytest.approx(0.35)
    assert node.GetDisplayNode().GetApplyThreshold()
    assert node.GetDescription() == HEAT_LEGEND
    colours = node.GetDisplayNode().GetColorNode()
    np.testing.assert_allclose(colours.GetLookupTable().GetTableValue(200)[:3], heat_colours(256)[200], atol=1 / 255)
    assert loaded.GetNumberOfNodesByClass("vtkMRMLColorLegendDisplayNode") == 1
    for composite in composites(loaded):
        assert loaded.GetNodeByID(composite.GetForegroundVolumeID()) is node
        assert composite.GetForegroundOpacity() == pytest.approx(0.55)


@pytest.mark.parametrize("name", HEAT_COLOUR_MAPS)
def test_every_colour_map_can_be_chosen_and_is_a_table_of_our_own(a_scene, a_heat_map, name):
    node = heatmap_to_node(a_heat_map, a_scene, colours=name)
    table = node.GetDisplayNode().GetColorNode()
    assert heat_colours_of(node) == name
    assert table.GetName() == f"MedSegAI {name}"
    got = [table.GetLookupTable().GetTableValue(index)[:3] for index in (0, 100, 255)]
    np.testing.assert_allclose(got, heat_colours(256, name=name)[[0, 100, 255]], atol=1 / 255)


def test_other_colours_reach_the_colour_bar_and_leave_other_heat_maps_alone(a_scene, a_heat_map):
    first, second = (heatmap_to_node(a_heat_map, a_scene) for _ in range(2))
    set_heat_colours(first, "viridis")
    assert (heat_colours_of(first), heat_colours_of(second)) == ("viridis", "heat")
    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(first.GetDisplayNode())
    assert legend.GetColorNode() is first.GetDisplayNode().GetColorNode()
    assert first.GetDisplayNode().GetLowerThreshold() == pytest.approx(0.3)
    set_heat_colours(second, "viridis")
    assert second.GetDisplayNode().GetColorNode() is first.GetDisplayNode().GetColorNode()


def test_colours_that_do_not_exist_are_refused_and_nothing_is_added(a_scene, a_heat_map):
    count = a_scene.GetNumberOfNodes()
    with pytest.raises(InputError, match=r"'rainbow'.*viridis"):
        heatmap_to_node(a_heat_map, a_scene, colours="rainbow")
    assert a_scene.GetNumberOfNodes() == count


def test_chosen_colours_are_known_again_after_mrb(a_scene, a_heat_map, tmp_path):
    set_heat_colours(heatmap_to_node(a_heat_map, a_scene, name="heat map"), "cividis")
    opened = load_scene(save_scene(a_scene, tmp_path / "case.mrb"))
    node = opened.mrml.GetFirstNodeByName("heat map")
    assert heat_colours_of(node) == "cividis"
    table = node.GetDisplayNode().GetColorNode()
    set_heat_colours(node, "cividis")
    assert node.GetDisplayNode().GetColorNode() is table
