"""A process that trains alone does everything itself."""

from __future__ import annotations

import torch

from MedSegAI.Logic.training.processes import OneProcess


def test_one_process_has_the_whole_batch_all_work_and_the_last_word():
    alone = OneProcess()
    assert [list(part.places) for part in alone.parts_of_step(3)] == [[0, 1, 2]]
    assert alone.spread(3, lambda indices: [10 * index for index in indices]) == [0, 10, 20]
    assert alone.is_writer
    assert (alone.any_of(True), alone.any_of(False)) == (True, False)
    assert alone.mean([1.0, 2.0]) == [1.0, 2.0]
    alone.barrier()


def test_what_is_added_over_one_process_stays_as_it_is():
    sums, network = torch.ones(3), torch.nn.Linear(2, 2)
    assert OneProcess().total(sums) is sums
    assert OneProcess().wrap(network) is network


def test_a_batch_that_does_not_fit_into_memory_is_divided():
    parts = OneProcess(accumulate=2).parts_of_step(4)
    assert [list(part.places) for part in parts] == [[0, 1], [2, 3]]
