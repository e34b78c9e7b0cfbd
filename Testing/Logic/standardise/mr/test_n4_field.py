from __future__ import annotations

import math

import numpy as np
import pytest

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.mr.n4_field import STAGE, chosen_shrink, estimate_field, fixed_shrink, is_finite_field
from Testing.Logic.standardise.phantoms import head_array, mr_of

QUICK = {"levels": 2, "iterations": 5, "convergence": 0.001, "mask": "otsu"}


class Watcher(SilentReporter):
    def __init__(self, patience: int = 10**9) -> None:
        super().__init__()
        self.seen: list[tuple[int, int, str]] = []
        self.patience = patience

    def progress(self, done: int, total: int, stage: str) -> None:
        self.seen.append((done, total, stage))

    def cancelled(self) -> bool:
        return len(self.seen) > self.patience


@pytest.mark.parametrize(
    ("shape", "spacing", "shrink"),
    [
        ((190, 256, 188), (0.88, 0.88, 0.88), (4, 4, 4)),
        ((144, 188, 176), (1.0, 1.0, 1.0), (4, 4, 4)),
        # Thick slices are not thinned out any further.
        ((25, 256, 256), (0.78, 0.78, 6.5), (5, 5, 1)),
        # Coarse voxels, in a few slices, and a small crop: still one voxel in 8.
        ((20, 91, 117), (3.0, 3.0, 3.0), (3, 3, 1)),
        ((35, 50, 36), (1.0, 1.0, 1.0), (3, 4, 2)),
        # Too small for any.
        ((10, 10, 10), (1.0, 1.0, 1.0), (1, 1, 1)),
    ],
)
def test_the_shrink_is_chosen_from_size_and_spacing(shape, spacing, shrink):
    assert chosen_shrink(shape, spacing) == shrink
    assert math.prod(shrink) >= 8 or max(shape) < 24


def test_a_fixed_shrink_leaves_four_voxels_of_each_side():
    assert fixed_shrink((10, 100, 200), 8) == (8, 8, 2)
    assert fixed_shrink((3, 3, 3), 4) == (1, 1, 1)


def test_every_iteration_is_told_and_the_end():
    watcher = Watcher()
    found = estimate_field(mr_of(head_array()), (2, 2, 2), reporter=watcher, **QUICK)
    done, totals, stages = zip(*watcher.seen)
    assert set(totals) == {10} and set(stages) == {STAGE}
    assert list(done) == sorted(done) and done[-1] == 10
    assert 2 <= found.iterations <= 10
    assert len(done) == found.iterations + 2
    assert 0.3 < found.mask_share < 0.6


@pytest.mark.parametrize("patience", [-1, 0, 2])
def test_it_stops_at_the_next_iteration_when_asked_without_a_word(patience, capfd):
    watcher = Watcher(patience)
    with pytest.raises(Cancelled):
        estimate_field(mr_of(head_array()), (2, 2, 2), reporter=watcher, **QUICK | {"convergence": 1e-9})
    assert len(watcher.seen) == max(0, patience + 1 if patience else 2)
    assert capfd.readouterr().err == ""


def test_a_scan_without_anything_above_zero_is_refused():
    with pytest.raises(InputError, match="no voxels above 0"):
        estimate_field(mr_of(-head_array() - 1), (1, 1, 1), reporter=SilentReporter(), **QUICK | {"mask": "positive"})


def test_what_n4_itself_refuses_is_a_sentence():
    with pytest.raises(InputError, match="N4 cannot estimate"):
        estimate_field(mr_of(head_array()[:1] + 1), (1, 1, 1), reporter=SilentReporter(), **QUICK)


def test_a_field_that_is_no_number_is_told():
    assert is_finite_field(np.array([-1.0, 2.0]))
    assert not is_finite_field(np.array([0.0, np.nan]))
    assert not is_finite_field(np.array([0.0, 200.0]))
