"""How far an engine may be from torch before its results are no longer called the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What an engine must keep to on the windows of the check.

    Args:
        lowest_dice: Smallest Dice of any structure, its voxels by torch against its voxels by the engine.
        largest_logit_difference: Largest difference of one logit of one voxel.
    """

    lowest_dice: float
    largest_logit_difference: float


EXACT = Bounds(lowest_dice=0.999, largest_logit_difference=0.02)
"""For float32. Two logits that are each off by d move a probability by at most d / 2, as the softmax is nowhere steeper
than 1/4 for each of them: no probability moves by more than 0.01, the last digit that is shown. Rounding alone, in
another order of additions, makes differences of about 1e-4 of logits of about 10."""

HALF = Bounds(lowest_dice=0.999, largest_logit_difference=0.2)
"""For float16, whose rounding is some thousand times that of float32: no probability moves by more than 0.1."""
