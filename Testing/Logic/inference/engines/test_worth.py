"""When ``auto`` looks for a faster engine at all."""

from __future__ import annotations

import dataclasses

from MedSegAI.Logic.inference.engines.worth import feature_size, is_enough_work, usual_windows
from MedSegAI.Logic.models.registry import find_model

HIPPOCAMPUS = find_model("hippocampus-mr").card
NODULE = find_model("lung-nodule-ct").card


def test_one_scan_of_a_shipped_model_is_too_little():
    assert not is_enough_work(HIPPOCAMPUS)
    assert not is_enough_work(NODULE)


def test_a_whole_volume_is_enough_and_a_few_of_its_windows_are_not():
    whole = dataclasses.replace(HIPPOCAMPUS, localiser=None, window=(96, 96, 96))
    assert is_enough_work(whole)
    assert not is_enough_work(whole, windows=2)
    assert is_enough_work(whole, windows=20)


def test_windows_that_are_known_count_and_not_the_usual_ones():
    assert is_enough_work(HIPPOCAMPUS, windows=1000)


def test_a_wider_network_works_more_for_the_same_windows():
    wide = dataclasses.replace(HIPPOCAMPUS, network_arguments=HIPPOCAMPUS.network_arguments | {"feature_size": 48})
    assert is_enough_work(wide, windows=20)
    assert not is_enough_work(HIPPOCAMPUS, windows=20)


def test_usual_windows_come_from_the_point_the_localiser_or_a_head_sized_scan():
    assert usual_windows(NODULE) == 1
    both_sides = usual_windows(HIPPOCAMPUS)
    assert both_sides % 2 == 0 and 2 <= both_sides <= 16
    # 256 mm in windows of 64 that overlap by half: 7 along each axis.
    whole = dataclasses.replace(HIPPOCAMPUS, localiser=None, window=(64, 64, 64), overlap=0.5)
    assert usual_windows(whole) == 7**3


def test_the_feature_size_of_a_network_inside_another_is_found():
    assert feature_size(NODULE.network_arguments) == 12
    assert feature_size({}) == 24
