"""A figure shows the patient's planes at the right place, with names, ruler and colour bar."""

from __future__ import annotations

import builtins

import numpy as np
import pytest

from MedSegAI.Logic.errors import DependencyError, StorageError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.report.plane_drawing import write_figure
from MedSegAI.Logic.report.slice_figure import focus_of, slice_figure
from MedSegAI.Logic.report.slice_planes import Plane
from MedSegAI.Logic.volume import Modality, Unit, Volume

GREEN, BLUE = (0.0, 1.0, 0.0), (0.0, 0.4, 1.0)
TABLE = LabelTable((Label(1, "left", "Left thing", GREEN), Label(2, "right", "Right thing", BLUE)))
OBLIQUE = (0.0, 0.96, 0.28, -1.0, 0.0, 0.0, 0.0, -0.28, 0.96)


def a_ball(grid, centre, radius):
    lps = grid.lps_of(np.stack(np.indices(grid.shape), -1))
    return ((lps - np.array(centre)) ** 2).sum(-1) < radius**2


KINDS = {
    "axial 1 mm": ((1.0, 1.0, 1.0), tuple(np.eye(3).ravel()), (90, 110, 100)),
    "thick slices": ((0.8, 0.8, 5.0), tuple(np.eye(3).ravel()), (18, 130, 125)),
    "oblique": ((1.0, 1.2, 2.0), OBLIQUE, (60, 100, 110)),
}


def phantom(kind):
    """A head-like ball with a small ball on the patient's left and another on the right."""
    spacing, direction, shape = KINDS[kind]
    extent = np.array(shape[::-1]) * spacing
    origin = -np.array(direction).reshape(3, 3) @ (extent / 2)
    grid = Grid(shape, spacing, tuple(origin), direction)
    array = 100.0 * a_ball(grid, (0, 0, 0), 42) + 50.0
    labels = a_ball(grid, (20, 0, 0), 10) + 2 * a_ball(grid, (-20, 0, 0), 10)
    scan = Volume(array.astype(np.float32), grid, Modality.MR, Unit.ARBITRARY, "phantom")
    return scan, scan.with_array(labels.astype(np.uint8))


@pytest.fixture(params=list(KINDS))
def a_case_on_any_grid(request):
    return phantom(request.param)


@pytest.fixture
def a_case():
    return phantom("oblique")


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(float) / 255


def panels(figure):
    return figure.axes[:3]


def inside(figure, axes):
    picture = pixels(figure)
    box = axes.get_window_extent()
    height = picture.shape[0]
    return picture[round(height - box.y1) : round(height - box.y0), round(box.x0) : round(box.x1)]


def like(picture, colour):
    return np.argwhere(np.abs(picture - np.array(colour)).max(-1) < 0.15)


def test_the_patients_left_is_on_the_right_whatever_way_the_voxels_lie(a_case_on_any_grid):
    scan, labels = a_case_on_any_grid
    figure = slice_figure(scan, labels=labels, table=TABLE, focus=(0, 0, 0), width_mm=100)
    for axes in panels(figure)[:2]:
        picture = inside(figure, axes)
        middle = picture.shape[1] / 2
        assert like(picture, GREEN)[:, 1].min() > middle
        assert like(picture, BLUE)[:, 1].max() < middle


def test_a_millimetre_is_as_long_across_as_down(a_case_on_any_grid):
    scan, labels = a_case_on_any_grid
    figure = slice_figure(scan, labels=labels, table=TABLE, focus=(20, 0, 0), width_mm=80)
    for axes in panels(figure):
        picture = inside(figure, axes)
        rows, columns = like(picture, GREEN).T
        mm = 80 / picture.shape[1]
        # A ball of voxels is smaller or larger than the ball by up to a voxel.
        voxel = max(scan.grid.spacing)
        assert np.ptp(columns) * mm == pytest.approx(20, abs=0.5 + voxel)
        assert np.ptp(rows) * mm == pytest.approx(20, abs=0.5 + voxel)
        assert columns.mean() * mm == pytest.approx(40, abs=2.0)


def test_a_plane_interpolates_at_the_right_place():
    grid = Grid((30, 40, 50), (1.5, 1.0, 2.0), (-30.0, -20.0, -28.0), OBLIQUE)
    lps = grid.lps_of(np.stack(np.indices(grid.shape), -1))
    ramp = Volume((lps @ [1.0, 10.0, 100.0]).astype(np.float32), grid)
    middle = tuple(float(v) for v in grid.lps_of(np.array([15, 20, 25])))
    for name in ("axial", "coronal", "sagittal"):
        plane = Plane(name, middle, 12.0, 0.5)
        cut = plane.cut(ramp, outside=np.nan)
        values = np.array([1.0, 10.0, 100.0])
        centre = np.mean(cut[11:13, 11:13])
        assert centre == pytest.approx(np.dot(middle, values), abs=0.05)
        across = {"axial": 1.0, "coronal": 1.0, "sagittal": 10.0}[name]
        down = {"axial": 10.0, "coronal": -100.0, "sagittal": -100.0}[name]
        np.testing.assert_allclose(np.diff(cut[8:16, 8:16], axis=1), across * 0.5, atol=0.02)
        np.testing.assert_allclose(np.diff(cut[8:16, 8:16], axis=0), down * 0.5, atol=0.02)


