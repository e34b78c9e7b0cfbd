"""Both hippocampi are found in whole heads, left as left, and anything that is no head is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.signal import fftconvolve

from MedSegAI.Logic.errors import Cancelled, DependencyError, ModelError, RegionError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Box, Grid, box_corners_lps
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.localise import atlas
from MedSegAI.Logic.localise.localise import localise
from MedSegAI.Logic.models.card import Localiser, Side
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.resample import canonical_grid, resample
from MedSegAI.Logic.volume import Volume

pytest.importorskip("nilearn", reason="needs nilearn's ICBM152 T1")

ONE_MM = (1.0, 1.0, 1.0)
LEFT_BOX, RIGHT_BOX = (-44.0, -8.0, -46.0, 4.0, -34.0, 8.0), (8.0, 44.0, -46.0, 4.0, -34.0, 8.0)
TABLE = LabelTable(tuple(Label(n, f"label_{n}", f"Label {n}", (1.0, 0.0, 0.0)) for n in (1, 2, 3, 4)))
LOCALISER = Localiser(
    "icbm152-t1",
    (90.0, 90.0, 90.0),
    4.0,
    (
        Side("left hippocampus", LEFT_BOX, False, ((1, 1), (2, 2))),
        Side("right hippocampus", RIGHT_BOX, True, ((1, 3), (2, 4))),
    ),
    TABLE,
)


def with_box(box):
    return Localiser("icbm152-t1", (90.0,) * 3, 0.0, (Side("odd place", box, False, ((1, 1),)),), TABLE)


@pytest.fixture(scope="module")
def head(data_folder):
    return read_volume(data_folder / "mr_heads" / "chris_t1.nii.gz")


@pytest.fixture(scope="module")
def in_the_template():
    """The template's own regions."""
    reporter = SilentReporter()
    return localise(atlas.icbm152_t1(), LOCALISER, spacing_mm=ONE_MM, reporter=reporter), reporter


def test_the_templates_boxes_come_back_with_their_margin(in_the_template):
    regions, reporter = in_the_template
    assert [region.name for region in regions] == ["left hippocampus", "right hippocampus"]
    assert [region.mirrored for region in regions] == [False, True]
    assert [region.labels for region in regions] == [((1, 1), (2, 2)), ((1, 3), (2, 4))]
    for region, box in zip(regions, (LEFT_BOX, RIGHT_BOX)):
        ras = region.grid.corners_lps() * [-1, -1, 1]
        np.testing.assert_allclose(ras.min(0), np.array(box[0::2]) - 4, atol=1.6)
        np.testing.assert_allclose(ras.max(0), np.array(box[1::2]) + 4, atol=1.6)
    assert "fits the template" in reporter.messages[0]


def test_regions_are_in_model_space(in_the_template):
    for region in in_the_template[0]:
        np.testing.assert_allclose(region.grid.direction_matrix, np.diag([-1, -1, 1]), atol=1e-6)
        assert region.grid.spacing == ONE_MM


def test_a_real_head_stored_in_another_orientation_gives_regions_along_its_own_axes(head):
    grid = canonical_grid(head.grid)
    flipped = Grid.from_index_to_lps(
        grid.shape,
        grid.index_to_lps @ np.diag([-1.0, 1, -1, 1])
        + np.pad((grid.index_to_lps[:3, :3] @ [grid.size[0] - 1, 0, grid.size[2] - 1])[:, None], ((0, 1), (3, 0))),
    )
    stored = resample(head, flipped)
    np.testing.assert_array_equal(stored.array, resample(head, grid).array[::-1, :, ::-1])
    left, right = localise(stored, LOCALISER, spacing_mm=ONE_MM, reporter=SilentReporter())
    assert left.grid.corners_lps()[:, 0].mean() > 10
    assert right.grid.corners_lps()[:, 0].mean() < -10
    for region in (left, right):
        np.testing.assert_allclose(region.grid.direction_matrix, np.diag([-1, -1, 1]), atol=0.02)
        assert np.all(np.array(region.grid.shape) < 75)
        assert region.grid.overlap(head.grid) == pytest.approx(1.0, abs=0.02)
    as_it_was = localise(head, LOCALISER, spacing_mm=ONE_MM, reporter=SilentReporter())
    assert all(one.grid.same_frame(other.grid) for one, other in zip((left, right), as_it_was))


