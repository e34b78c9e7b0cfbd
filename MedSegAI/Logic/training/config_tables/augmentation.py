"""The table ``augmentation``: how far training images are varied."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need


@dataclass(frozen=True)
class AugmentationConfig:
    """How far training images are varied; see ``Logic/training/augment.py``. Every field at 0 switches it off.

    Args:
        rotation_degrees: Largest rotation about each axis.
        scale: Largest relative change of size along each axis.
        shear: Largest shear.
        shift_voxels: Largest shift of the patch away from where it was placed.
        elastic_voxels: Standard deviation of a smooth random displacement.
        affine_probability: How often rotation, scale, shear and elastic displacement are applied.
        flip_probability: How often left and right (the i axis) are exchanged.
        intensity_probability: How often each of gain, offset, gamma, noise and blur is applied.
        gain, offset: Largest change of the normalised intensities: ``x * (1 +- gain) +- offset``.
        gamma: Largest change of the exponent, as a factor ``1 + gamma`` or its inverse.
        noise: Largest standard deviation of Gaussian noise, in units of the normalised image.
        blur_voxels: Largest standard deviation of the Gaussian blur.
        bias_field: Largest logarithm of a smooth multiplicative field.
        low_resolution: Largest factor by which the resolution is lowered and interpolated back.
    """

    rotation_degrees: float = 15.0
    scale: float = 0.15
    shear: float = 0.05
    shift_voxels: float = 6.0
    elastic_voxels: float = 1.0
    affine_probability: float = 0.9
    flip_probability: float = 0.5
    intensity_probability: float = 0.3
    gain: float = 0.2
    offset: float = 0.2
    gamma: float = 0.4
    noise: float = 0.2
    blur_voxels: float = 1.0
    bias_field: float = 0.3
    low_resolution: float = 2.0

    def __post_init__(self) -> None:
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            need(value >= 0, f"augmentation.{entry.name} is {value}", "give 0 or a positive number")
            if entry.name.endswith("_probability"):
                need(value <= 1, f"augmentation.{entry.name} is {value}", "give a number from 0 to 1")
        need(self.scale < 1, f"augmentation.scale is {self.scale}", "give a number below 1")
