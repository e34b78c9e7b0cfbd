"""Every sample of a batch is learned from once, by one process, in parts of equal size."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.distributed.parts import parts_of_batch


@pytest.mark.parametrize(("count", "accumulate"), [(1, 1), (2, 1), (1, 4), (3, 2), (4, 3)])
def test_the_parts_of_all_processes_are_the_batch(count, accumulate):
    parts = [
        part for rank in range(count) for part in parts_of_batch(24, rank=rank, count=count, accumulate=accumulate)
    ]
    assert [place for part in parts for place in part.places] == list(range(24))
    assert {len(part.places) for part in parts} == {24 // (count * accumulate)}
    assert [part.number for part in parts] == list(range(count * accumulate))


def test_a_batch_that_cannot_be_divided_is_told_with_one_that_can():
    with pytest.raises(InputError, match=r"A batch of 3 .* over 2 processes with 1 part each") as told:
        parts_of_batch(3, rank=0, count=2, accumulate=1)
    assert "--set batch_size=4" in told.value.advice
    with pytest.raises(InputError, match=r"over 1 process with 4 parts each"):
        parts_of_batch(2, rank=0, count=1, accumulate=4)


def test_no_two_parts_of_near_steps_draw_the_same_random_numbers():
    parts = [part for rank in range(8) for part in parts_of_batch(32, rank=rank, count=8, accumulate=4)]
    seeds = [part.seed(step) for step in range(2_000) for part in parts]
    assert len(set(seeds)) == len(seeds)
    assert parts[0].seed(17) == 17, "one process with one part does what it did before"


def test_a_part_draws_the_same_wherever_it_is_computed():
    here = [part for rank in range(2) for part in parts_of_batch(8, rank=rank, count=2, accumulate=2)]
    there = parts_of_batch(8, rank=0, count=1, accumulate=4)
    assert [part.seed(5) for part in here] == [part.seed(5) for part in there]
