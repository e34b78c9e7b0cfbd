"""In slabs, a scan becomes what it becomes in memory; and whatever stops it early leaves nothing."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Logic.errors import Cancelled, InputError, StorageError
from MedSegAI.Logic.files.planes.open_planes import open_planes
from MedSegAI.Logic.files.planes.volume_planes import VolumePlanes
from MedSegAI.Logic.files.planes.write_planes import Compression
from MedSegAI.Logic.files.read import read_image, read_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.large import planned
from MedSegAI.Logic.large import task as task_module
from MedSegAI.Logic.large.resample_planes import resample_planes
from MedSegAI.Logic.large.task import Content, LargeTask
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.aligned_resample import load_kernel
from MedSegAI.Logic.standardise.catalogue import step_from_text
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.standardise.register import LinearTransform
from MedSegAI.Logic.standardise.resample import canonical_grid, grid_with_spacing, resample, resample_labels
from MedSegAI.Logic.standardise.step import apply_steps
from MedSegAI.Logic.volume import Modality, Unit, Volume

THIN = 30_000
AXES_48 = [
    np.eye(3)[list(order)].T * np.array(signs)
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1.0, -1.0), repeat=3)
]


class Watcher(SilentReporter):
    """Keeps what it is told, and cancels once it was asked a number of times."""

    def __init__(self, *, cancel_after: int | None = None) -> None:
        super().__init__()
        self.told, self.asked, self.cancel_after = [], 0, cancel_after

    def progress(self, done, total, stage):
        self.told.append((done, total, stage))

    def cancelled(self):
        self.asked += 1
        return self.cancel_after is not None and self.asked > self.cancel_after


def turned(grid, axes, spacing, shape, shift=(0.3, -0.2, 0.43)):
    direction = np.asarray(axes) if np.ndim(axes) == 2 else np.eye(3)
    direction = grid.direction_matrix @ direction
    origin = grid.corners_lps().mean(0) + shift - direction @ (np.array(spacing) * (np.array(shape[::-1]) - 1) / 2)
    return Grid(shape, tuple(spacing), tuple(origin), tuple(direction.ravel()))


def in_slabs(path, task, *, out=".nrrd", budget=THIN, reporter=None, **options):
    target = path.with_name(f"out{out}")
    source = open_planes(path, **options)
    done = resample_planes(source, task, target, reporter=reporter or SilentReporter(), budget_bytes=budget)
    source.close()
    return read_volume(target) if task.content is Content.VALUES else Volume.from_sitk(read_image(target)), done


@pytest.mark.parametrize("compress", [False, True], ids=["raw", "gzip"])
@pytest.mark.parametrize("out", [".nrrd", ".nii", ".nii.gz", ".mha"])
def test_another_spacing_is_what_memory_gives(on_disk, scan, out, compress, left_behind):
    grid = grid_with_spacing(scan.grid, (1.5, 1.5, 1.5))
    found, done = in_slabs(on_disk(compress=compress), LargeTask(grid), out=out)
    assert len(done.plan.slabs) > 3
    np.testing.assert_array_equal(found.array, resample(scan, grid, dtype=np.int16).array)
    assert found.grid.same_frame(grid)
    assert left_behind() == ["in.nrrd", f"out{out}"]


@pytest.mark.parametrize("number", range(0, 48, 3))
def test_every_orientation_is_what_memory_gives(on_disk, scan, number):
    grid = turned(scan.grid, AXES_48[number], (0.9, 1.7, 2.0), (18, 16, 20))
    found, _ = in_slabs(on_disk(compress=number % 2 == 0), LargeTask(grid))
    np.testing.assert_array_equal(found.array, resample(scan, grid, dtype=np.int16).array)


@pytest.mark.parametrize("tile", [1 << 23, 1000], ids=["whole slabs", "tiles"])
@pytest.mark.parametrize("interpolation", list(Interpolation))
def test_an_oblique_grid_is_what_memory_gives(on_disk, scan, interpolation, tile, monkeypatch):
    monkeypatch.setattr(planned, "TILE_VOXELS", tile)
    tilt = np.linalg.qr(np.array([[1.0, -0.3, 0.2], [0.4, 1.0, -0.5], [-0.1, 0.6, 1.0]]))[0]
    grid = turned(scan.grid, tilt, (0.9, 0.8, 1.1), (30, 20, 18))
    found, done = in_slabs(on_disk(), LargeTask(grid, interpolation=interpolation))
    assert len(done.plan.slabs) > 3
    whole = resample(scan, grid, interpolation=interpolation, dtype=np.int16).array
    # The spline's recursion starts at the block's edge instead of the scan's.
    assert np.abs(found.array.astype(int) - whole).max() <= (1 if interpolation is Interpolation.BSPLINE else 0)
    assert np.mean(found.array != whole) < 1e-3


def test_the_compiled_loops_in_slabs(on_disk, scan, monkeypatch):
    if load_kernel() is None:
        pytest.skip("numba is not installed")
    monkeypatch.setattr(task_module, "COMPILED_FROM_VOXELS", 0)
    grid = turned(scan.grid, AXES_48[13], (0.9, 1.7, 2.0), (18, 16, 20))
    found, done = in_slabs(on_disk(), LargeTask(grid), budget=200_000)
    assert done.plan.slab_bytes > 0 and len(done.plan.slabs) > 1
    assert np.abs(found.array.astype(int) - resample(scan, grid, dtype=np.int16).array).max() <= 1


def test_numbers_with_a_fraction_become_float32(on_disk, scan):
    volume = scan.with_array(scan.array.astype(np.float64) / 3)
    grid = grid_with_spacing(scan.grid, (1.5, 1.5, 1.5))
    found, _ = in_slabs(on_disk(volume=volume), LargeTask(grid))
    assert found.array.dtype == np.float32
    np.testing.assert_allclose(found.array, resample(volume, grid).array, atol=1e-3)


def test_a_lattice_that_coincides_is_copied(on_disk, scan):
    grid = canonical_grid(scan.grid)
    found, done = in_slabs(on_disk(), LargeTask(grid))
    np.testing.assert_array_equal(found.array, resample(scan, grid).array)
    volume = scan.with_array(scan.array.astype(np.float64) / 3)
    assert in_slabs(on_disk(volume=volume), LargeTask(grid))[0].array.dtype == np.float64
    assert len(done.plan.slabs) > 1


def test_a_transform_moves_the_scan(on_disk, scan):
    matrix = np.eye(4)
    matrix[:3, 3] = (2.2, -1.3, 3.1)
    transform = LinearTransform(tuple(matrix.ravel()))
    found, _ = in_slabs(on_disk(), LargeTask(scan.grid, transform=transform, background=-2000.0))
    wanted = resample(scan, scan.grid, transform=transform, background=-2000.0, dtype=np.int16)
    np.testing.assert_array_equal(found.array, wanted.array)
    assert found.array.min() == -2000
    assert found.steps[-1].settings["transform"][3] == 2.2


@pytest.mark.parametrize("tile", [1 << 23, 1000], ids=["whole slabs", "tiles"])
@pytest.mark.parametrize("interpolation", [Interpolation.LINEAR, Interpolation.NEAREST])
def test_labels_stay_labels(on_disk, scan, interpolation, tile, monkeypatch):
    monkeypatch.setattr(planned, "TILE_VOXELS", tile)
    labels = Volume(np.where(scan.array > 1500, 3, np.where(scan.array > 0, 1, 0)).astype(np.uint8), scan.grid)
    grid = turned(scan.grid, AXES_48[5], (0.7, 1.0, 1.3), (30, 24, 20))
    task = LargeTask(grid, content=Content.LABELS, interpolation=interpolation)
    found, done = in_slabs(on_disk(volume=labels), task)
    np.testing.assert_array_equal(found.array, resample_labels(labels, grid, interpolation=interpolation).array)
    assert set(np.unique(found.array)) == {0, 1, 3} and len(done.plan.slabs) > 3
    empty = labels.with_array(np.zeros_like(labels.array))
    assert not in_slabs(on_disk(volume=empty), task)[0].array.any()
    with pytest.raises(InputError, match="B-splines"):
        LargeTask(grid, content=Content.LABELS, interpolation=Interpolation.BSPLINE)


@pytest.mark.parametrize(
    "texts",
    [("ct-clip:low=-1000,high=2000",), ("ct-clip", "window:preset=bone"), ("window:preset=lung,output=display",)],
    ids=" ".join,
)
def test_steps_come_before_resampling(on_disk, scan, texts):
    steps = tuple(map(step_from_text, texts))
    grid = grid_with_spacing(scan.grid, (1.5, 1.5, 1.5))
    found, done = in_slabs(on_disk(), LargeTask(grid, steps), modality=Modality.CT)
    prepared = apply_steps(scan, steps, reporter=SilentReporter()).volume
    dtype = prepared.array.dtype if prepared.array.dtype.kind != "f" else np.float32
    np.testing.assert_allclose(found.array, resample(prepared, grid, dtype=dtype).array, atol=1e-6)
    assert found.array.dtype == dtype
    assert [record.step for record in found.steps] == [*(step.kind for step in steps), "resample"]
    assert (found.modality, found.unit) == (Modality.CT, prepared.unit)
    assert done.described.steps == found.steps


def test_steps_alone_keep_the_grid(on_disk, scan):
    steps = (step_from_text("ct-clip:low=-1000,high=2000"),)
    found, _ = in_slabs(on_disk(), LargeTask(scan.grid, steps), modality=Modality.CT)
    np.testing.assert_array_equal(found.array, np.clip(scan.array, -1000, 2000))
    assert found.grid.same_frame(scan.grid) and found.unit is Unit.HOUNSFIELD
    assert [record.step for record in found.steps] == ["ct-clip"]


def test_a_step_that_sees_the_whole_scan_is_refused(on_disk, scan, left_behind):
    for text, options, match in (
        ("hounsfield", {"modality": Modality.CT}, "looks at the whole scan"),
        ("ct-clip", {}, "does not say that its values are Hounsfield"),
    ):
        with pytest.raises(InputError, match=match):
            in_slabs(on_disk(), LargeTask(scan.grid, (step_from_text(text),)), **options)
    assert left_behind() == ["in.nrrd"]


def test_a_grid_beside_the_scan_is_all_background(on_disk, scan):
    far = Grid((5, 6, 7), (1.0, 1.0, 1.0), (500.0, 500.0, 500.0))
    with pytest.raises(InputError, match="no picture"):
        # Not a single voxel, so read_volume refuses what was written.
        in_slabs(on_disk(), LargeTask(far))
    assert np.all(Volume.from_sitk(read_image(on_disk().with_name("out.nrrd"))).array == scan.array.min())


@pytest.mark.parametrize("nameless", [True, False], ids=["without a name", "in a folder"])
def test_a_compressed_scan_that_is_read_backwards_is_decoded_once(
    on_disk, scan, left_behind, monkeypatch, nameless, tmp_path
):
    opened = []
    from MedSegAI.Logic.files.planes import file_planes
    from MedSegAI.Logic.large import spool

    if not nameless:
        monkeypatch.setattr(spool, "_OPEN_FILES", tmp_path / "not there")

    class Counted(file_planes.InflateStream):
        def __init__(self, *arguments):
            opened.append(1)
            super().__init__(*arguments)

    monkeypatch.setattr(file_planes, "InflateStream", Counted)
    flipped = turned(scan.grid, np.diag([1.0, -1.0, -1.0]), (1.1, 1.2, 1.3), (30, 12, 12), shift=(0, 0, 0))
    found, done = in_slabs(on_disk(compress=True), LargeTask(flipped))
    assert done.plan.turns_back > 1
    assert len(opened) == 1
    np.testing.assert_array_equal(found.array, resample(scan, flipped, dtype=np.int16).array)
    assert left_behind() == ["in.nrrd", "out.nrrd"]


def test_a_scan_in_memory_is_a_source_too(scan, tmp_path):
    grid = grid_with_spacing(scan.grid, (2.0, 2.0, 2.0))
    source = VolumePlanes(replace(scan, frame_of_reference="1.2.3"))
    done = resample_planes(
        source, LargeTask(grid), tmp_path / "out.nrrd", reporter=SilentReporter(), compression=Compression.NONE
    )
    np.testing.assert_array_equal(read_volume(tmp_path / "out.nrrd").array, resample(scan, grid, dtype=np.int16).array)
    assert done.described.frame_of_reference == "1.2.3"


# Progress, and what stops it


def test_progress_and_memory_are_told(on_disk, scan):
    watcher = Watcher()
    grid = grid_with_spacing(scan.grid, (1.5, 1.5, 1.5))
    _, done = in_slabs(on_disk(), LargeTask(grid), reporter=watcher)
    assert watcher.messages == [done.plan.sentence]
    dones = [entry[0] for entry in watcher.told]
    assert dones[0] == 0 and dones[-1] == grid.shape[0] and dones == sorted(dones)
    assert {entry[1:] for entry in watcher.told} == {(grid.shape[0], "resampling")}


@pytest.mark.parametrize("compress", [False, True], ids=["raw", "gzip"])
@pytest.mark.parametrize("after", [0, 2, 5])
def test_cancelling_leaves_nothing_behind(on_disk, scan, left_behind, after, compress):
    flipped = turned(scan.grid, np.diag([1.0, -1.0, -1.0]), (1.1, 1.2, 1.3), (30, 12, 12))
    path = on_disk(compress=compress)
    with pytest.raises(Cancelled):
        in_slabs(path, LargeTask(flipped), reporter=Watcher(cancel_after=after))
    assert left_behind() == ["in.nrrd"]


def test_a_damaged_scan_leaves_nothing_behind(on_disk, scan, left_behind):
    path = on_disk(compress=True)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match="cut short"):
        in_slabs(path, LargeTask(grid_with_spacing(scan.grid, (1.5, 1.5, 1.5))))
    assert left_behind() == ["in.nrrd"]


def test_a_scan_without_a_picture_is_refused(on_disk, scan, left_behind):
    flat = scan.with_array(np.full_like(scan.array, 7))
    with pytest.raises(InputError, match="every voxel that was read has the value 7"):
        in_slabs(on_disk(volume=flat), LargeTask(grid_with_spacing(scan.grid, (1.5, 1.5, 1.5))))
    assert left_behind() == ["in.nrrd"]


def test_a_full_disk_is_told(on_disk, scan, left_behind, monkeypatch):
    from MedSegAI.Logic.files.planes.write_planes import PlaneWriter

    def full(self, planes):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PlaneWriter, "write", full)
    with pytest.raises(StorageError, match="disk is full"):
        in_slabs(on_disk(), LargeTask(grid_with_spacing(scan.grid, (1.5, 1.5, 1.5))))
    assert left_behind() == ["in.nrrd"]
