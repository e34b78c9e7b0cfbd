"""Augmented, turned and partly hidden patches of a scan, two of each place where they are to be told from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.training.augment import Placement, change_intensities, cut_patch, random_placement
from MedSegAI.Logic.training.pretrain.config import PretrainingConfig
from MedSegAI.Logic.training.pretrain.masks import random_mask
from MedSegAI.Logic.training.pretrain.order import Shard
from MedSegAI.Logic.training.pretrain.scan_voxels import ScanVoxels
from MedSegAI.Logic.training.pretrain.stream import ScanStream
from MedSegAI.Logic.training.pretrain.turns import TURNS, plane_of_turns, turned

_TRIES = 4
_SHOWS_SOMETHING = 0.1
_NO_LABEL = (1, 1, 1)


@dataclass(frozen=True, eq=False)
class Views:
    """Views one after another along a first axis; the two of a sample follow each other.

    Args:
        images: Normalised voxels (views, 1, k, j, i) float32, nothing hidden: what is to be reconstructed.
        masks: (views, 1, k, j, i) bool, True where the network sees 0 instead.
        turns: (views,) int64, quarter turns that were made.
    """

    images: Tensor
    masks: Tensor
    turns: Tensor

    @property
    def shown(self) -> Tensor:
        """What the network sees, (views, 1, k, j, i) float32."""
        return self.images.masked_fill(self.masks, 0.0)


def views_of_step(stream: ScanStream, config: PretrainingConfig, step: int, *, shard: Shard) -> Views:
    """The views of step 0, 1, 2...; they follow from the scans, the configuration and the step alone.

    Raises:
        InputError: as ``ScanStream.use``.
    """
    samples = [
        stream.use(position, lambda scan, at=position: sample_views(scan, config, generator=stream.order.generator(at)))
        for position in shard.positions(step, batch_size=config.batch_size)
    ]
    return Views(*(torch.cat([getattr(views, name) for views in samples]) for name in ("images", "masks", "turns")))


def sample_views(scan: ScanVoxels, config: PretrainingConfig, *, generator: torch.Generator) -> Views:
    """The views of one place in a scan: two if they are to be told from other places, else one."""
    patches = _patches(scan, config, generator)
    plane = plane_of_turns(config.patch_size)
    turns = [_whole(TURNS, generator) if config.tasks.rotation else 0 for _ in patches]
    images = [turned(patch, turn, plane=plane or (1, 2)) for patch, turn in zip(patches, turns)]
    masking = config.masking
    masks = [
        random_mask(config.patch_size, block=masking.block_voxels, fraction=masking.fraction, generator=generator)
        for _ in patches
    ]
    return Views(torch.stack(images)[:, None], torch.stack(masks)[:, None], torch.tensor(turns))


def cut_from_scan(
    block: np.ndarray, box: Box, placement: Placement, *, shape: tuple[int, int, int], edge: str
) -> Tensor:
    """A patch (k, j, i) from the voxels ``block`` of a scan, which lie at ``box`` in it; as ``augment.cut_patch``."""
    inside = Placement(placement.matrix, placement.centre - torch.tensor(box.start), placement.displacement)
    patch, _ = cut_patch(torch.from_numpy(block), torch.zeros(_NO_LABEL), inside, shape=shape, edge=edge)
    return patch


def box_of(placements: Sequence[Placement], patch: tuple[int, int, int], scan: tuple[int, int, int]) -> Box:
    """The voxels (k, j, i) of a scan that patches at the placements are interpolated from; never empty."""
    low, high = [], []
    for placement in placements:
        half = placement.matrix.abs() @ ((torch.tensor(patch, dtype=torch.float32) - 1) / 2)
        if placement.displacement is not None:
            half = half + placement.displacement.abs().amax(dim=(1, 2, 3))
        low.append(placement.centre - half)
        high.append(placement.centre + half)
    first = torch.stack(low).amin(dim=0).floor().int().tolist()
    last = torch.stack(high).amax(dim=0).ceil().int().tolist()
    start = tuple(min(max(value - 1, 0), size - 1) for value, size in zip(first, scan))
    stop = tuple(min(max(value + 2, begin + 1), size) for value, begin, size in zip(last, start, scan))
    return Box(start, stop)


def _patches(scan: ScanVoxels, config: PretrainingConfig, generator: torch.Generator) -> list[Tensor]:
    shape, rules = config.patch_size, config.augmentation
    for _ in range(_TRIES):
        centre = _random_centre(scan.shape, shape, generator)
        placements = [
            random_placement(shape, centre, rules, generator=generator) for _ in range(config.tasks.views_per_sample)
        ]
        box = box_of(placements, shape, scan.shape)
        block = np.ascontiguousarray(scan.block(box))
        # Nothing is learned from the air around a patient.
        if block.std() >= _SHOWS_SOMETHING:
            break
    patches = []
    for placement in placements:
        edge = "zeros" if torch.rand((), generator=generator) < 0.5 else "border"
        patch = cut_from_scan(block, box, placement, shape=shape, edge=edge)
        patches.append(change_intensities(patch, rules, generator=generator))
    return patches


def _random_centre(scan: tuple[int, int, int], patch: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    """Centre (k, j, i) of a patch that lies in the scan; the scan's own centre along an axis that is too short."""
    extent, half = torch.tensor(scan, dtype=torch.float32), torch.tensor(patch, dtype=torch.float32) / 2
    low, high = half - 0.5, extent - half - 0.5
    inside = low + torch.rand(3, generator=generator) * (high - low)
    return torch.where(high > low, inside, (extent - 1) / 2)


def _whole(limit: int, generator: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=generator))
