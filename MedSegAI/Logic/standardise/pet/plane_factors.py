"""Which image's factor belongs to which plane of a volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.volume import Volume

_SAME_PLACE = 0.1
# Less than a millisecond's decay of the tracers in use: times rounded in the header, not another factor.
_SAME_FACTOR = 1e-7


def alike(factors: Sequence[float]) -> bool:
    """Whether the factors differ by no more than the rounding of times in the headers."""
    return max(factors) - min(factors) <= _SAME_FACTOR * max(factors)


def factors_of_planes(factors: Sequence[float], volume: Volume) -> np.ndarray:
    """The factor of each plane of a volume, float64 (k).

    Where all images have the same factor, to a ten-millionth, the first one's is every plane's. Where they differ,
    each plane takes that of the image at its place, to a tenth of the distance between planes: the volume may be
    cropped or flipped.

    Args:
        factors: Of the images in ``volume.acquisition["images"]``.
        volume: The scan; its acquisition says where each image lies.

    Raises:
        InputError: where factors differ and the planes are no longer the images.
    """
    if alike(factors):
        return np.full(volume.grid.shape[0], factors[0], dtype=np.float64)
    places = [image.get("position") for image in volume.acquisition["images"]]
    normal = volume.acquisition.get("normal")
    spacing, along = volume.grid.spacing[2], volume.grid.direction_matrix[:, 2]
    if normal is None or None in places or abs(along @ np.array(normal)) < 0.999:
        raise _no_longer_slices(volume)
    of_images = np.array(places, dtype=float) @ np.array(normal)
    index = np.column_stack([np.arange(volume.grid.shape[0]), np.zeros((volume.grid.shape[0], 2))])
    of_planes = volume.grid.lps_of(index) @ np.array(normal)
    apart = np.abs(of_planes[:, None] - of_images[None, :])
    if apart.min(axis=1).max() > _SAME_PLACE * spacing:
        raise _no_longer_slices(volume)
    return np.asarray(factors, dtype=np.float64)[apart.argmin(axis=1)]


def _no_longer_slices(volume: Volume) -> InputError:
    return InputError(
        f"Each slice of this PET series has its own factor to SUV, and the planes of '{volume.name}' are no longer "
        "those slices.",
        advice="Let SUV be the first step, before the scan is brought onto another grid.",
    )
