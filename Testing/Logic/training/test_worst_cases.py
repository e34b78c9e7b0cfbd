"""The cases that a network is worst at are shown, the lowest first."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from PIL import Image

from MedSegAI.Logic.training.training_set import ShownCase
from MedSegAI.Logic.training.worst_cases import (
    PREDICTED_COLOUR,
    REFERENCE_COLOUR,
    case_names,
    case_picture,
    show_worst_cases,
)

SCORES = [{"a": 0.9, "b": 0.5}, {"a": 0.3, "b": 0.3}, {"a": 0.6, "b": 0.6}]


def a_box(low: int, high: int) -> np.ndarray:
    labels = np.zeros((20, 24, 22), np.uint8)
    labels[low:high, low:high, low:high] = 1
    return labels


class Shown:
    """Three cases of a box, found two voxels away from where it is."""

    names = ("one", "two", "three")

    def __len__(self) -> int:
        return 3

    def score(self, network, indices):
        return [SCORES[index] for index in indices]

    def show(self, network, index):
        image = np.random.default_rng(index).normal(size=(20, 24, 22)).astype(np.float32)
        return ShownCase(image, a_box(5, 12), a_box(7, 14), (1.0, 1.0, 2.0))


class Empty(Shown):
    def show(self, network, index):
        nothing = np.zeros((20, 24, 22), np.uint8)
        return ShownCase(np.zeros(nothing.shape, np.float32), nothing, nothing, (1.0, 1.0, 1.0))


class Nameless:
    def __len__(self) -> int:
        return 2

    def score(self, network, indices):
        return [{"a": 0.0}] * len(indices)


@pytest.fixture
def network() -> torch.nn.Module:
    return torch.nn.Identity()


def pixels_of(colour: str, png: bytes) -> int:
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    seen = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    return int((np.abs(seen - wanted).max(axis=-1) < 30).sum())


def test_the_lowest_mean_comes_first(network):
    cases = show_worst_cases(Shown(), network, SCORES, count=2)
    assert [case.name for case in cases] == ["two", "three"]
    assert [round(case.mean_dice, 6) for case in cases] == [0.3, 0.6]


def test_a_picture_shows_the_outlines_of_both(network):
    (case,) = show_worst_cases(Shown(), network, SCORES, count=1)
    (empty,) = show_worst_cases(Empty(), network, SCORES, count=1)
    for colour in (REFERENCE_COLOUR, PREDICTED_COLOUR):
        in_words = pixels_of(colour, empty.picture)
        assert pixels_of(colour, case.picture) > in_words + 300, colour


@pytest.mark.parametrize(("directions", "upper_left"), [("RAS", (5, 5, 5)), ("LPS", (5, 0, 0)), ("LPI", (0, 0, 0))])
def test_the_patients_right_and_front_are_at_the_left_and_the_top(monkeypatch, directions, upper_left):
    """Of the axial slice through the lowest voxel, the voxel that is drawn at the upper left."""
    image = np.arange(6 * 6 * 6, dtype=np.float32).reshape(6, 6, 6)
    seen = []
    monkeypatch.setattr(Axes, "imshow", lambda axes, cut, **_: seen.append(cut[0, 0]))
    nothing = np.zeros(image.shape, np.uint8)
    case_picture(ShownCase(image, nothing, nothing, (1.0, 1.0, 1.0), directions))
    axial, coronal, sagittal = ([int(n) for n in np.unravel_index(int(value), image.shape)] for value in seen)
    assert axial[1:] == list(upper_left[1:])
    assert [coronal[0], coronal[2]] == [upper_left[0], upper_left[2]]
    assert sagittal[:2] == list(upper_left[:2])


def test_a_case_without_any_label_is_shown_whole(network):
    (case,) = show_worst_cases(Empty(), network, SCORES, count=1)
    assert case.picture.startswith(b"\x89PNG")


def test_cases_of_a_set_that_cannot_show_them_are_numbered_and_not_shown(network):
    assert case_names(Shown()) == ["one", "two", "three"]
    assert case_names(Nameless()) == ["case 1", "case 2"]
    assert show_worst_cases(Nameless(), network, [{"a": 0.0}] * 2, count=1) == []