def test_letters_and_convention_are_written(a_case):
    scan, labels = a_case
    figure = slice_figure(scan, labels=labels, table=TABLE, title="A title")
    letters = ["".join(text.get_text() for text in axes.texts if len(text.get_text()) == 1) for axes in panels(figure)]
    assert letters == ["RLAP", "RLSI", "APSI"]
    written = " ".join(text.get_text() for text in figure.texts)
    assert "patient's right is on the left" in written
    assert "A title" in written
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[0].startswith("Left thing  ")
    assert float(names[0].split()[-2]) == pytest.approx(4 / 3 * np.pi, rel=0.1)


def test_the_ruler_is_5_cm_long_and_1_cm_where_that_does_not_fit(a_case):
    scan, _ = a_case

    def bar_length(figure):
        xs = [line.get_xdata() for line in panels(figure)[0].lines]
        return max(max(x) - min(x) for x in xs)

    assert bar_length(slice_figure(scan)) == pytest.approx(50.0)
    assert bar_length(slice_figure(scan, width_mm=40)) == pytest.approx(10.0)


def test_heat_is_shown_above_its_threshold_only_and_explained(a_case):
    scan, _ = a_case
    lps = scan.grid.lps_of(np.stack(np.indices(scan.grid.shape), -1))
    heat = scan.with_array(np.exp(-((lps - [20, 0, 0]) ** 2).sum(-1) / 200).astype(np.float32))
    focus = (20.0, 0.0, 0.0)
    plain = inside(f := slice_figure(scan, focus=focus, width_mm=100), panels(f)[0])
    hot = inside(f := slice_figure(scan, focus=focus, width_mm=100, heat=heat), panels(f)[0])
    changed = np.abs(hot - plain).max(-1) > 0.02
    rows, columns = np.nonzero(changed)
    reach = np.hypot(rows - plain.shape[0] / 2, columns - plain.shape[1] / 2).max() * 100 / plain.shape[1]
    assert reach == pytest.approx(np.sqrt(-200 * np.log(0.3)), abs=1.5)
    assert len(f.axes) == 4
    written = " ".join(text.get_text() for text in f.texts)
    assert "shows what drove this label in this model; not a probability" in written


def test_the_focus_is_the_hottest_voxel_else_the_labels_else_the_middle(a_case):
    scan, labels = a_case
    heat = np.zeros(scan.grid.shape, np.float32)
    heat[5, 6, 7] = 1
    assert focus_of(scan, labels=labels, heat=scan.with_array(heat)) == tuple(scan.grid.lps_of(np.array([5, 6, 7])))
    point = focus_of(scan, labels=scan.with_array((labels.array == 1).astype(np.uint8)))
    np.testing.assert_allclose(point, (20, 0, 0), atol=2.6)
    nothing = scan.with_array(np.zeros(scan.grid.shape, np.uint8))
    np.testing.assert_allclose(focus_of(scan, labels=nothing), scan.grid.corners_lps().mean(0))


def test_of_many_labels_the_largest_are_named_and_the_rest_counted():
    table = LabelTable(tuple(Label(v, f"l{v}", f"Label {v}", (1, 0, 0)) for v in range(1, 13)))
    array = np.zeros((13, 13, 13), np.uint8)
    for value in range(1, 13):
        array[value, :value] = value
    scan = Volume(np.ones((13, 13, 13), np.float32), Grid((13, 13, 13)))
    figure = slice_figure(scan, labels=scan.with_array(array), table=table)
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [name.split("  ")[0] for name in names] == [*(f"Label {v}" for v in range(5, 13)), "and 4 smaller ones"]


def test_a_ct_is_shown_in_a_soft_tissue_window():
    grid = Grid((20, 20, 20))
    scan = Volume(np.full(grid.shape, 240.0, np.float32), grid, Modality.CT, Unit.HOUNSFIELD)
    figure = slice_figure(scan)
    assert panels(figure)[0].images[0].get_clim() == (-160.0, 240.0)


def test_labels_elsewhere_or_of_no_voxels_and_an_even_scan_do_no_harm(tmp_path):
    grid = Grid((10, 10, 10))
    scan = Volume(np.zeros(grid.shape, np.float32), grid)
    elsewhere = Volume(np.ones(grid.shape, np.uint8), Grid((10, 10, 10), origin=(500, 500, 500)))
    empty = Volume(np.zeros(grid.shape, np.uint8), grid)
    for labels in (elsewhere, empty):
        write_figure(tmp_path / "figure.png", slice_figure(scan, labels=labels, table=TABLE, focus=(5, 5, 5)))
    write_figure(tmp_path / "figure.png", slice_figure(scan, heat=scan, focus=(900, 900, 900), width_mm=5))
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_head_with_missing_values_is_drawn(a_case):
    scan, _ = a_case
    array = scan.array.copy()
    array[:, :5] = np.nan
    assert np.isfinite(panels(slice_figure(scan.with_array(array)))[0].images[0].get_clim()).all()


def test_a_folder_that_does_not_exist_is_told_in_a_sentence(a_case, tmp_path):
    with pytest.raises(StorageError, match="no folder"):
        write_figure(tmp_path / "missing" / "figure.png", slice_figure(a_case[0]))


def test_without_matplotlib_the_sentence_says_what_to_install(a_case, monkeypatch):
    real_import = builtins.__import__

    def without_matplotlib(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_matplotlib)
    with pytest.raises(DependencyError, match="pip install matplotlib"):
        slice_figure(a_case[0])
