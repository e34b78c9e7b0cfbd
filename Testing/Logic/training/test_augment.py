"""Augmentation changes what it should, by how much it should, and the label along with the image."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.augment import (
    Placement,
    change_intensities,
    cut_patch,
    gaussian_blur,
    random_placement,
)
from MedSegAI.Logic.training.config import AugmentationConfig

NOTHING = AugmentationConfig(affine_probability=0.0, flip_probability=0.0, intensity_probability=0.0, shift_voxels=0.0)
SHAPE = (12, 16, 14)


@pytest.fixture
def an_image() -> torch.Tensor:
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def a_smooth_image() -> torch.Tensor:
    k, j, i = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    return torch.exp(-2 * ((k - 0.1) ** 2 + (j + 0.2) ** 2 + (i - 0.3) ** 2))


def the_middle_of(image: torch.Tensor) -> torch.Tensor:
    return (torch.tensor(image.shape, dtype=torch.float32) - 1) / 2


def test_a_patch_in_place_is_the_image_itself(an_image):
    label = (an_image > 0).to(torch.uint8)
    placement = Placement(torch.eye(3), the_middle_of(an_image))
    patch, values = cut_patch(an_image, label, placement, shape=SHAPE, edge="zeros")
    torch.testing.assert_close(patch, an_image, atol=1e-5, rtol=0)
    assert torch.equal(values, label.long())


def test_a_patch_is_cut_at_its_centre(an_image):
    placement = Placement(torch.eye(3), torch.tensor([5.5, 6.5, 7.5]))
    patch, _ = cut_patch(an_image, an_image, placement, shape=(4, 6, 8), edge="zeros")
    torch.testing.assert_close(patch, an_image[4:8, 4:10, 4:12], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("edge", "outside"), [("zeros", 0.0), ("border", 5.0)])
def test_outside_the_image_lies_what_the_edge_rule_says_and_no_label(edge, outside):
    image = torch.full((4, 4, 4), 5.0)
    placement = Placement(torch.eye(3), torch.full((3,), 1.5))
    patch, values = cut_patch(image, torch.ones(4, 4, 4), placement, shape=(12, 4, 4), edge=edge)
    assert patch[0, 0, 0] == pytest.approx(outside)
    assert int(values.sum()) == 64


def test_a_flip_exchanges_left_and_right_and_nothing_else(an_image):
    config = AugmentationConfig(**{**vars(NOTHING), "flip_probability": 1.0})
    placement = random_placement(SHAPE, the_middle_of(an_image), config, generator=torch.Generator().manual_seed(1))
    label = (an_image > 1).to(torch.uint8)
    patch, values = cut_patch(an_image, label, placement, shape=SHAPE, edge="zeros")
    torch.testing.assert_close(patch, an_image.flip(2), atol=1e-5, rtol=0)
    assert torch.equal(values, label.flip(2).long())


def test_a_known_quarter_turn_moves_image_and_label_alike(an_image):
    cube = an_image[:, :12, :12].contiguous()
    turn = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
    label = (cube > 0).to(torch.uint8)
    patch, values = cut_patch(cube, label, Placement(turn, the_middle_of(cube)), shape=(12, 12, 12), edge="zeros")
    torch.testing.assert_close(patch, torch.rot90(cube, -1, (1, 2)), atol=1e-5, rtol=0)
    assert torch.equal(values, torch.rot90(label, -1, (1, 2)).long())


def test_a_random_warp_keeps_label_and_image_together(a_smooth_image):
    """The label is a threshold of the image, and must still be that after any warp, but for voxels at its edge."""
    label = (a_smooth_image > 0.5).to(torch.uint8)
    for seed in range(10):
        placement = random_placement(
            SHAPE, the_middle_of(label), AugmentationConfig(), generator=torch.Generator().manual_seed(seed)
        )
        patch, values = cut_patch(a_smooth_image, label, placement, shape=SHAPE, edge="zeros")
        clear = (patch - 0.5).abs() > 0.15
        assert torch.equal(values[clear] == 1, patch[clear] > 0.5)


def test_without_augmentation_nothing_changes(an_image):
    generator = torch.Generator().manual_seed(0)
    placement = random_placement(SHAPE, torch.zeros(3), NOTHING, generator=generator)
    assert torch.equal(placement.matrix, torch.eye(3))
    assert torch.equal(placement.centre, torch.zeros(3))
    assert placement.displacement is None
    assert torch.equal(change_intensities(an_image, NOTHING, generator=generator), an_image)


def test_rotation_alone_keeps_lengths():
    config = AugmentationConfig(rotation_degrees=30.0, scale=0.0, shear=0.0, affine_probability=1.0, flip_probability=0)
    matrix = random_placement(SHAPE, torch.zeros(3), config, generator=torch.Generator().manual_seed(4)).matrix
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(3), atol=1e-6, rtol=0)
    assert not torch.equal(matrix, torch.eye(3))


@pytest.mark.parametrize("name", ["gain", "offset", "gamma", "noise", "blur_voxels", "bias_field", "low_resolution"])
def test_each_intensity_change_changes_something_and_stays_finite(an_image, name):
    off = dict.fromkeys(("gain", "offset", "gamma", "noise", "blur_voxels", "bias_field", "low_resolution"), 0.0)
    config = AugmentationConfig(**{**off, name: 1.5, "intensity_probability": 1.0})
    results = [change_intensities(an_image, config, generator=torch.Generator().manual_seed(s)) for s in range(6)]
    assert any(not torch.equal(result, an_image) for result in results)
    assert all(torch.isfinite(result).all() for result in results)
    assert results[0].shape == an_image.shape


def test_a_constant_patch_survives_every_intensity_change():
    config = AugmentationConfig(intensity_probability=1.0)
    for seed in range(6):
        changed = change_intensities(torch.ones(SHAPE), config, generator=torch.Generator().manual_seed(seed))
        assert torch.isfinite(changed).all()


def test_a_blur_is_the_gaussian_of_its_width():
    """A single voxel becomes the product of three Gaussians."""
    point = torch.zeros(21, 21, 21)
    point[10, 10, 10] = 1.0
    blurred = gaussian_blur(point, sigma=1.0)
    assert float(blurred.sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(blurred[10, 10, 12] / blurred[10, 10, 10]) == pytest.approx(math.exp(-2.0), rel=1e-4)
    assert float(blurred[12, 10, 10]) == pytest.approx(float(blurred[10, 10, 12]), rel=1e-4)


def test_equal_generators_give_equal_patches(an_image):
    def once() -> torch.Tensor:
        generator = torch.Generator().manual_seed(7)
        placement = random_placement(SHAPE, the_middle_of(an_image), AugmentationConfig(), generator=generator)
        patch, _ = cut_patch(an_image, an_image, placement, shape=SHAPE, edge="border")
        return change_intensities(patch, AugmentationConfig(), generator=generator)

    assert torch.equal(once(), once())


@pytest.mark.parametrize("flip_probability", [0.0, 1.0])
def test_a_patch_that_is_not_bent_can_be_kept_as_sharp_as_the_image(an_image, flip_probability):
    config = dataclasses.replace(
        NOTHING, shift_voxels=2.0, flip_probability=flip_probability, between_voxels="when_bent"
    )
    for seed in range(5):
        generator = torch.Generator().manual_seed(seed)
        placement = random_placement((4, 5, 6), torch.tensor([5.0, 8.0, 7.0]), config, generator=generator)
        patch, _ = cut_patch(an_image, an_image, placement, shape=(4, 5, 6), edge="zeros")
        differences = (patch[..., None] - an_image.flatten()).abs().amin(dim=-1)
        assert float(differences.max()) < 1e-4
        assert float((placement.centre - torch.tensor([5.0, 8.0, 7.0])).abs().max()) <= 2.5


def test_a_bent_patch_lies_between_voxels_in_any_case():
    shift = dataclasses.replace(NOTHING, shift_voxels=2.0, affine_probability=1.0, between_voxels="when_bent")
    placement = random_placement(SHAPE, torch.zeros(3), shift, generator=torch.Generator().manual_seed(0))
    always = dataclasses.replace(shift, between_voxels="always")
    other = random_placement(SHAPE, torch.zeros(3), always, generator=torch.Generator().manual_seed(0))
    assert torch.equal(placement.centre, other.centre)
    with pytest.raises(InputError, match=r"augmentation.between_voxels is 'never'"):
        dataclasses.replace(shift, between_voxels="never")
