"""Intensities come out in the range that the card's rule states."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError, ModelError
from MedSegAI.Logic.standardise.intensity import normalise
from MedSegAI.Logic.standardise.normalisation import Normalisation

Z_SCORE = Normalisation("z_score", (0.5, 99.5))


@pytest.fixture
def a_skewed_image() -> np.ndarray:
    return np.random.default_rng(3).gamma(2.0, 300.0, (12, 14, 10))


def test_a_z_score_has_mean_zero_and_deviation_one(a_skewed_image):
    result = normalise(a_skewed_image, Z_SCORE)
    assert result.dtype == np.float32
    assert result.mean() == pytest.approx(0.0, abs=1e-6)
    assert result.std() == pytest.approx(1.0, abs=1e-6)


def test_a_z_score_follows_its_formula(a_skewed_image):
    clipped = np.clip(a_skewed_image, *np.percentile(a_skewed_image, (0.5, 99.5)))
    expected = (clipped - clipped.mean()) / clipped.std()
    np.testing.assert_allclose(normalise(a_skewed_image, Z_SCORE), expected, atol=1e-6)


def test_the_scanner_gain_does_not_matter(a_skewed_image):
    """Hippocampus crops run from a maximum of 112 to 1.7 million."""
    np.testing.assert_allclose(
        normalise(a_skewed_image * 1.7e6 + 40.0, Z_SCORE), normalise(a_skewed_image, Z_SCORE), atol=1e-5
    )


def test_one_glaring_voxel_does_not_squeeze_the_rest(a_skewed_image):
    glaring = a_skewed_image.copy()
    glaring[0, 0, 0] = 1e9
    np.testing.assert_allclose(normalise(glaring, Z_SCORE)[1:], normalise(a_skewed_image, Z_SCORE)[1:], atol=0.1)


def test_the_input_is_left_as_it_was(a_skewed_image):
    before = a_skewed_image.copy()
    normalise(a_skewed_image, Z_SCORE)
    np.testing.assert_array_equal(a_skewed_image, before)


@pytest.mark.parametrize("kind", ["z_score", "range"])
@pytest.mark.parametrize("value", [0.0, 7.0, 1e6 + 0.1])
def test_a_constant_image_becomes_zero(kind, value):
    np.testing.assert_array_equal(normalise(np.full((3, 4, 5), value), Normalisation(kind)), np.zeros((3, 4, 5)))


def test_an_empty_array_stays_empty():
    assert normalise(np.zeros((0, 4, 5)), Z_SCORE).shape == (0, 4, 5)


def test_integers_are_taken():
    counts = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    np.testing.assert_array_equal(normalise(counts, Z_SCORE), normalise(counts.astype(float), Z_SCORE))


def test_a_range_maps_hounsfield_limits_to_zero_and_one():
    hounsfield = np.array([-2000.0, -1000.0, 0.0, 1000.0, 3000.0])
    rule = Normalisation("range", clip_values=(-1000.0, 1000.0))
    np.testing.assert_allclose(normalise(hounsfield, rule), [0.0, 0.0, 0.5, 1.0, 1.0])


def test_a_range_without_limits_spans_the_image():
    np.testing.assert_allclose(normalise(np.array([2.0, 4.0, 6.0]), Normalisation("range")), [0.0, 0.5, 1.0])


def test_none_only_clips():
    rule = Normalisation("none", clip_values=(0.0, 2.0))
    np.testing.assert_array_equal(normalise(np.array([-1.0, 1.0, 5.0]), rule), [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(normalise(np.array([-1.0, 5.0]), Normalisation("none")), [-1.0, 5.0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_voxels_that_are_not_numbers_are_refused_with_a_sentence(value):
    with pytest.raises(InputError, match=r"not numbers .* Export it again"):
        normalise(np.array([1.0, value]), Z_SCORE)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Normalisation("fancy"), "no intensity normalisation 'fancy'"),
        (Normalisation("z_score", (99.0, 1.0)), "99.0 and 1.0 are not limits"),
        (Normalisation("range", clip_values=(5.0, 1.0)), "5.0 and 1.0 are not in order"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(rule, sentence):
    with pytest.raises(ModelError, match=sentence):
        normalise(np.array([1.0, 2.0]), rule)
