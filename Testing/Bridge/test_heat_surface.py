"""A heat map's surface in 3D: where it lies, one a heat map, found again and hidden again."""

from __future__ import annotations

import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy

from MedSegAI.Bridge.graphics import gl_state
from MedSegAI.Bridge.heat_surface import heat_surface_node, hide_heat_surface, level_surface, shown_heat_surface
from MedSegAI.Bridge.heatmap_nodes import heatmap_to_node, set_heat_colours
from MedSegAI.Bridge.scene import load_scene, save_scene
from MedSegAI.Bridge.transform_nodes import transform_to_node
from MedSegAI.Bridge.views import ThreeDView
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid, swap_lps_and_ras
from MedSegAI.Logic.volume import Volume
from Testing.Bridge.conftest import rotation

SHAPE = (30, 40, 50)
CENTRE_KJI = (15.0, 18.0, 22.0)


@pytest.fixture
def a_ball():
    """Heat that falls off evenly from 1 in the middle to 0 at 10 mm, on a turned grid."""
    grid = Grid(SHAPE, (0.8, 0.9, 1.1), (5.0, -30.0, 12.0), tuple(rotation(0.3, 0.2, -0.4).ravel()))
    places = grid.lps_of(np.argwhere(np.ones(SHAPE))).reshape(*SHAPE, 3)
    distance = np.linalg.norm(places - grid.lps_of(np.array(CENTRE_KJI)), axis=-1)
    return Volume(np.clip(1 - distance / 10, 0, 1).astype(np.float32), grid, name="heat of ball")


@pytest.fixture
def a_heat_node(a_ball, a_scene):
    return heatmap_to_node(a_ball, a_scene, name="heat of ball")


def points_of(surface):
    return vtk_to_numpy(surface.GetPoints().GetData()).astype(float)


def distances(surface, ball):
    centre = swap_lps_and_ras(ball.grid.lps_of(np.array(CENTRE_KJI)))
    return np.linalg.norm(points_of(surface) - centre, axis=1)


@pytest.mark.parametrize("threshold", [0.3, 0.6])
def test_it_lies_where_the_heat_reaches_the_threshold(a_heat_node, a_ball, threshold):
    model = heat_surface_node(a_heat_node, threshold=threshold, opacity=0.4)
    assert distances(model.GetPolyData(), a_ball) == pytest.approx(10 * (1 - threshold), abs=0.35)
    assert model.GetDisplayNode().GetOpacity() == pytest.approx(0.4)
    assert model.GetDisplayNode().GetVisibility()


def test_another_threshold_and_opacity_change_the_same_model(a_heat_node, a_scene, a_ball):
    first = heat_surface_node(a_heat_node, threshold=0.3, opacity=0.4)
    count = a_scene.GetNumberOfNodes()
    second = heat_surface_node(a_heat_node, threshold=0.6, opacity=0.7)
    assert second is first
    assert a_scene.GetNumberOfNodes() == count
    assert distances(second.GetPolyData(), a_ball).max() < 5
    assert second.GetDisplayNode().GetOpacity() == pytest.approx(0.7)


def test_each_heat_map_has_its_own(a_heat_node, a_ball, a_scene):
    other = heatmap_to_node(a_ball, a_scene)
    first, second = (heat_surface_node(node, threshold=0.5, opacity=0.5) for node in (a_heat_node, other))
    assert first is not second
    assert shown_heat_surface(a_heat_node) is first


def test_it_is_hidden_and_shown_again(a_heat_node, a_scene):
    hide_heat_surface(a_heat_node)
    model = heat_surface_node(a_heat_node, threshold=0.5, opacity=0.5)
    hide_heat_surface(a_heat_node)
    assert not model.GetDisplayNode().GetVisibility()
    assert heat_surface_node(a_heat_node, threshold=0.5, opacity=0.5) is model
    assert model.GetDisplayNode().GetVisibility()
    a_scene.RemoveNode(model)
    hide_heat_surface(a_heat_node)
    assert heat_surface_node(a_heat_node, threshold=0.5, opacity=0.5) is not model


