"""Where a structure lies in a scan of the whole head: the template's boxes carried to the patient."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.errors import InputError, RegionError
from MedSegAI.Logic.geometry import Box, Grid, Triple, box_corners_lps
from MedSegAI.Logic.localise.atlas import registration_template
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.models.card import Localiser, Side
from MedSegAI.Logic.reporter import Reporter
from MedSegAI.Logic.standardise.register import LinearTransform, Registration, register
from MedSegAI.Logic.standardise.resample import canonical_grid
from MedSegAI.Logic.volume import Volume

# Measured on 34 real scans: heads whose boxes were right reached a quality of 0.196 to 0.99 (thick slices lowest);
# heads registered wrongly, CT heads, chests, bellies, breasts and crops 0.171 and less, or broke another bound.
_LEAST_QUALITY = 0.18
_LEAST_COVERAGE = 0.80
_LEAST_STRETCH, _MOST_STRETCH = 0.70, 1.40
_LEAST_INSIDE = 0.75
# A scan of a whole person is 0.5 m x 0.5 m x 2 m; a far larger block has a wrong spacing, and resampling it to register
# it would take all memory.
_LARGEST_SCAN_ML = 1e6
_ADVICE = "Choose the region yourself (--roi), or load a T1 scan of the whole head."


def localise(
    volume: Volume, localiser: Localiser, *, spacing_mm: Triple, reporter: Reporter, along: Grid | None = None
) -> tuple[LocalisedRegion, ...]:
    """Register a head to the localiser's template and carry its boxes over.

    Args:
        volume: The scan (k, j, i), LPS mm.
        localiser: The template and the boxes, from a model's card.
        spacing_mm: Spacing (i, j, k) of the model's space.
        reporter: Told the progress and how well the head fits; asked whether to stop.
        along: Grid in the same space, LPS mm, on which the result will lie; None takes the volume's own.

    Returns:
        One region for each side. Its grid runs along the axes of ``along``, i to Right, j to Anterior, k to Superior,
        at the model's spacing, around the box's eight corners with the localiser's margin, and ends where ``along``
        ends.

    Raises:
        RegionError: if the scan does not look like the template's head, or a box lies outside it.
        DependencyError: if the template's package is missing.
        Cancelled: if the user asked to stop.
    """
    if volume.grid.voxel_volume_ml * volume.grid.voxel_count > _LARGEST_SCAN_ML:
        raise _not_a_head(volume)
    template = registration_template(localiser.template)
    try:
        found = register(volume, template, reporter=reporter)
    except InputError as error:
        raise _not_a_head(volume) from error
    if not _is_trustworthy(found):
        raise _not_a_head(volume)
    reporter.message(
        f"The head fits the template {localiser.template} with quality {found.quality:.2f} "
        f"(at least {_LEAST_QUALITY:.2f} is needed)."
    )
    whole = canonical_grid(along or volume.grid, spacing_mm=spacing_mm)
    return tuple(_region(side, found.transform, whole, localiser, volume) for side in localiser.sides)


def _is_trustworthy(found: Registration) -> bool:
    stretches = found.transform.stretches
    return (
        found.quality >= _LEAST_QUALITY
        and found.coverage >= _LEAST_COVERAGE
        and stretches[2] >= _LEAST_STRETCH
        and stretches[0] <= _MOST_STRETCH
    )


def _not_a_head(volume: Volume) -> RegionError:
    return RegionError(
        f"'{volume.name}' does not look like a scan of a whole head, so the structure was not found in it.",
        advice=_ADVICE,
    )


def _region(
    side: Side, transform: LinearTransform, whole: Grid, localiser: Localiser, volume: Volume
) -> LocalisedRegion:
    places = whole.kji_of(transform.apply(box_corners_lps(side.box_ras_mm)))
    margin = localiser.margin_mm / np.array(whole.spacing_kji)
    wanted = Box.covering(np.concatenate([places - margin, places + margin]))
    inside = wanted.clip(whole.shape)
    if np.prod(inside.shape) < _LEAST_INSIDE * np.prod(wanted.shape):
        raise RegionError(f"The {side.name} lies outside '{volume.name}' or at its edge.", advice=_ADVICE)
    return LocalisedRegion(side.name, whole.crop(inside), side.mirrored, side.labels)
