"""Batches come in order from a thread that runs only a little ahead."""

from __future__ import annotations

import threading

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.pretrain.read_ahead import read_ahead


def test_results_come_in_order_from_another_thread():
    threads = set()

    def make(number: int) -> int:
        threads.add(threading.get_ident())
        return number * number

    with read_ahead(make, start=3) as results:
        assert [next(results) for _ in range(4)] == [9, 16, 25, 36]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_no_more_is_made_than_was_asked_for_and_a_little_ahead():
    made = []
    with read_ahead(lambda number: made.append(number), start=0, ahead=2) as results:
        for _ in range(3):
            next(results)
    assert 3 <= len(made) <= 5


def test_what_goes_wrong_comes_out_where_its_result_would_have():
    def make(number: int) -> int:
        if number == 1:
            raise InputError("The second is broken.")
        return number

    with read_ahead(make, start=0) as results:
        assert next(results) == 0
        with pytest.raises(InputError, match="The second is broken"):
            next(results)


def test_nothing_runs_on_after_it():
    with pytest.raises(KeyboardInterrupt), read_ahead(lambda number: number, start=0):
        raise KeyboardInterrupt
    assert not any(thread.name.startswith("read-ahead") for thread in threading.enumerate())
