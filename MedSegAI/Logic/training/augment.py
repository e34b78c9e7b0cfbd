"""Patches cut out of images with random shape and intensity changes, all from one torch generator.

Shape changes and the cutting itself are a single resampling, so an image is interpolated once only and a patch may
reach beyond the image. Intensity changes follow nnU-Net's list (Isensee et al. 2021, Nature Methods 18).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from MedSegAI.Logic.training.config import AugmentationConfig

_ELASTIC_CONTROL_POINTS = 5
_BIAS_CONTROL_POINTS = 3


@dataclass(frozen=True, eq=False)
class Placement:
    """Where in an image a patch comes from.

    Args:
        matrix: 3 x 3; takes (k, j, i) voxel offsets from the patch's centre to offsets in the image.
        centre: (k, j, i) voxel position in the image, fractions allowed, of the patch's centre.
        displacement: Voxels (3 for k, j, i, then the patch's shape) added to each position, or None.
    """

    matrix: Tensor
    centre: Tensor
    displacement: Tensor | None = None


def random_placement(
    shape: tuple[int, int, int], centre: Tensor, config: AugmentationConfig, *, generator: torch.Generator
) -> Placement:
    """A random rotation, scale, shear, left-right flip, shift and smooth displacement about ``centre`` (k, j, i)."""
    matrix = torch.eye(3)
    displacement = None
    is_bent = _chance(config.affine_probability, generator)
    if is_bent:
        matrix = _random_matrix(config, generator)
        if config.elastic_voxels:
            displacement = _smooth_field(3, _ELASTIC_CONTROL_POINTS, shape, generator) * config.elastic_voxels
    if _chance(config.flip_probability, generator):
        matrix = matrix @ torch.diag(torch.tensor([1.0, 1.0, -1.0]))
    centre = centre + _uniform(3, config.shift_voxels, generator)
    if config.between_voxels == "when_bent" and not is_bent:
        centre = _on_voxels(centre, shape)
    return Placement(matrix, centre, displacement)


def cut_patch(
    image: Tensor, label: Tensor, placement: Placement, *, shape: tuple[int, int, int], edge: str
) -> tuple[Tensor, Tensor]:
    """Resample a patch of ``shape`` (k, j, i): the image linearly, the label by nearest neighbour, at the same places.

    Args:
        image: (k, j, i) float32.
        label: (k, j, i) of any dtype; outside the image it is 0.
        placement: Where the patch comes from.
        shape: The patch's shape in voxels.
        edge: What lies outside the image: "zeros", or "border" (the nearest voxel of the image).

    Returns:
        Patch (k, j, i) float32 and label (k, j, i) int64.
    """
    offsets = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in shape]
    grid = torch.stack(torch.meshgrid(*offsets, indexing="ij"), dim=-1) @ placement.matrix.T + placement.centre
    if placement.displacement is not None:
        grid = grid + placement.displacement.movedim(0, -1)
    extent = torch.tensor([max(n - 1, 1) for n in image.shape], dtype=torch.float32)
    sampling = (grid * (2 / extent) - 1).flip(-1)[None]
    patch = functional.grid_sample(image[None, None], sampling, padding_mode=edge, align_corners=True)
    values = functional.grid_sample(
        label[None, None].float(), sampling, mode="nearest", padding_mode="zeros", align_corners=True
    )
    return patch[0, 0], values[0, 0].round().long()


def change_intensities(patch: Tensor, config: AugmentationConfig, *, generator: torch.Generator) -> Tensor:
    """Random blur, low resolution, bias field, gamma, gain, offset and noise; (k, j, i) float32 in and out."""
    often = config.intensity_probability
    if config.blur_voxels and _chance(often / 2, generator):
        patch = gaussian_blur(patch, sigma=0.3 + _unit(generator) * max(config.blur_voxels - 0.3, 0.0))
    if config.low_resolution > 1 and _chance(often / 2, generator):
        patch = _lowered_resolution(patch, 1 + _unit(generator) * (config.low_resolution - 1))
    if config.bias_field and _chance(often, generator):
        low = patch.min()
        field = _smooth_field(1, _BIAS_CONTROL_POINTS, tuple(patch.shape), generator)[0].clamp(-1, 1)
        patch = (patch - low) * torch.exp(field * config.bias_field) + low
    if config.gamma and _chance(often, generator):
        patch = _with_gamma(patch, (1 + config.gamma) ** (2 * _unit(generator) - 1))
    if _chance(often, generator):
        patch = patch * (1 + float(_uniform(1, config.gain, generator)))
    if _chance(often, generator):
        patch = patch + float(_uniform(1, config.offset, generator))
    if config.noise and _chance(often, generator):
        patch = patch + torch.randn(patch.shape, generator=generator) * (_unit(generator) * config.noise)
    return patch


def gaussian_blur(patch: Tensor, *, sigma: float) -> Tensor:
    """Separable Gaussian of ``sigma`` voxels; (k, j, i) in and out, edges repeated."""
    radius = max(1, math.ceil(3 * sigma))
    positions = torch.arange(-radius, radius + 1, dtype=patch.dtype)
    kernel = torch.exp(-(positions**2) / (2 * sigma**2))
    kernel = kernel / kernel.sum()
    out = patch[None, None]
    for axis in range(3):
        along = [1, 1, 1]
        along[axis] = -1
        padding = [0] * 6
        padding[4 - 2 * axis] = padding[5 - 2 * axis] = radius
        out = functional.conv3d(functional.pad(out, padding, mode="replicate"), kernel.view(1, 1, *along))
    return out[0, 0]


def _on_voxels(centre: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """The nearest centre at which a patch of this shape lies on the image's own voxels, even if it is flipped."""
    from_a_voxel = torch.tensor([(n - 1) / 2 % 1 for n in shape])
    return (centre - from_a_voxel).round() + from_a_voxel


def _random_matrix(config: AugmentationConfig, generator: torch.Generator) -> Tensor:
    rotation = torch.eye(3)
    for axis, angle in enumerate(_uniform(3, math.radians(config.rotation_degrees), generator).tolist()):
        a, b = [n for n in range(3) if n != axis]
        turn = torch.eye(3)
        turn[a, a] = turn[b, b] = math.cos(angle)
        turn[a, b], turn[b, a] = -math.sin(angle), math.sin(angle)
        rotation = rotation @ turn
    shear = torch.eye(3)
    off_diagonal = ~torch.eye(3, dtype=torch.bool)
    shear[off_diagonal] = _uniform(6, config.shear, generator)
    # One scale for all axes and a smaller one for each: heads differ more in size than in proportion.
    scale = (1 + _uniform(1, config.scale, generator)) * (1 + _uniform(3, config.scale / 2, generator))
    return rotation @ shear @ torch.diag(scale)


def _smooth_field(channels: int, points: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    coarse = torch.randn((1, channels, points, points, points), generator=generator)
    return functional.interpolate(coarse, size=shape, mode="trilinear", align_corners=True)[0]


def _lowered_resolution(patch: Tensor, factor: float) -> Tensor:
    coarse = [max(2, round(n / factor)) for n in patch.shape]
    small = functional.interpolate(patch[None, None], size=coarse, mode="trilinear", align_corners=True)
    return functional.interpolate(small, size=patch.shape, mode="trilinear", align_corners=True)[0, 0]


def _with_gamma(patch: Tensor, gamma: float) -> Tensor:
    """Bend the intensities within their own range, keeping their mean and standard deviation."""
    low, high = patch.min(), patch.max()
    bent = ((patch - low) / (high - low).clamp_min(1e-6)) ** gamma
    return (bent - bent.mean()) / bent.std().clamp_min(1e-6) * patch.std() + patch.mean()


def _unit(generator: torch.Generator) -> float:
    return float(torch.rand((), generator=generator))


def _uniform(count: int, limit: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * limit


def _chance(probability: float, generator: torch.Generator) -> bool:
    return _unit(generator) < probability
