from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from MedSegAI.Logic.training.config import AugmentationConfig
from MedSegAI.Logic.training.nodules.case import Source
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig
from MedSegAI.Logic.training.nodules.nodule_set import NoduleTrainingSet
from MedSegAI.Logic.training.training_set import Sample
from Testing.Logic.training.nodules.conftest import nodule_case

SHAPE = (32, 64, 64)
NUMBERS = [field.name for field in dataclasses.fields(AugmentationConfig) if isinstance(field.default, float)]
STILL = AugmentationConfig(**dict.fromkeys(NUMBERS, 0.0))
EXACT = NoduleDataConfig(click_error=0.0, truncation=0.0, exchange=0.0, edge_margin=0)


def samples_of(
    data: NoduleDataConfig, *, count: int = 1, augmentation: AugmentationConfig = STILL, **case
) -> list[Sample]:
    learned = NoduleTrainingSet([nodule_case(**case)], data, augmentation=augmentation, shape=SHAPE)
    generator = torch.Generator().manual_seed(0)
    return [learned.sample(0, generator=generator) for _ in range(count)]


def test_a_sample_shows_the_nodule_in_the_middle_of_the_window() -> None:
    (sample,) = samples_of(EXACT)
    assert sample.image.shape == (1, *SHAPE) and sample.target.shape == sample.weight.shape == SHAPE
    middle = torch.nonzero(sample.target).float().mean(dim=0)
    assert middle == pytest.approx([15.5, 31.5, 31.5], abs=0.5)
    bright = (sample.image[0] > 0.42) & (sample.weight > 0)
    both = int((bright & (sample.target == 1)).sum())
    assert 2 * both / int(bright.sum() + sample.target.sum()) > 0.9


def test_what_is_not_known_has_no_weight_and_shows_the_nearest_voxel_or_lung() -> None:
    samples = samples_of(EXACT, count=12, shape=(9, 40, 40), centre=(4.0, 20.0, 20.0))
    unknown = [sample.image[0][0, 32, 32] for sample in samples]
    assert all(sample.weight[11:20].any() and not sample.weight[:11].any() for sample in samples)
    assert {bool(shade > 0.5) for shade in unknown} == {True, False}
    lung = [shade for shade in unknown if shade < 0.5]
    assert np.mean(lung) == pytest.approx(0.1, abs=0.06)


def test_known_slices_are_taken_away_from_the_ends_but_never_the_clicked_one() -> None:
    data = dataclasses.replace(EXACT, truncation=1.0)
    samples = samples_of(data, count=20, shape=(15, 40, 40), centre=(7.0, 20.0, 20.0), source=Source.SLICES)
    known = [sample.weight[:, 32, 32] for sample in samples]
    assert len({int(slices.sum()) for slices in known}) > 4
    assert all(slices[15:17].any() for slices in known)


def test_cubes_are_never_truncated() -> None:
    data = dataclasses.replace(EXACT, truncation=1.0)
    known = {int(sample.weight[:, 32, 32].sum()) for sample in samples_of(data, count=10, shape=(15, 40, 40))}
    assert known == {15}


def test_a_cube_comes_as_often_as_the_configuration_says() -> None:
    cases = [nodule_case(source=source) for source in (Source.CUBES, Source.SLICES)]
    data = dataclasses.replace(EXACT, cube_repeats=3)
    assert len(NoduleTrainingSet(cases, data, augmentation=STILL, shape=SHAPE)) == 4


def test_soft_labels_are_probabilities_of_both_classes() -> None:
    (sample,) = samples_of(dataclasses.replace(EXACT, reference="soft"))
    assert sample.target.shape == (2, *SHAPE)
    assert torch.allclose(sample.target.sum(dim=0), torch.ones(SHAPE))
    shares = sorted({round(float(value), 2) for value in sample.target[1].unique()})
    assert shares == [0.0, 0.33, 0.67, 1.0]


def test_a_random_reader_changes_from_sample_to_sample() -> None:
    samples = samples_of(dataclasses.replace(EXACT, reference="random-reader"), count=20)
    assert len({int(sample.target.sum()) for sample in samples}) == 3


def test_clicks_that_miss_move_the_nodule_in_the_window() -> None:
    samples = samples_of(dataclasses.replace(EXACT, click_error=1.0), count=10)
    middles = torch.stack([torch.nonzero(sample.target).float().mean(dim=0) for sample in samples])
    assert middles.std(dim=0).min() > 1.0


def test_axes_change_places_only_as_often_as_asked() -> None:
    flat = {"shape": (9, 40, 40), "centre": (4.0, 20.0, 20.0)}
    kept = samples_of(EXACT, count=10, **flat)
    assert all(int(sample.weight.any(dim=2).any(dim=1).sum()) in (9, 10) for sample in kept)
    exchanged = samples_of(dataclasses.replace(EXACT, exchange=1.0), count=20, **flat)
    extents = {int(sample.weight.any(dim=2).any(dim=1).sum()) for sample in exchanged}
    assert 32 in extents and extents & {9, 10}


def test_margins_are_emptied_and_without_weight() -> None:
    samples = samples_of(
        dataclasses.replace(EXACT, edge_margin=4), count=20, shape=(60, 70, 70), centre=(30.0, 35.0, 35.0)
    )
    empty = [int((sample.weight.sum(dim=(1, 2)) == 0).sum()) for sample in samples]
    assert max(empty) > 4 and max(empty) <= 8
    assert all(not sample.image[0][sample.weight == 0].any() for sample in samples)


def test_a_sample_follows_from_its_generator_alone() -> None:
    data = NoduleDataConfig(reference="random-reader")
    first, again = (samples_of(data, augmentation=AugmentationConfig())[0] for _ in range(2))
    assert torch.equal(first.image, again.image) and torch.equal(first.target, again.target)
