"""Kappa and alpha have the values that the papers themselves work out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from MedSegAI.Logic.agreement.vote_measures import cohens_kappa, fleiss_kappa, krippendorffs_alpha, overlap, share_of

# Fleiss 1971, table 1: 30 patients, 6 psychiatrists, 5 diagnoses; how many gave each diagnosis.
FLEISS_1971 = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
                 00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""
# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability": data of sections A, B and C.
KRIPPENDORFF_A = ["0100000010", "1110010000"]
KRIPPENDORFF_B = ["aabbdcccedda", "babbbccceddd"]
KRIPPENDORFF_C = ["123321412...", "1233224125.3", ".333234225 1.".replace(" ", ""), "1233244125 1.".replace(" ", "")]
# Often cited, from the same author's data of three coders and fifteen units.
THREE_CODERS = ["*****34121133*3", "1*213343*******", "**21344*21133*4"]


def ratings(lines: list[str]) -> np.ndarray:
    """(units, raters) of one line of symbols a rater; a dot or star is missing."""
    return np.array([[-1 if symbol in ".*" else ord(symbol) for symbol in line] for line in lines]).T


def once_each(patterns: np.ndarray) -> np.ndarray:
    return np.ones(len(patterns), int)


@pytest.fixture
def psychiatrists() -> np.ndarray:
    """(patients, 6): who of the six gave which diagnosis plays no part, so they are put in order."""
    rows = FLEISS_1971.split()
    assert [sum(int(row[k]) for row in rows) for k in range(5)] == [26, 26, 30, 55, 43]
    return np.array([np.repeat(np.arange(5), [int(n) for n in row]) for row in rows])


def test_fleiss_kappa_of_fleiss_own_patients_is_0_430(psychiatrists):
    assert fleiss_kappa(psychiatrists).of(once_each(psychiatrists)) == pytest.approx(0.430, abs=5e-4)


@pytest.mark.parametrize(
    ("lines", "alpha"),
    [(KRIPPENDORFF_A, 0.095), (KRIPPENDORFF_B, 0.692), (KRIPPENDORFF_C, 0.743), (THREE_CODERS, 0.691)],
    ids=["binary", "nominal", "four observers, missing values", "three coders, missing values"],
)
def test_krippendorffs_alpha_of_his_own_examples(lines, alpha):
    units = ratings(lines)
    assert krippendorffs_alpha(units).of(once_each(units)) == pytest.approx(alpha, abs=5e-4)


def test_cohens_kappa_of_a_table_of_fifty_grant_proposals_is_0_4():
    """Yes-yes 20, yes-no 5, no-yes 10, no-no 15: observed 0.7, by chance 0.5."""
    patterns = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])
    assert cohens_kappa(patterns, 0, 1).of([20, 5, 10, 15]) == pytest.approx(0.4)


def test_cohens_kappa_is_that_of_scikit_learn_whatever_the_categories():
    random = np.random.default_rng(5)
    one = random.integers(0, 5, 2000)
    other = np.where(random.random(2000) < 0.6, one, random.integers(0, 6, 2000))
    patterns, counts = np.unique(np.column_stack([one, other]), axis=0, return_counts=True)
    assert cohens_kappa(patterns, 0, 1).of(counts) == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)


def test_counts_of_patterns_say_the_same_as_every_voxel_by_itself():
    random = np.random.default_rng(6)
    voxels = random.integers(-1, 3, (500, 4))
    patterns, counts = np.unique(voxels, axis=0, return_counts=True)
    for measure in (lambda p: cohens_kappa(p, 1, 3), fleiss_kappa, krippendorffs_alpha):
        assert measure(patterns).of(counts) == pytest.approx(measure(voxels).of(once_each(voxels)), abs=1e-12)


def test_two_raters_who_saw_all_have_an_alpha_close_to_fleiss_kappa_for_many_voxels():
    """Alpha differs from Fleiss' kappa only by its correction for small samples."""
    patterns, counts = np.array([[1, 1], [1, 0], [0, 0]]), np.array([400_000, 70_000, 900_000])
    alpha, kappa = krippendorffs_alpha(patterns).of(counts), fleiss_kappa(patterns).of(counts)
    assert alpha == pytest.approx(kappa, abs=1e-6)
    assert alpha > kappa


def test_voxels_that_a_rater_did_not_look_at_do_not_count():
    patterns = np.array([[1, 1, 1], [1, 0, 0], [0, 0, 0], [-1, 1, 1], [-1, -1, 1]])
    with_holes, without = np.array([10, 3, 20, 50, 70]), np.array([10, 3, 20, 0, 0])
    assert cohens_kappa(patterns, 0, 1).of(with_holes) == cohens_kappa(patterns, 0, 1).of(without)
    assert fleiss_kappa(patterns).of(with_holes) == fleiss_kappa(patterns).of(without)
    assert krippendorffs_alpha(patterns).of(with_holes) != krippendorffs_alpha(patterns).of(without)
    assert overlap(patterns, 0, 1, label=1).of(with_holes) == pytest.approx(20 / 23)
    alone = krippendorffs_alpha(patterns).of([10, 3, 20, 50, 0])
    assert krippendorffs_alpha(patterns).of(with_holes) == alone


@pytest.mark.parametrize(
    ("patterns", "why"),
    [([[0, 0]], "only background"), ([[1, 1]], "only the label"), ([[-1, 1], [0, -1]], "nothing seen by both")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_kappa_and_alpha_are_undefined_without_two_different_answers(patterns, why):
    patterns = np.array(patterns)
    counts = once_each(patterns)
    undefined = [cohens_kappa(patterns, 0, 1), fleiss_kappa(patterns), krippendorffs_alpha(patterns)]
    assert [measure.of(counts) for measure in undefined] == [None, None, None]


def test_one_rater_has_neither_kappa_nor_alpha():
    patterns = np.array([[0], [1]])
    assert fleiss_kappa(patterns).of([5, 5]) is None
    assert krippendorffs_alpha(patterns).of([5, 5]) is None


def test_no_voxel_at_all_leaves_everything_undefined_but_dice():
    nothing = np.zeros((0, 2), int)
    assert fleiss_kappa(nothing).of([]) is None
    assert krippendorffs_alpha(nothing).of([]) is None
    assert cohens_kappa(nothing, 0, 1).of([]) is None
    assert overlap(nothing, 0, 1, label=1).of([]) == 1


def test_full_agreement_is_1_and_opposite_answers_are_below_0():
    same, opposite = np.array([[0, 0], [1, 1]]), np.array([[0, 1], [1, 0]])
    for measure in (lambda p: cohens_kappa(p, 0, 1), fleiss_kappa, krippendorffs_alpha):
        assert measure(same).of([7, 3]) == pytest.approx(1)
        assert measure(opposite).of([5, 5]) < -0.8


def test_a_share_is_undefined_where_there_is_nothing_to_share():
    among, found = np.array([True, True, False]), np.array([True, False, True])
    assert share_of(among, found).of([6, 2, 9]) == pytest.approx(0.75)
    assert share_of(among, found).of([0, 0, 9]) is None
