"""Pictures of a scene show the right places, in the right directions, and leave no trace in it."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Bridge.graphics import gl_state
from MedSegAI.Bridge.heat_surface import heat_surface_node
from MedSegAI.Bridge.heatmap_nodes import heatmap_to_node
from MedSegAI.Bridge.render import ORIENTATIONS, slice_pictures, surface_picture, write_picture
from MedSegAI.Bridge.segmentation_nodes import segmentation_to_node
from MedSegAI.Bridge.volume_nodes import volume_to_node
from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.labels import Label, LabelTable

pytestmark = pytest.mark.skipif(not gl_state().usable, reason=gl_state().sentence)

LEFT_HIPPOCAMPUS = (26.0, 16.0, -15.0)
GREEN, BLUE = (0.1, 0.9, 0.3), (0.2, 0.6, 1.0)


@pytest.fixture
def a_case(an_open_scene, a_head, two_blobs_in_a_head):
    labels, heat = two_blobs_in_a_head
    table = LabelTable((Label(1, "left", "Left", GREEN), Label(2, "right", "Right", BLUE)))
    scan = volume_to_node(a_head, an_open_scene.mrml)
    segmentation = segmentation_to_node(labels, table, an_open_scene.mrml, reference=scan)
    return an_open_scene, scan, segmentation, heatmap_to_node(heat, an_open_scene.mrml)


def pixels_like(picture, colour, *, tolerance=30):
    return np.argwhere(np.abs(picture.astype(int) - np.round(255 * np.array(colour))).max(-1) < tolerance)


def test_three_slices_are_drawn_with_scan_outlines_and_heat(a_case):
    opened, scan, segmentation, heat = a_case
    pictures = slice_pictures(
        opened, scan, LEFT_HIPPOCAMPUS, segmentation=segmentation, heat=heat, size=(300, 240), width_mm=150
    )
    assert tuple(pictures) == ORIENTATIONS
    for picture in pictures.values():
        assert picture.shape == (240, 300, 3)
        assert picture.std() > 20
        assert len(pixels_like(picture, GREEN)) > 20


def test_the_patients_right_is_on_the_pictures_left(a_case):
    opened, scan, segmentation, _ = a_case
    for orientation, picture in slice_pictures(
        opened, scan, (0.0, 20.0, -13.0), segmentation=segmentation, size=(300, 300), width_mm=150
    ).items():
        if orientation == "Sagittal":
            continue
        left, right = pixels_like(picture, GREEN)[:, 1], pixels_like(picture, BLUE)[:, 1]
        assert right.max() < 150 < left.min()


def test_the_point_lies_in_the_middle_and_a_millimetre_has_its_length(a_case):
    opened, scan, segmentation, _ = a_case
    pictures = slice_pictures(
        opened, scan, (26.0, 22.0, -13.0), segmentation=segmentation, size=(300, 300), width_mm=100
    )
    rows, columns = pixels_like(pictures["Coronal"], GREEN).T
    assert np.ptp(columns) * 100 / 300 == pytest.approx(12, abs=1.5)
    assert np.ptp(rows) * 100 / 300 == pytest.approx(14, abs=1.5)
    assert (columns.mean(), rows.mean()) == pytest.approx((150, 150), abs=3)


def test_the_heat_map_changes_the_picture_only_where_it_is_hot(a_case):
    opened, scan, _, heat = a_case
    options = {"size": (300, 300), "width_mm": 150}
    without = slice_pictures(opened, scan, LEFT_HIPPOCAMPUS, **options)["Axial"]
    with_heat = slice_pictures(opened, scan, LEFT_HIPPOCAMPUS, heat=heat, **options)["Axial"]
    changed = np.abs(with_heat.astype(int) - without).max(-1) > 8
    assert changed[150, 150]
    # Away from the hot ball (radius 16 mm at the threshold) and the colour bar nothing changes.
    rows, columns = np.nonzero(changed[:, :250])
    assert np.hypot(rows - 150, columns - 150).max() * 0.5 == pytest.approx(15.5, abs=1.5)
    faint = slice_pictures(opened, scan, LEFT_HIPPOCAMPUS, heat=heat, opacity=0.1, **options)["Axial"]
    step, faint_step = (np.abs(p[150, 150].astype(int) - without[150, 150]).sum() for p in (with_heat, faint))
    assert 0 < faint_step < step / 2


def test_without_a_width_the_whole_scan_is_in_the_picture(a_case):
    opened, scan, _, _ = a_case
    for picture in slice_pictures(opened, scan, (0.0, 18.0, -18.0), size=(240, 160)).values():
        edges = np.concatenate([picture[12:130, :3].ravel(), picture[12:130, -3:].ravel()])
        assert (edges > 60).mean() < 0.05
        assert (picture > 60).mean() > 0.05


def test_a_picture_leaves_no_trace_in_the_scene(a_case):
    opened, scan, segmentation, heat = a_case
    surface_picture(opened, segmentation, scan=scan, heat=heat, size=(100, 100))
    display = segmentation.GetDisplayNode()
    before = opened.mrml.GetNumberOfNodes(), display.GetVisibility2DFill(), display.GetSliceIntersectionThickness()
    slice_pictures(opened, scan, LEFT_HIPPOCAMPUS, segmentation=segmentation, heat=heat, size=(100, 100))
    surface_picture(opened, segmentation, scan=scan, heat=heat, size=(100, 100))
    after = opened.mrml.GetNumberOfNodes(), display.GetVisibility2DFill(), display.GetSliceIntersectionThickness()
    assert after == before


def test_another_segmentation_is_not_in_the_picture_and_visible_again_afterwards(a_case, two_blobs_in_a_head):
    opened, scan, segmentation, _ = a_case
    table = LabelTable((Label(1, "a", "A", (1, 0, 0)), Label(2, "b", "B", (1, 0, 0))))
    other = segmentation_to_node(two_blobs_in_a_head[0], table, opened.mrml)
    picture = slice_pictures(opened, scan, LEFT_HIPPOCAMPUS, segmentation=segmentation, size=(200, 200))["Axial"]
    assert len(pixels_like(picture, (1, 0, 0))) == 0
    assert other.GetDisplayNode().GetVisibility()
    plain = slice_pictures(opened, scan, LEFT_HIPPOCAMPUS, size=(200, 200))["Axial"]
    assert len(pixels_like(plain, GREEN)) == 0


def test_the_surfaces_are_seen_from_the_front_with_the_patients_left_on_the_right(a_case):
    opened, _, segmentation, _ = a_case
    picture = surface_picture(opened, segmentation, direction_lps=(0, 1, 0), size=(300, 200))
    greenish = (picture[..., 1] > 60) & (picture[..., 1] > 1.5 * picture[..., 2].astype(int))
    blueish = (picture[..., 2] > 90) & (picture[..., 2] > 2.0 * picture[..., 0].astype(int))
    greenish[140:, 230:] = blueish[140:, 230:] = False
    assert greenish.sum() > 200
    assert blueish.sum() > 200
    assert np.nonzero(blueish)[1].mean() < 120 < 180 < np.nonzero(greenish)[1].mean()


def test_translucent_heat_does_not_vanish_on_software_gl(a_case):
    opened, _, segmentation, heat = a_case
    without = surface_picture(opened, segmentation, direction_lps=(0, 1, 0), size=(300, 200))
    with_heat = surface_picture(opened, segmentation, heat=heat, direction_lps=(0, 1, 0), size=(300, 200))
    assert (np.abs(with_heat.astype(int) - without).max(-1) > 8).sum() > 500


def test_pictures_are_written_as_png_and_nothing_half_written_is_left(a_case, tmp_path):
    from PIL import Image

    picture = np.zeros((4, 6, 3), np.uint8)
    picture[0, :, 0], picture[:, 5, 2] = 255, 255
    written = write_picture(tmp_path / "picture.png", picture)
    np.testing.assert_array_equal(np.asarray(Image.open(written)), picture)
    with pytest.raises(StorageError, match="no folder"):
        write_picture(tmp_path / "missing" / "picture.png", picture)


def test_a_heat_surface_that_is_shown_already_is_not_drawn_twice_and_stays_shown(a_case):
    opened, _, segmentation, heat = a_case
    options = {"heat": heat, "heat_level": 0.7, "direction_lps": (0, 1, 0), "size": (300, 200)}
    alone = surface_picture(opened, segmentation, **options)
    model = heat_surface_node(heat, threshold=0.3, opacity=1.0)
    np.testing.assert_array_equal(surface_picture(opened, segmentation, **options), alone)
    assert model.GetDisplayNode().GetVisibility()
