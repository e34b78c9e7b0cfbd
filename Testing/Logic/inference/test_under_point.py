"""Of several pieces the one that was pointed at."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.inference.under_point import under_point

MM = (1.0, 1.0, 1.0)


def two_pieces() -> np.ndarray:
    labels = np.zeros((20, 30, 30), dtype=np.uint8)
    labels[8:12, 4:10, 4:10] = 1
    labels[9:11, 4:6, 10:12] = 2
    labels[8:12, 20:28, 20:28] = 1
    return labels


def test_the_piece_under_the_point_stays_with_all_its_labels():
    kept = under_point(two_pieces(), (10.0, 6.0, 6.0), spacing_kji=MM)
    assert kept[:, :15].sum() == two_pieces()[:, :15].sum()
    assert not kept[:, 15:].any()


def test_a_point_beside_it_takes_the_nearest_piece():
    kept = under_point(two_pieces(), (9.5, 19.0, 16.5), spacing_kji=MM)
    assert kept[10, 22, 22] == 1 and not kept[:, :15].any()


def test_near_is_meant_in_millimetres():
    labels = np.zeros((21, 21, 21), dtype=np.uint8)
    labels[16, 10, 10] = labels[10, 10, 2] = 1
    near_in_k = under_point(labels, (10.0, 10.0, 10.0), spacing_kji=MM)
    assert near_in_k[16, 10, 10] == 1 and near_in_k.sum() == 1
    near_in_i = under_point(labels, (10.0, 10.0, 10.0), spacing_kji=(3.0, 1.0, 1.0))
    assert near_in_i[10, 10, 2] == 1 and near_in_i.sum() == 1


def test_what_lies_farther_than_the_limit_is_not_meant():
    labels = np.zeros((5, 5, 30), dtype=np.uint8)
    labels[2, 2, 12] = 1
    assert under_point(labels, (2.0, 2.0, 2.0), spacing_kji=MM).any()
    assert not under_point(labels, (2.0, 2.0, 1.9), spacing_kji=MM).any()


def test_nothing_found_is_nothing_kept():
    assert not under_point(np.zeros((4, 4, 4), dtype=np.uint8), (1.0, 1.0, 1.0), spacing_kji=MM).any()
