"""The memory of the work is known before it begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.planes.open_planes import open_planes
from MedSegAI.Logic.files.planes.volume_planes import VolumePlanes
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.large.planned import (
    MIB,
    SLAB_BUDGET_BYTES,
    TILE_VOXELS,
    Slab,
    Work,
    bytes_held_by,
    plan_slabs,
    tiles_of,
)
from MedSegAI.Logic.standardise.index_map import IndexMap
from MedSegAI.Logic.standardise.interpolation import Interpolation
from MedSegAI.Logic.standardise.target_grids import canonical_grid, grid_with_spacing
from MedSegAI.Logic.volume import Volume

LARGE = Grid((2000, 512, 512), (0.7, 0.7, 0.6))
INT16 = np.dtype(np.int16)
LINEAR = Work(
    Interpolation.LINEAR, labels=False, copied=False, compiled=True, read=INT16, prepared=INT16, written=INT16
)


def plan(target, work=LINEAR, source=LARGE, **options):
    return plan_slabs(source, target, IndexMap.between(source, target), work, **options)


def test_a_whole_ct_goes_through_in_less_than_a_gigabyte():
    found = plan(grid_with_spacing(LARGE, (1.0, 1.0, 1.0)))
    assert found.slab_bytes <= SLAB_BUDGET_BYTES
    assert found.peak_bytes < 1024 * MIB
    assert found.turns_back <= 1
    assert LARGE.shape[0] <= found.planes_read < 1.2 * LARGE.shape[0]
    assert found.sentence.startswith(f"The scan goes through in {len(found.slabs)} slabs of ")
    assert "at most 0." in found.sentence


@pytest.mark.parametrize("budget", [64, 128, 256, 512])
def test_the_slabs_tile_the_result_within_the_budget(budget):
    target = grid_with_spacing(LARGE, (1.0, 1.0, 1.0))
    found = plan(target, budget_bytes=budget * MIB)
    assert found.slab_bytes <= budget * MIB or found.slabs[0].target.shape[0] == 1
    assert found.slabs[0].target.start == (0, 0, 0)
    assert all(a.target.stop[0] == b.target.start[0] for a, b in zip(found.slabs, found.slabs[1:]))
    assert found.slabs[-1].target.stop == target.shape


def test_less_memory_makes_thinner_slabs():
    target = grid_with_spacing(LARGE, (1.0, 1.0, 1.0))
    thick, thin = (plan(target, budget_bytes=budget * MIB) for budget in (512, 200))
    assert thin.slabs[0].target.shape[0] < thick.slabs[0].target.shape[0]
    assert thin.slab_bytes < thick.slab_bytes


def test_wider_numbers_splines_and_labels_take_more():
    target = grid_with_spacing(LARGE, (1.0, 1.0, 1.0))

    def thickness(work):
        return plan(target, work).slabs[0].target.shape[0]

    by_simpleitk = replace(LINEAR, compiled=False)
    by_splines = replace(by_simpleitk, interpolation=Interpolation.BSPLINE)
    as_float = replace(LINEAR, prepared=np.dtype(np.float32), written=np.dtype(np.float32))
    assert thickness(LINEAR) > thickness(by_simpleitk) > thickness(by_splines) > 32
    assert thickness(LINEAR) > thickness(as_float) > 32
    by_label = plan(target, replace(LINEAR, labels=True, read=np.dtype(np.uint8), prepared=np.dtype(np.uint8)))
    nearest = plan(target, replace(LINEAR, compiled=False, interpolation=Interpolation.NEAREST))
    assert max(by_label.slab_bytes, nearest.slab_bytes) <= SLAB_BUDGET_BYTES


def test_a_flipped_scan_is_read_backwards_and_a_straight_one_is_not():
    straight = grid_with_spacing(LARGE, (1.0, 1.0, 1.0))
    flipped = canonical_grid(Grid(LARGE.shape, LARGE.spacing, (0, 0, 0), (1, 0, 0, 0, -1, 0, 0, 0, -1)))
    assert plan(straight).turns_back == 0
    source = Grid(LARGE.shape, LARGE.spacing, (0, 0, 0), (1, 0, 0, 0, -1, 0, 0, 0, -1))
    assert plan(flipped, replace(LINEAR, copied=True), source=source).turns_back > 1


def test_a_scan_turned_on_its_side_needs_few_passes():
    source = Grid(LARGE.shape, LARGE.spacing, (0, 0, 0), (0, 0, 1, 1, 0, 0, 0, 1, 0))
    found = plan(canonical_grid(source, spacing_mm=(1.0, 1.0, 1.0)), source=source)
    assert found.slab_bytes <= SLAB_BUDGET_BYTES
    assert found.planes_read <= 10 * LARGE.shape[0]


def test_what_the_source_holds_is_counted(data_folder, tmp_path):
    volume = Volume(np.zeros((4, 5, 6), np.int16), Grid((4, 5, 6)))
    assert bytes_held_by(VolumePlanes(volume)) == 240
    sitk.WriteImage(volume.to_sitk(), str(tmp_path / "scan.nrrd"))
    assert bytes_held_by(open_planes(tmp_path / "scan.nrrd")) == 0
    series = open_planes(data_folder / "tcia_brain_dicom/Study1/13_HCropVolume")
    assert bytes_held_by(series) == 32 * 65536
    target = grid_with_spacing(LARGE, (1.0, 1.0, 1.0))
    assert plan(target, held_bytes=100 * MIB).peak_bytes == plan(target).peak_bytes + 100 * MIB


def test_tiles_cover_a_slab_and_stay_small():
    tilt = np.linalg.qr(np.array([[1.0, -0.3, 0.2], [0.4, 1.0, -0.5], [-0.1, 0.6, 1.0]]))[0]
    source = Grid((300, 300, 300))
    origin = np.full(3, 149.5) - tilt @ np.full(3, 139.5)
    target = Grid((280, 280, 280), (1.0, 1.0, 1.0), tuple(origin), tuple(tilt.ravel()))
    index_map = IndexMap.between(source, target)
    slab = Slab(Box((100, 0, 0), (200, 280, 280)), Box.whole(source.shape))
    tiles = tiles_of(slab, source.shape, index_map, margin=4)
    assert len(tiles) > 1
    covered = np.zeros(target.shape, np.uint8)
    for tile in tiles:
        covered[tile.target.slices] += 1
        assert np.prod(tile.source.shape) + np.prod(tile.target.shape) <= TILE_VOXELS
    assert np.all(covered[100:200] == 1) and covered.sum() == 100 * 280 * 280
