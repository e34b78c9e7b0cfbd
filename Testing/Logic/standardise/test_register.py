"""A head that is moved by a known transform is found where it was moved to, with the same bits every time."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Box, Grid, box_corners_lps
from MedSegAI.Logic.localise.atlas import icbm152_t1, registration_template
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise import register as register_module
from MedSegAI.Logic.standardise.register import LinearTransform, register
from MedSegAI.Logic.standardise.resample import canonical_grid, resample
from MedSegAI.Logic.volume import Volume

pytest.importorskip("nilearn", reason="needs nilearn's ICBM152 T1")

HIPPOCAMPI = [(-44, -8, -46, 4, -34, 8), (8, 44, -46, 4, -34, 8)]


@pytest.fixture(scope="module")
def template():
    return registration_template("icbm152-t1")


@pytest.fixture(scope="module")
def head(data_folder):
    """A real whole head with skull and neck, 0.88 mm."""
    return read_volume(data_folder / "mr_heads" / "chris_t1.nii.gz")


@pytest.fixture(scope="module")
def found(head, template):
    return register(head, template, reporter=SilentReporter())


def centres(transform):
    return np.array([transform.apply(box_corners_lps(box)).mean(0) for box in HIPPOCAMPI])


def rigid(pitch, roll, yaw, shift):
    euler = sitk.Euler3DTransform()
    euler.SetRotation(*np.deg2rad([pitch, roll, yaw]))
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = np.reshape(euler.GetMatrix(), (3, 3)), shift
    return matrix


def test_the_template_fits_itself(template):
    found = register(icbm152_t1(), template, reporter=SilentReporter())
    np.testing.assert_allclose(np.reshape(found.transform.matrix, (4, 4)), np.eye(4), atol=0.1)
    np.testing.assert_allclose(centres(found.transform), centres(LinearTransform(tuple(np.eye(4).ravel()))), atol=0.3)
    assert found.quality > 0.97
    assert found.coverage > 0.99


def test_a_real_head_is_found(found):
    assert found.quality > 0.5
    assert found.coverage > 0.98
    left, right = centres(found.transform)
    assert left[0] > 15 and right[0] < -15, "left is LPS x above 0"
    assert np.all((found.transform.stretches > 0.8) & (found.transform.stretches < 1.1))


@pytest.mark.parametrize(
    "moved", [rigid(15, -5, 8, (30, -20, 50)), rigid(-12, 8, -15, (-60, 10, -80))], ids=["nodding", "lying"]
)
def test_the_boxes_follow_a_known_rotation_and_shift(head, found, template, moved):
    grid = Grid.from_index_to_lps(head.grid.shape, moved @ head.grid.index_to_lps)
    again = register(Volume(head.array, grid), template, reporter=SilentReporter())
    expected = LinearTransform(tuple(moved.ravel())).apply(centres(found.transform))
    assert np.linalg.norm(centres(again.transform) - expected, axis=1).max() < 2.5


def test_the_boxes_stay_when_the_voxels_are_stored_otherwise(head, found, template):
    grid = canonical_grid(head.grid)
    matrix = grid.index_to_lps @ np.array(
        [[0, 0, -1, grid.size[0] - 1], [1, 0, 0, 0], [0, -1, 0, grid.size[2] - 1], [0, 0, 0, 1]]
    )
    turned = Grid.from_index_to_lps((grid.size[0], grid.size[2], grid.size[1]), matrix)
    again = register(resample(head, turned), template, reporter=SilentReporter())
    np.testing.assert_allclose(centres(again.transform), centres(found.transform), atol=0.5)


def test_the_boxes_stay_when_neck_and_crown_are_cut_off_and_slices_are_thick(head, found, template):
    grid = canonical_grid(head.grid, spacing_mm=(1.0, 1.0, 4.0))
    grid = grid.crop(Box((6, 10, 5), (grid.shape[0] - 3, grid.shape[1] - 10, grid.shape[2] - 5)))
    again = register(resample(head, grid), template, reporter=SilentReporter())
    assert np.linalg.norm(centres(again.transform) - centres(found.transform), axis=1).max() < 3


@pytest.fixture(scope="module")
def small_head():
    """The template's brain at every fourth voxel, turned and shifted."""
    grid = Grid.from_index_to_lps((48, 59, 50), rigid(5, 3, -4, (80, 120, -60)) @ np.diag([-4, -4, 4, 1]))
    return Volume(icbm152_t1().array[::4, ::4, ::4], grid)


def test_the_result_is_the_same_to_the_last_bit_with_any_number_of_threads(small_head, template):
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    results = []
    try:
        for threads in (1, 4):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            results.append(register(small_head, template, reporter=SilentReporter()))
            assert sitk.ProcessObject.GetGlobalDefaultNumberOfThreads() == threads
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert results[0] == results[1]
    assert results[0].quality > 0.5


class Stopping(SilentReporter):
    """Stops once ``after`` questions have been asked."""

    def __init__(self, after):
        super().__init__()
        self.left, self.stages = after, []

    def progress(self, done, total, stage):
        self.stages.append((done, total, stage))

    def cancelled(self):
        self.left -= 1
        return self.left < 0


@pytest.mark.parametrize("after", [0, 5])
def test_it_stops_when_asked(head, template, after):
    reporter = Stopping(after)
    with pytest.raises(Cancelled):
        register(head, template, reporter=reporter)
    assert reporter.stages[0][0] == 0
    assert reporter.stages[-1][0] < reporter.stages[-1][1]


def test_progress_counts_up_to_its_total(small_head, template):
    reporter = Stopping(10_000)
    register(small_head, template, reporter=reporter)
    counts = [done for done, _, _ in reporter.stages]
    assert counts == sorted(counts)
    assert reporter.stages[-1][0] == reporter.stages[-1][1]


def test_a_scan_that_never_overlaps_is_refused(template, monkeypatch):
    far = (np.array([5e4, 5e4, 5e4]),) * 3
    monkeypatch.setattr(register_module, "_guessed_centres", lambda image: far)
    noise = np.random.default_rng(0).random((20, 20, 20), dtype=np.float32)
    with pytest.raises(InputError, match="could not be brought to overlap"):
        register(Volume(noise, Grid(noise.shape, (4, 4, 4))), template, reporter=SilentReporter())
