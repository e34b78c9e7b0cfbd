"""A scan is brought to lie on another, from afar, the same way every time, and a wrong pair is not called good."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Logic.align.alignment import Verdict
from MedSegAI.Logic.align.register_rigid import register_rigid
from MedSegAI.Logic.errors import Cancelled
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.volume import Volume
from Testing.Logic.align.conftest import largest_error_mm, moved_away, turned_about

MOVES = {
    "little": ((2.0, -1.0, 3.0), (3.0, -2.0, 1.0)),
    "far": ((-12.0, 15.0, 25.0), (30.0, -20.0, 25.0)),
}


@pytest.mark.parametrize("how_far", MOVES)
def test_a_head_that_was_moved_is_brought_back_to_a_tenth_of_a_voxel(a_head: Volume, how_far: str):
    truth = turned_about(a_head.grid.lps_of(np.array(a_head.grid.shape) / 2), *MOVES[how_far])
    moved = moved_away(a_head, truth)
    # Another contrast: what is bright there is dark here, and values are bent.
    moved = moved.with_array(np.sqrt(a_head.array.max() - a_head.array))
    found = register_rigid(moved, a_head, reporter=SilentReporter())
    assert largest_error_mm(found.transform, truth, a_head) < 0.1 * min(a_head.grid.spacing)
    assert found.quality.verdict is Verdict.GOOD
    assert found.quality.mutual_information_after > found.quality.mutual_information_before + 0.2
    assert found.quality.overlap_after > 0.98


def test_the_sequences_of_one_head_fit_better_than_they_lay(sequences: dict[str, Volume]):
    found = register_rigid(sequences["FLAIR"], sequences["T1c"], reporter=SilentReporter())
    assert found.quality.verdict is Verdict.GOOD
    assert found.quality.mutual_information_before < 1.12 < 1.20 < found.quality.mutual_information_after


def test_the_same_scans_give_the_same_bits_and_another_seed_nearly_so(
    a_coarse_head: Volume, monkeypatch: pytest.MonkeyPatch
):
    # As large scans are: only some of the voxels are looked at, and the seed chooses which.
    monkeypatch.setattr("MedSegAI.Logic.align.register_rigid._VOXELS_LOOKED_AT", 3000)
    moved = moved_away(a_coarse_head, turned_about(np.zeros(3), (4.0, 2.0, -3.0), (5.0, 0.0, 2.0)))
    once, again = (register_rigid(moved, a_coarse_head, reporter=SilentReporter()) for _ in range(2))
    assert once == again
    other = register_rigid(moved, a_coarse_head, reporter=SilentReporter(), seed=1)
    assert 0 < largest_error_mm(other.transform, once.transform, a_coarse_head) < 1.0


def test_noise_and_a_mirrored_head_are_not_called_good(a_coarse_head: Volume):
    noise = a_coarse_head.with_array(np.random.default_rng(0).normal(size=a_coarse_head.grid.shape).astype(np.float32))
    assert register_rigid(noise, a_coarse_head, reporter=SilentReporter()).quality.verdict is Verdict.FAILED
    upside_down = a_coarse_head.with_array(np.ascontiguousarray(a_coarse_head.array[::-1]))
    assert register_rigid(upside_down, a_coarse_head, reporter=SilentReporter()).quality.verdict is not Verdict.GOOD


def test_scans_that_lie_far_from_each_other_are_found_and_empty_ones_fail(a_coarse_head: Volume):
    far = moved_away(a_coarse_head, turned_about(np.zeros(3), (0.0, 0.0, 0.0), (900.0, 0.0, 0.0)))
    found = register_rigid(far, a_coarse_head, reporter=SilentReporter())
    assert found.quality.overlap_before == 0.0
    assert found.quality.verdict is Verdict.GOOD
    empty = replace(a_coarse_head, array=np.zeros(a_coarse_head.grid.shape, np.float32))
    assert register_rigid(empty, a_coarse_head, reporter=SilentReporter()).quality.verdict is Verdict.FAILED


def test_progress_counts_up_to_its_total_and_a_cancel_is_heard(a_coarse_head: Volume):
    class Watching(SilentReporter):
        def __init__(self, *, patience: int) -> None:
            super().__init__()
            self.steps: list[tuple[int, int]] = []
            self.patience = patience

        def progress(self, done: int, total: int, stage: str) -> None:
            self.steps.append((done, total))

        def cancelled(self) -> bool:
            return len(self.steps) > self.patience

    reporter = Watching(patience=1000)
    register_rigid(a_coarse_head, a_coarse_head, reporter=reporter)
    done, totals = zip(*reporter.steps)
    assert list(done) == sorted(done)
    assert done[-1] == totals[-1] >= 10
    impatient = Watching(patience=2)
    with pytest.raises(Cancelled):
        register_rigid(a_coarse_head, a_coarse_head, reporter=impatient)
    assert len(impatient.steps) == 3
