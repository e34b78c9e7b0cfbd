"""A template and a scan at the resolutions at which the one is registered to the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.standardise.resample import canonical_grid, resample, resample_labels
from MedSegAI.Logic.volume import Volume

START_MM, MIDDLE_MM, FINE_MM = _LEVELS_MM = (8.0, 4.0, 3.0)
_WIDER_BY_MM = 8.0


@dataclass(frozen=True, eq=False)
class RegistrationTemplate:
    """A template and its masks at the resolutions of the registration; make it once with :meth:`prepare`.

    Args:
        images: The template (k, j, i) float32 by spacing in mm.
        masks: uint8 masks of the brain on the same grids.
        wide_mask: A wider mask on the coarsest grid.
        centre: LPS mm (x, y, z) of the brain's centre.
    """

    images: dict[float, Volume]
    masks: dict[float, Volume]
    wide_mask: Volume
    centre: np.ndarray

    @classmethod
    def prepare(cls, template: Volume, mask: Volume) -> RegistrationTemplate:
        """From a template (k, j, i) and a uint8 mask on any grid of the same LPS space."""
        images = pyramid(template)
        masks = {mm: resample_labels(mask, image.grid) for mm, image in images.items()}
        middle = masks[MIDDLE_MM]
        wide_mask = _dilated(masks[START_MM], round(_WIDER_BY_MM / START_MM))
        return cls(images, masks, wide_mask, middle.grid.lps_of(np.argwhere(middle.array).mean(0)))


def pyramid(volume: Volume) -> dict[float, Volume]:
    """The volume (k, j, i) at each level's spacing in mm, float32 along its canonical axes, its extremes clipped."""
    # Blocks of voxels begin at the first one: without a common order the same head, stored otherwise, would be found
    # a little elsewhere.
    volume = resample(volume, canonical_grid(volume.grid))
    images, source = {}, volume
    for mm in sorted(_LEVELS_MM):
        coarse = _shrunk(source, mm)
        images[mm] = resample(coarse, canonical_grid(coarse.grid, spacing_mm=(mm, mm, mm)))
        source = images[mm] if mm != FINE_MM else volume
    low, high = np.percentile(images[FINE_MM].array, [1.0, 99.5])
    return {mm: image.with_array(np.clip(image.array, low, high).astype(np.float32)) for mm, image in images.items()}


def _shrunk(volume: Volume, mm: float) -> Volume:
    """Means of whole blocks of voxels, as large as they fit into ``mm``: cheap, and nothing aliases."""
    import SimpleITK as sitk

    factors = [
        max(1, min(int(mm / spacing + 1e-6), size)) for spacing, size in zip(volume.grid.spacing, volume.grid.size)
    ]
    if max(factors) == 1:
        return volume
    return Volume.from_sitk(sitk.BinShrink(volume.to_sitk(), factors), name=volume.name)


def _dilated(mask: Volume, voxels: int) -> Volume:
    import SimpleITK as sitk

    return Volume.from_sitk(sitk.BinaryDilate(mask.to_sitk(), [voxels] * 3))
