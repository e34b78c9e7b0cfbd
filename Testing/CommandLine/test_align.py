"""``medsegai align`` writes the scan where it belongs, the transform and a picture, or nothing where it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.transform_file import read_linear_transform
from MedSegAI.Logic.files.write import write_volume
from MedSegAI.Logic.standardise.resample import grid_with_spacing, resample
from MedSegAI.Logic.volume import Modality, Volume
from Testing.CommandLine.conftest import Shown

SHIFT = np.array([9.0, -6.0, 4.0])


@pytest.fixture(scope="module")
def head(data_folder: Path) -> Volume:
    scan = read_volume(data_folder / "mr_heads" / "chris_t1.nii.gz", modality=Modality.MR)
    return resample(scan, grid_with_spacing(scan.grid, (8.0, 8.0, 8.0)))


@pytest.fixture
def files(head: Volume, tmp_path: Path) -> tuple[Path, Path]:
    moved = replace(head, grid=replace(head.grid, origin=tuple(np.add(head.grid.origin, SHIFT))))
    paths = tmp_path / "moved.nrrd", tmp_path / "head.nrrd"
    write_volume(paths[0], moved)
    write_volume(paths[1], head)
    return paths


def test_a_moved_head_comes_back_onto_the_grid_of_the_other(
    medsegai: Callable[..., Shown], files: tuple[Path, Path], head: Volume, tmp_path: Path
):
    out, transform, picture = (tmp_path / name for name in ("out.nrrd", "found.tfm", "both.png"))
    shown = medsegai(
        *("align", files[0], "--to", files[1], "-o", out, "--transform", transform, "--picture", picture),
        *("--in-process", "--json"),
    )
    assert shown.code == 0, shown.err
    facts = json.loads(shown.out)
    assert facts["quality"]["verdict"] == "good"
    assert list(facts["files"]) == ["scan", "transform", "picture"]
    found = read_linear_transform(transform)
    np.testing.assert_allclose(found.matrix, facts["transform"], atol=1e-9)
    np.testing.assert_allclose(found.apply(np.zeros(3)), SHIFT, atol=0.5)
    scan = read_volume(out)
    assert scan.grid.same_frame(head.grid)
    assert [record.step for record in scan.steps] == ["align", "to-grid"]
    assert np.corrcoef(scan.array.ravel(), head.array.ravel())[0, 1] > 0.98
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_its_own_voxels_can_be_kept_and_a_person_reads_how_well_it_fits(
    medsegai: Callable[..., Shown], files: tuple[Path, Path], tmp_path: Path
):
    out = tmp_path / "out.nrrd"
    shown = medsegai("align", files[0], "--to", files[1], "-o", out, "--keep-voxels", "--in-process")
    assert shown.code == 0, shown.err
    np.testing.assert_array_equal(read_volume(out).array, read_volume(files[0]).array)
    np.testing.assert_allclose(read_volume(out).grid.origin, read_volume(files[1]).grid.origin, atol=1.0)
    assert "'moved' lies on 'head': good, moved by" in shown.out
    assert "normalised mutual information" in shown.out


def test_what_cannot_be_aligned_is_refused_and_nothing_is_written(
    medsegai: Callable[..., Shown], files: tuple[Path, Path], head: Volume, tmp_path: Path
):
    dark = np.zeros(head.grid.shape, np.float32)
    dark[0, 0, 0] = 1.0
    write_volume(tmp_path / "dark.nrrd", head.with_array(dark))
    out = tmp_path / "out.nrrd"
    shown = medsegai("align", tmp_path / "dark.nrrd", "--to", files[1], "-o", out, "--in-process")
    assert (shown.code, out.exists()) == (2, False)
    assert "'dark' could not be aligned to 'head'" in shown.err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "There is nothing to write"),
        (("--transform", "t.tfm", "--keep-voxels"), "--keep-voxels needs -o"),
        (("--transform", "t.nrrd"), "has no ending that can be written"),
    ],
)
def test_an_aimless_command_is_refused(
    medsegai: Callable[..., Shown], files: tuple[Path, Path], arguments: tuple[str, ...], sentence: str
):
    shown = medsegai("align", files[0], "--to", files[1], *arguments)
    assert (shown.code, sentence in shown.err) == (2, True)
