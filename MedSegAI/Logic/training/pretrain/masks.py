"""Which voxels of a patch are hidden from the network: whole blocks, as Tang et al. 2022 cut out inner parts."""

from __future__ import annotations

import torch
from torch import Tensor


def random_mask(
    shape: tuple[int, int, int], *, block: tuple[int, int, int], fraction: float, generator: torch.Generator
) -> Tensor:
    """True where a voxel is hidden, (k, j, i) bool.

    Args:
        shape: The patch (k, j, i) in voxels.
        block: Voxels (k, j, i) of a block; the last blocks along an axis may be cut.
        fraction: Share of the blocks that is hidden, at least one and never all.
        generator: Which ones.
    """
    counts = [-(-size // step) for size, step in zip(shape, block)]
    total = counts[0] * counts[1] * counts[2]
    hidden = min(max(1, round(fraction * total)), max(1, total - 1))
    chosen = torch.zeros(total, dtype=torch.bool)
    chosen[torch.randperm(total, generator=generator)[:hidden]] = True
    grid = chosen.view(counts[0], counts[1], counts[2])
    for axis, (size, step) in enumerate(zip(shape, block)):
        grid = grid.repeat_interleave(step, dim=axis).narrow(axis, 0, size)
    return grid