def test_above_the_maximum_it_is_empty_and_no_error(a_scene, a_ball):
    node = heatmap_to_node(a_ball.with_array(a_ball.array * np.float32(0.5)), a_scene)
    model = heat_surface_node(node, threshold=0.9, opacity=0.5)
    assert model.GetPolyData().GetNumberOfPoints() == 0
    assert heat_surface_node(node, threshold=0.3, opacity=0.5).GetPolyData().GetNumberOfPoints() > 0


def test_a_threshold_of_0_means_wherever_there_is_heat(a_heat_node, a_ball):
    assert distances(level_surface(a_heat_node, 0.0), a_ball) == pytest.approx(10, abs=0.5)


def test_it_closes_at_the_edge_of_the_scan(a_scene, a_ball):
    node = heatmap_to_node(a_ball.with_array(np.ones(SHAPE, np.float32)), a_scene)
    surface = points_of(level_surface(node, 0.5))
    corners = swap_lps_and_ras(a_ball.grid.corners_lps())
    np.testing.assert_allclose(surface.min(axis=0), corners.min(axis=0), atol=1.0)
    np.testing.assert_allclose(surface.max(axis=0), corners.max(axis=0), atol=1.0)


def test_it_follows_the_heat_maps_transform_and_colours(a_heat_node, a_scene):
    matrix = np.eye(4)
    matrix[:3, 3] = (7.0, 0.0, 0.0)
    model = heat_surface_node(a_heat_node, threshold=0.5, opacity=0.5)
    before, colour = np.zeros(6), model.GetDisplayNode().GetColor()
    model.GetRASBounds(before)
    a_heat_node.SetAndObserveTransformNodeID(transform_to_node(matrix, a_scene).GetID())
    set_heat_colours(a_heat_node, "viridis")
    after = np.zeros(6)
    heat_surface_node(a_heat_node, threshold=0.5, opacity=0.5).GetRASBounds(after)
    np.testing.assert_allclose(after - before, [-7, -7, 0, 0, 0, 0], atol=1e-4)
    assert model.GetDisplayNode().GetColor() != colour


@pytest.mark.parametrize(("threshold", "opacity", "what"), [(1.5, 0.5, "threshold"), (0.5, -0.1, "opacity")])
def test_values_outside_0_to_1_are_refused_and_nothing_is_added(a_heat_node, a_scene, threshold, opacity, what):
    with pytest.raises(InputError, match=what):
        heat_surface_node(a_heat_node, threshold=threshold, opacity=opacity)
    assert a_scene.GetNumberOfNodesByClass("vtkMRMLModelNode") == 0


def test_it_is_found_again_after_mrb(a_heat_node, a_scene, tmp_path):
    heat_surface_node(a_heat_node, threshold=0.5, opacity=0.35)
    opened = load_scene(save_scene(a_scene, tmp_path / "case.mrb"))
    node = opened.mrml.GetFirstNodeByName("heat of ball")
    model = shown_heat_surface(node)
    assert model.GetPolyData().GetNumberOfPoints() > 100
    assert model.GetDisplayNode().GetOpacity() == pytest.approx(0.35)
    assert heat_surface_node(node, threshold=0.7, opacity=0.2) is model
    assert opened.mrml.GetNumberOfNodesByClass("vtkMRMLModelNode") == 1


@pytest.mark.skipif(not gl_state().usable, reason=gl_state().sentence)
def test_a_3d_view_shows_it_in_the_heat_maps_colour(an_open_scene, a_heat_node):
    with ThreeDView(an_open_scene, size=(120, 120)) as view:
        heat_surface_node(a_heat_node, threshold=0.5, opacity=1.0)
        view.look_from([0.0, -1.0, 0.0])
        red, _, blue = np.moveaxis(view.snapshot().astype(int), -1, 0)
        assert (red - blue > 60).sum() > 1000