@pytest.mark.parametrize("name", ["totalseg_ct/example_mr_sm.nii.gz", "pyradiomics/breast1_image.nrrd"])
def test_what_is_no_head_is_refused(data_folder, name):
    with pytest.raises(RegionError, match="does not look like a scan of a whole head") as caught:
        localise(read_volume(data_folder / name), LOCALISER, spacing_mm=ONE_MM, reporter=SilentReporter())
    assert "--roi" in caught.value.advice


def test_half_a_head_is_refused(head):
    whole = canonical_grid(head.grid)
    floor = int(whole.kji_of(np.array([0.0, 0.0, 20.0]))[0])
    upper = resample(head, whole.crop(Box((floor, 0, 0), whole.shape)))
    with pytest.raises(RegionError):
        localise(upper, LOCALISER, spacing_mm=ONE_MM, reporter=SilentReporter())


def test_a_box_outside_the_scan_is_refused():
    with pytest.raises(RegionError, match=r"odd place lies outside 'mni_icbm152\S+' or at its edge"):
        localise(atlas.icbm152_t1(), with_box((-120, -80, 0, 20, 0, 20)), spacing_mm=ONE_MM, reporter=SilentReporter())


def test_an_unknown_template_is_refused(head):
    unknown = Localiser("atlas-of-nobody", (90.0,) * 3, 4.0, LOCALISER.sides, TABLE)
    with pytest.raises(ModelError, match="no head template 'atlas-of-nobody'"):
        localise(head, unknown, spacing_mm=ONE_MM, reporter=SilentReporter())


def test_a_missing_nilearn_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(atlas.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="nilearn") as caught:
        atlas.icbm152_t1_path()
    assert "pip install nilearn" in caught.value.advice

    class Spec:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(atlas.importlib.util, "find_spec", lambda name: Spec)
    with pytest.raises(DependencyError, match="does not carry"):
        atlas.icbm152_t1_path()


def test_it_stops_when_asked(head):
    class Stopping(SilentReporter):
        def cancelled(self):
            return True

    with pytest.raises(Cancelled):
        localise(head, LOCALISER, spacing_mm=ONE_MM, reporter=Stopping())


def best_correlation(image, crop):
    """Largest correlation of a crop over all its places within an image (both (k, j, i))."""
    crop = (crop - crop.mean()) / crop.std()
    ones = np.ones_like(crop)
    mean = fftconvolve(image, ones, "valid") / crop.size
    variance = fftconvolve(image**2, ones, "valid") / crop.size - mean**2
    return float((fftconvolve(image, crop[::-1, ::-1, ::-1], "valid") / crop.size / np.sqrt(variance + 1)).max())


def test_every_training_crop_looks_like_a_left_hippocampus(hippocampus_folder):
    """Why the right side must be mirrored before the network sees it."""
    template = atlas.icbm152_t1()
    grid = canonical_grid(template.grid)
    brain = resample(template, grid).array.astype(np.float64)

    def side(x0, x1):
        corners = np.sort(grid.kji_of(box_corners_lps((x0, x1, -54, 12, -42, 16))), axis=0).round().astype(int)
        return brain[Box(tuple(corners[0]), tuple(corners[-1] + 1)).slices]

    left, right = side(-52, 0), side(0, 52)
    names = json.loads((hippocampus_folder / "split.json").read_text())["train"][:60:10]
    for name in names:
        crop = read_volume(hippocampus_folder / "imagesTr" / f"{name}.nii.gz").array.astype(np.float64)
        crop = np.clip(crop, *np.percentile(crop, [1, 99]))[3:-3, 3:-3, 3:-3]
        as_left, as_right = best_correlation(left, crop), best_correlation(right, crop)
        as_mirrored_right = best_correlation(right, crop[:, :, ::-1])
        assert as_left > as_right + 0.1
        assert as_mirrored_right > as_right + 0.1


def test_a_block_of_many_metres_is_refused_before_it_fills_the_memory(head):
    class NothingMayBegin(SilentReporter):
        def progress(self, done, total, stage):
            pytest.fail("the registration began")

    few = head.array[::8, ::8, ::8]
    vast = Volume(few, Grid(few.shape, (100.0, 100.0, 100.0)), name="vast")
    with pytest.raises(RegionError, match="'vast' does not look like a scan of a whole head"):
        localise(vast, LOCALISER, spacing_mm=ONE_MM, reporter=NothingMayBegin())
