"""The table ``augmentation``: how far training images are varied."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from MedSegAI.Logic.training.config_tables.check import need, need_one_of


@dataclass(frozen=True)
class AugmentationConfig:
    """How far training images are varied; see ``Logic/training/augment.py``. Every field at 0 switches it off.

    The strengths are those the shipped hippocampus model was trained with, chosen near nnU-Net's (Isensee et al. 2021).

    Args:
        rotation_degrees: Largest rotation about each axis. 15: heads and bodies lie no further askew.
        scale: Largest relative change of size along each axis. 0.15: about how much adults differ.
        shear: Largest shear. 0.05: slight, as scanners hardly shear.
        shift_voxels: Largest shift of the patch away from where it was placed. 6: a fifth of a short patch.
        elastic_voxels: Standard deviation of a smooth random displacement. 1.0: more would bend labels past belief.
        affine_probability: How often rotation, scale, shear and elastic displacement are applied. 0.9: nearly always,
            as they cost one resampling together.
        flip_probability: How often left and right (the i axis) are exchanged. 0.5: both sides equally often; write 0
            where a label belongs to one side of the body.
        intensity_probability: How often each of gain, offset, gamma, noise and bias field is applied, and half as
            often blur and low resolution. 0.3: about two changes an image.
        gain, offset: Largest change of the normalised intensities: ``x * (1 +- gain) +- offset``. 0.2 and 0.2: what
            normalisation leaves between scanners.
        gamma: Largest change of the exponent, as a factor ``1 + gamma`` or its inverse. 0.4: contrasts of other
            sequences.
        noise: Largest standard deviation of Gaussian noise, in units of the normalised image. 0.2: a poor scan.
        blur_voxels: Largest standard deviation of the Gaussian blur. 1.0: a scan of half the resolution.
        bias_field: Largest logarithm of a smooth multiplicative field. 0.3: an uncorrected MR coil; write 0 for CT.
        low_resolution: Largest factor by which the resolution is lowered and interpolated back. 2.0: thick slices.
        between_voxels: "always": each patch is interpolated, and so a little blurred; "when_bent": only those that are
            rotated, scaled, sheared or displaced, and the others are as sharp as the images that the network will see.
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
    between_voxels: str = "always"

    def __post_init__(self) -> None:
        need_one_of(self.between_voxels, ("always", "when_bent"), "augmentation.between_voxels")
        for entry in dataclasses.fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, str):
                continue
            need(value >= 0, f"augmentation.{entry.name} is {value}", "give 0 or a positive number")
            if entry.name.endswith("_probability"):
                need(value <= 1, f"augmentation.{entry.name} is {value}", "give a number from 0 to 1")
        need(self.scale < 1, f"augmentation.scale is {self.scale}", "give a number below 1")
