from __future__ import annotations

import numpy as np
import pytest
import torch

from MedSegAI.Logic.training.nodules.config import ReferenceKind
from MedSegAI.Logic.training.nodules.reference import consensus_of, reference_of
from Testing.Logic.training.nodules.conftest import ball, nodule_case


def test_the_consensus_of_three_is_what_two_of_them_drew() -> None:
    case = nodule_case(radii=(5.0, 6.0, 7.0))
    assert np.array_equal(consensus_of(case.readers), case.readers[1])


@pytest.mark.parametrize("kind", [ReferenceKind.STAPLE, ReferenceKind.MAJORITY])
def test_both_ways_of_fusing_three_readers_give_what_two_drew(kind: ReferenceKind) -> None:
    case = nodule_case()
    assert np.array_equal(reference_of(case, kind), case.readers[1])


def test_one_reader_is_always_the_first() -> None:
    case = nodule_case()
    assert np.array_equal(reference_of(case, ReferenceKind.ONE_READER), case.readers[0])


def test_a_random_reader_is_each_of_them_now_and_then() -> None:
    case = nodule_case()
    generator = torch.Generator().manual_seed(0)
    drawn = [reference_of(case, ReferenceKind.RANDOM_READER, generator=generator).sum() for _ in range(30)]
    assert set(drawn) == {float(reader.sum()) for reader in case.readers}


def test_a_soft_label_is_the_share_of_the_readers_who_drew_the_voxel() -> None:
    case = nodule_case(radii=(5.0, 6.0, 7.0, 8.0))
    soft = reference_of(case, ReferenceKind.SOFT)
    assert soft[20, 20, 20] == 1.0
    assert soft[20, 20, 27] == pytest.approx(0.5)
    assert soft[0, 0, 0] == 0.0


def test_staple_and_majority_part_where_two_of_four_drew() -> None:
    case = nodule_case(radii=(5.0, 5.0, 8.0, 8.0))
    assert np.array_equal(reference_of(case, ReferenceKind.STAPLE), ball(case.hu.shape, (20, 20, 20), 8.0))
    assert np.array_equal(reference_of(case, ReferenceKind.MAJORITY), ball(case.hu.shape, (20, 20, 20), 5.0))
