"""Views show what lies in the scan, two of the same place where they are to be told from others."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from MedSegAI.Logic.training.augment import cut_patch, random_placement
from MedSegAI.Logic.training.config import AugmentationConfig
from MedSegAI.Logic.training.pretrain.config import PretrainingConfig, TasksConfig
from MedSegAI.Logic.training.pretrain.order import Order, Shard
from MedSegAI.Logic.training.pretrain.scan_folder import list_scans
from MedSegAI.Logic.training.pretrain.scan_voxels import HeldScan
from MedSegAI.Logic.training.pretrain.stream import ScanStream
from MedSegAI.Logic.training.pretrain.views import box_of, cut_from_scan, sample_views, views_of_step

STILL = AugmentationConfig(
    affine_probability=0, flip_probability=0, intensity_probability=0, shift_voxels=0, elastic_voxels=0
)


def chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("edge", ["zeros", "border"])
def test_a_patch_from_the_voxels_around_it_is_that_from_the_whole_scan(seed, edge):
    array, shape = noise(40, 60, 50), (16, 24, 16)
    placement = random_placement(
        shape, torch.rand(3, generator=chance(seed)) * 40, AugmentationConfig(), generator=chance(seed)
    )
    box = box_of([placement], shape, array.shape)
    block = HeldScan(array).block(box)
    patch = cut_from_scan(np.ascontiguousarray(block), box, placement, shape=shape, edge=edge)
    whole, _ = cut_patch(torch.from_numpy(array), torch.zeros(array.shape), placement, shape=shape, edge=edge)
    inside = slice(None) if edge == "border" else patch != 0
    torch.testing.assert_close(patch[inside], whole[inside], atol=2e-3, rtol=0)
    assert block.size < array.size


def test_a_placement_beside_the_scan_still_has_a_voxel():
    far = random_placement((8, 8, 8), torch.tensor([200.0, -90.0, 5.0]), STILL, generator=chance(0))
    assert box_of([far], (8, 8, 8), (10, 10, 10)).shape[:2] == (1, 1)


def test_the_patch_of_a_scan_as_large_is_the_scan_turned_and_hidden_voxels_are_shown_as_zero(a_config):
    array = noise(32, 64, 32)
    config = dataclasses.replace(a_config, augmentation=STILL)
    views = sample_views(HeldScan(array), config, generator=chance(1))
    assert views.images.shape == views.masks.shape == (1, 1, 32, 64, 32)
    unturned = torch.rot90(views.images[0, 0], -int(views.turns[0]), (0, 2))
    torch.testing.assert_close(unturned, torch.from_numpy(array), atol=1e-3, rtol=0)
    assert not views.shown[views.masks].any()
    assert torch.equal(views.shown[~views.masks], views.images[~views.masks])
    assert views.masks.float().mean() == pytest.approx(a_config.masking.fraction, abs=0.02)


def test_all_four_turns_come_up(a_config):
    array = HeldScan(noise(32, 64, 32))
    turns = {int(sample_views(array, a_config, generator=chance(seed)).turns[0]) for seed in range(20)}
    assert turns == {0, 1, 2, 3}


def test_nothing_is_turned_where_turns_are_not_asked_for(a_config):
    config = dataclasses.replace(a_config, tasks=TasksConfig(rotation=0, contrastive=0), patch_size=(32, 64, 96))
    for seed in range(5):
        views = sample_views(HeldScan(noise(32, 64, 96)), config, generator=chance(seed))
        assert views.turns.tolist() == [0]


def test_contrast_takes_two_views_of_one_place(a_config):
    tasks = TasksConfig(contrastive=1.0, rotation=0)
    config = dataclasses.replace(a_config, tasks=tasks, batch_size=2, augmentation=STILL)
    views = sample_views(HeldScan(noise(60, 90, 60)), config, generator=chance(0))
    assert len(views.images) == 2
    torch.testing.assert_close(views.images[0], views.images[1], atol=1e-5, rtol=0)
    assert not torch.equal(views.masks[0], views.masks[1])


def test_a_scan_smaller_than_the_patch_is_padded(a_config):
    views = sample_views(
        HeldScan(noise(10, 20, 12) + 5), dataclasses.replace(a_config, augmentation=STILL), generator=chance(3)
    )
    assert views.images.shape == (1, 1, 32, 64, 32)
    assert torch.isfinite(views.images).all()


def test_air_around_a_patient_is_looked_at_less_often_than_the_patient(a_config):
    array = np.zeros((32, 64, 1600), np.float32)
    array[..., 1200:] = noise(32, 64, 400)
    config = dataclasses.replace(a_config, augmentation=STILL)
    shows = [bool(sample_views(HeldScan(array), config, generator=chance(seed)).images.any()) for seed in range(40)]
    assert sum(shows) > 20


def test_views_of_a_step_follow_from_the_step_and_are_shared_by_processes(a_config: PretrainingConfig, write_scan):
    for number in range(4):
        folder = write_scan(f"{number}.nii.gz", seed=number).parent
    paths = list_scans(folder)
    config = dataclasses.replace(a_config, batch_size=2)
    stream = ScanStream(paths, config.data, order=Order(len(paths), config.seed))
    alone = views_of_step(stream, dataclasses.replace(config, batch_size=4), 1, shard=Shard())
    again = views_of_step(stream, dataclasses.replace(config, batch_size=4), 1, shard=Shard())
    assert torch.equal(alone.images, again.images)
    parts = [views_of_step(stream, config, 1, shard=Shard(rank, 2)) for rank in (0, 1)]
    for rank, part in enumerate(parts):
        for name in ("images", "masks", "turns"):
            assert torch.equal(getattr(part, name), getattr(alone, name)[rank::2])


def test_a_view_of_a_scan_read_in_parts_is_that_of_the_scan_held(a_config, write_scan):
    path = write_scan("scan.nii.gz", shape=(60, 80, 60))
    views = []
    for mib in (1024, 1):
        data = dataclasses.replace(a_config.data, cache_mib=mib)
        stream = ScanStream([path], data, order=Order(1, seed=1))
        views.append(views_of_step(stream, a_config, 0, shard=Shard()))
        assert stream.cache.held_bytes == (60 * 80 * 60 * 4 if mib == 1024 else 0)
    torch.testing.assert_close(views[0].images, views[1].images, atol=1e-2, rtol=0)
