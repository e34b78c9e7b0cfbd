"""Written a few planes at a time, a file is the one that is written whole; and nothing half-written stays."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.errors import StorageError
from MedSegAI.Logic.files.planes.write_planes import PLANE_ENDINGS, Compression, planes_written_to
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.write import write_volume
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import Modality, Unit, Volume

SHAPE = (7, 6, 5)
TURN = np.linalg.qr(np.array([[1.0, 0.2, 0.1], [-0.3, -1.0, 0.2], [0.1, 0.2, 1.0]]))[0]


def scan(dtype=np.int16):
    array = np.random.default_rng(4).integers(0, 100, SHAPE).astype(dtype)
    grid = Grid(SHAPE, (0.7, 1.1, 2.5), (11.0, -22.0, 33.5), tuple(TURN.ravel()))
    return Volume(array, grid, Modality.CT, Unit.HOUNSFIELD, steps=(StepRecord("ct-clip", "Clipped.", {"low": -5}),))


def write(path, volume, **options):
    one = Volume(volume.array[:1, :1, :1], Grid((1, 1, 1), *_place(volume.grid)), volume.modality, volume.unit)
    described = Volume(one.array, one.grid, volume.modality, volume.unit, steps=volume.steps)
    with planes_written_to(path, described, volume.grid.shape, **options) as writer:
        for start in range(0, len(volume.array), 3):
            writer.write(volume.array[start : start + 3])


def _place(grid):
    return grid.spacing, grid.origin, grid.direction


@pytest.mark.parametrize("compression", list(Compression))
@pytest.mark.parametrize("ending", PLANE_ENDINGS)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_it_is_read_as_the_whole_would_be(tmp_path, ending, dtype, compression):
    volume = scan(dtype)
    write(tmp_path / f"planes{ending}", volume, compression=compression)
    write_volume(tmp_path / f"whole{ending}", volume)
    ours, theirs = (read_volume(tmp_path / f"{name}{ending}") for name in ("planes", "whole"))
    np.testing.assert_array_equal(ours.array, theirs.array)
    assert ours.array.dtype == theirs.array.dtype
    assert ours.grid.same_frame(theirs.grid, tolerance_mm=1e-9)
    assert (ours.modality, ours.unit, ours.steps) == (theirs.modality, theirs.unit, theirs.steps)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_compressed_and_raw_nrrd_differ_in_size_only(tmp_path):
    volume = scan().with_array(np.zeros((7, 6, 5), np.int16))
    volume.array[3] = 1
    for compression in Compression:
        write(tmp_path / f"{compression.value}.nrrd", volume, compression=compression, metadata={"note": "kept"})
    assert (tmp_path / "gzip.nrrd").stat().st_size < (tmp_path / "none.nrrd").stat().st_size
    assert sitk.ReadImage(str(tmp_path / "gzip.nrrd")).GetMetaData("note") == "kept"


def test_an_error_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "scan.nrrd"
    path.write_bytes(b"older")
    volume = scan()
    with pytest.raises(KeyboardInterrupt), planes_written_to(path, volume, SHAPE) as writer:
        writer.write(volume.array[:2])
        raise KeyboardInterrupt
    assert path.read_bytes() == b"older"
    assert [entry.name for entry in tmp_path.iterdir()] == ["scan.nrrd"]


def test_planes_that_are_missing_or_of_another_kind_are_no_scan(tmp_path):
    volume = scan()
    with pytest.raises(ValueError, match="2 of 7"), planes_written_to(tmp_path / "a.nii", volume, SHAPE) as writer:
        writer.write(volume.array[:2])
    with pytest.raises(ValueError, match="float32"), planes_written_to(tmp_path / "a.nii", volume, SHAPE) as writer:
        writer.write(volume.array[:2].astype(np.float32))
    assert list(tmp_path.iterdir()) == []


def test_a_name_or_folder_that_cannot_be_is_refused(tmp_path):
    for name in ("scan.seg.nrrd", "scan.mhd", "scan.txt"):
        with pytest.raises(StorageError, match="a few planes"), planes_written_to(tmp_path / name, scan(), SHAPE):
            pass
    with pytest.raises(StorageError, match="no folder"), planes_written_to(tmp_path / "no/a.nii", scan(), SHAPE):
        pass
