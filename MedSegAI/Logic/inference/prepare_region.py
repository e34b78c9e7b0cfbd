"""The voxels of a region as a network wants them: all at once, or a large region a few planes ahead of the windows."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.inference.plan import is_prepared_ahead
from MedSegAI.Logic.inference.pointed_regions import AIR_HU
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.inference.window_source import ArrayWindows, PreparedWindows, WindowSource
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import ModelCard
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.resample import resample
from MedSegAI.Logic.volume import Unit


def windows_of_region(
    case: InputScans, region: LocalisedRegion, card: ModelCard, *, reporter: Reporter
) -> WindowSource:
    """What the windows of a region are cut out of: (inputs, k, j, i) float32 in model space, prepared as it is used.

    Arguments and errors are those of :class:`PreparedWindows`.
    """
    if is_prepared_ahead(region.grid, channels=len(card.inputs), on_disk=case.any_on_disk):
        return PreparedWindows(case, region, card, reporter=reporter)
    return ArrayWindows(prepare_region(case, region, card))


def prepare_region(case: InputScans, region: LocalisedRegion, card: ModelCard) -> np.ndarray:
    """The voxels of a region as the network wants them: (inputs, k, j, i) float32 in model space.

    Every scan is interpolated once, from its own grid, and normalised by the rule of its own input; an optional input
    that is missing is 0.

    Args:
        case: The scans in one space, in the card's order (:meth:`InputScans.for_card`).
        region: The place in model space.
        card: The model's card.
    """
    image = np.zeros((len(card.inputs), *region.grid.shape), dtype=np.float32)
    for channel, wanted in zip(image, card.inputs):
        volume = case.by_name.get(wanted.name)
        if volume is not None:
            # Else the scan's smallest value, which may be a marker for what was not measured.
            beyond = AIR_HU if wanted.unit is Unit.HOUNSFIELD else None
            voxels = resample(volume, region.grid, background=beyond).array
            channel[...] = region.orient(normalise(voxels, wanted.normalisation))
    return image
