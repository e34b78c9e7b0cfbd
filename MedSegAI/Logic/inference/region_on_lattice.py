"""Regions of interest laid out so that one that was moved shares windows with the one before.

Windows of a region start where a lattice fixed to the scan says, not where the region does. The network is then shown
some of the scan around the region, too; labels are given inside the region alone. The same region always gives the same
result, whatever was computed before it.
"""

from __future__ import annotations

import math

from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.inference.region_parts import region_box
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.standardise.normalisation import Normalisation
from MedSegAI.Logic.standardise.target_grids import canonical_grid


def may_be_laid_on_lattice(card: ModelCard) -> bool:
    """Whether a model's windows do not depend on the region around them.

    A model with a localiser was trained on crops and is shown nothing else; a rule that measures the region's own
    intensities makes other voxels of every other region.
    """
    return card.localiser is None and all(_is_fixed(wanted.normalisation) for wanted in card.inputs)


def on_lattice(scan: Grid, box: Box, card: ModelCard, *, overlap: float) -> Grid:
    """The grid in model space whose windows lie on the scan's lattice and cover a box of the scan.

    Args:
        scan: The scan's grid.
        box: The region of interest, (k, j, i) of the scan.
        card: The model's card.
        overlap: Smallest fraction that neighbouring windows share.
    """
    whole = canonical_grid(scan, spacing_mm=card.spacing_mm)
    wanted = region_box(canonical_grid(scan.crop(box), spacing_mm=card.spacing_mm), whole)
    edges = [
        _along(start, stop, length, window, max(1, math.floor(window * (1 - overlap))))
        for start, stop, length, window in zip(wanted.start, wanted.stop, whole.shape, card.window)
    ]
    return whole.crop(Box(tuple(start for start, _ in edges), tuple(stop for _, stop in edges)))


def _along(start: int, stop: int, length: int, window: int, step: int) -> tuple[int, int]:
    """The first voxel and the end of evenly spaced windows that cover start <= voxel < stop."""
    if length <= window:
        return 0, length
    first = start // step * step
    end = first + window + math.ceil(max(0, stop - first - window) / step) * step
    if end <= length:
        return first, end
    # At the far edge the windows are counted from there.
    first = length - window - math.ceil(max(0, length - window - start) / step) * step
    return max(first, 0), length


def _is_fixed(rule: Normalisation) -> bool:
    if rule.clip_values is None:
        return rule.kind == "none" and rule.clip_percentiles is None
    return rule.kind in ("none", "range")
