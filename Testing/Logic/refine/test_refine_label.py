"""One label of a label map is mended; the others stay."""

from __future__ import annotations

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label
from MedSegAI.Logic.refine.refine_label import blank_strokes, refine_label, without_strokes
from MedSegAI.Logic.volume import Volume

LABEL = Label(2, "organ", "Organ", (1.0, 0.0, 0.0))


@pytest.fixture
def a_scan():
    """A bright block in the dark, of which the label holds one half, and another label beside it."""
    image = np.zeros((12, 12, 12), np.float32)
    image[3:9, 3:9, 3:9] = 100
    return Volume(image + np.random.default_rng(0).normal(0, 2, image.shape), Grid(image.shape, (1.0, 1.0, 1.0)))


@pytest.fixture
def labels(a_scan):
    array = np.zeros(a_scan.grid.shape, np.uint8)
    array[3:9, 3:9, 3:6] = 2
    array[3:9, 3:9, 9:11] = 1
    return a_scan.with_array(array)


def test_the_missing_half_comes_back_and_only_the_changed_box_is_given(a_scan, labels):
    strokes = blank_strokes(a_scan)
    strokes.array[6, 6, 6:9] = 1
    found = refine_label(a_scan, labels, strokes.array, label=LABEL)
    after = labels.array.copy()
    after[found.box.slices] = found.labels.array
    assert ((after == 2) == (a_scan.array > 50)).mean() > 0.99
    assert np.array_equal(after == 1, labels.array == 1)
    assert np.array_equal(found.before.array, labels.array[found.box.slices])
    assert found.labels.grid.same_frame(a_scan.grid.crop(found.box))


def test_an_inside_stroke_over_another_label_takes_its_voxels(a_scan, labels):
    strokes = blank_strokes(a_scan)
    strokes.array[6, 6, 6:10] = 1
    found = refine_label(a_scan, labels, strokes.array, label=LABEL)
    after = labels.array.copy()
    after[found.box.slices] = found.labels.array
    assert after[6, 6, 9] == 2 and (after == 1).sum() == (labels.array == 1).sum() - 1


def test_strokes_that_change_nothing_are_said(a_scan, labels):
    strokes = blank_strokes(a_scan)
    strokes.array[6, 6, 4] = 1
    with pytest.raises(InputError, match="change nothing of 'Organ'"):
        refine_label(a_scan, labels, strokes.array, label=LABEL)
    assert not without_strokes(strokes).array.any() and strokes.array.any()
