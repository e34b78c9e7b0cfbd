"""The order of scans follows from seed and position alone, and several processes share it."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.pretrain.order import Order, Shard


def shown(order: Order, positions) -> list[int]:
    return [next(iter(order.candidates(position))) for position in positions]


def test_every_pass_shows_each_scan_once_in_another_order():
    order = Order(scan_count=20, seed=1)
    first, second = shown(order, range(20)), shown(order, range(20, 40))
    assert sorted(first) == sorted(second) == list(range(20))
    assert first != second
    assert first != list(range(20))


def test_any_position_can_be_gone_back_to():
    forward = shown(Order(scan_count=7, seed=3), range(40))
    assert [shown(Order(scan_count=7, seed=3), [position])[0] for position in reversed(range(40))] == forward[::-1]
    assert shown(Order(scan_count=7, seed=4), range(40)) != forward


def test_a_scan_gives_several_patches_in_a_row_if_that_is_asked_for():
    once, often = Order(5, seed=1), Order(5, seed=1, patches_per_scan=3)
    assert shown(often, range(15)) == [scan for scan in shown(once, range(5)) for _ in range(3)]


def test_the_rest_of_the_pass_stands_in_for_a_broken_scan():
    order = Order(scan_count=6, seed=2)
    order_of_pass = shown(order, range(6))
    assert list(order.candidates(4)) == order_of_pass[4:] + order_of_pass[:4]


def test_processes_see_together_what_one_would_see():
    alone = [list(Shard().positions(step, batch_size=6)) for step in range(3)]
    for step in range(3):
        parts = [set(Shard(rank, 3).positions(step, batch_size=2)) for rank in range(3)]
        assert sorted(set().union(*parts)) == alone[step]
        assert sum(map(len, parts)) == 6


def test_each_position_has_chance_of_its_own():
    order = Order(scan_count=2, seed=1)
    drawn = [float(torch.rand((), generator=order.generator(position))) for position in (0, 1, 0)]
    assert drawn[0] == drawn[2] != drawn[1]


def test_the_order_of_a_huge_folder_is_not_copied_for_each_sample():
    order = Order(scan_count=200_000, seed=1)
    assert len(list(islice(order.candidates(150_000), 3))) == 3


@pytest.mark.parametrize(("rank", "count"), [(2, 2), (-1, 2), (0, 0)])
def test_a_part_that_is_none_is_refused(rank, count):
    with pytest.raises(InputError, match=f"There is no part {rank} of {count}"):
        Shard(rank, count)
