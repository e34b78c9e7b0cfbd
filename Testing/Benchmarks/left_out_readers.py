"""How well a consensus of the others agrees with a reader who was left out, for each way of fusing.

Majority vote needs more than half of the votes, so of two raters it keeps what both drew; "half of the votes" lets ties
in, so of two it keeps what either drew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from MedSegAI.Logic.agreement.bootstrap import FEWEST_UNITS, Estimate
from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.consensus.unify import box_of_votes
from MedSegAI.Logic.evaluation.metrics import dice
from Testing.Benchmarks.rater_cases import RatedCase

MAJORITY, HALF, SIMPLE = "majority vote", "half of the votes", "SIMPLE"
SINGLE, ANY, ALL = "one other rater", "any other rater", "all other raters"
HALF_OF_VOTES = 0.499
"""As a threshold of majority vote: ties belong to the structure."""
REPLICATES, SEED = 2000, 0


@dataclass(frozen=True, eq=False)
class Scores:
    """Figures of cases, and how they are drawn again: by patient, since nodules of one patient are alike.

    Args:
        patients: The patient of each case.
        by_way: float64 (cases,) for each way of fusing.
    """

    patients: Sequence[str]
    by_way: dict[str, np.ndarray]

    def mean(self, way: str) -> Estimate:
        """The mean over cases with the ends of its 95% interval."""
        return mean_with_interval(self.by_way[way], self.patients)

    def gain(self, way: str, over: str) -> Estimate:
        """The mean paired difference with the ends of its 95% interval."""
        return mean_with_interval(self.by_way[way] - self.by_way[over], self.patients)

    def only(self, chosen: np.ndarray) -> Scores:
        patients = [patient for patient, is_chosen in zip(self.patients, chosen) if is_chosen]
        return Scores(patients, {way: values[chosen] for way, values in self.by_way.items()})


def mean_with_interval(values: np.ndarray, patients: Sequence[str]) -> Estimate:
    """The mean of the values that are numbers and its 95% interval from drawing patients with all their cases."""
    known = np.isfinite(values)
    if not known.any():
        return Estimate(None)
    names, of = np.unique(np.asarray(patients)[known], return_inverse=True)
    sums, counts = np.bincount(of, weights=values[known]), np.bincount(of)
    if len(names) < FEWEST_UNITS:
        return Estimate(float(values[known].mean()))
    drawn = np.random.default_rng(SEED).multinomial(len(names), np.full(len(names), 1 / len(names)), size=REPLICATES)
    low, high = np.percentile(drawn @ sums / (drawn @ counts), [2.5, 97.5])
    return Estimate(float(values[known].mean()), float(low), float(high))


def staple_at(margin_mm: float | None) -> str:
    return "STAPLE, whole grid" if margin_mm is None else f"STAPLE, {margin_mm:g} mm"


def fused_labels(ratings: Ratings, margins_mm: Iterable[float | None]) -> dict[str, np.ndarray]:
    """The label map (k, j, i) of every way of fusing."""
    voted = fuse(ratings, method=Method.MAJORITY)
    found = {MAJORITY: voted.labels, HALF: voted.at(HALF_OF_VOTES), SIMPLE: fuse(ratings, method=Method.SIMPLE).labels}
    for margin in margins_mm:
        found[staple_at(margin)] = fuse(ratings, settings=FuseSettings(margin_mm=margin)).labels
    return found


def without(ratings: Ratings, rater: int) -> Ratings:
    rest = tuple(one for number, one in enumerate(ratings.ratings) if number != rater)
    return Ratings(ratings.grid, ratings.table, rest)


def left_out_dice(
    ratings: Ratings, margins_mm: Sequence[float | None], values: Sequence[Sequence[int]]
) -> list[list[dict[str, float]]]:
    """Dice with each reader who was left out.

    Args:
        ratings: At least three readers.
        margins_mm: The margins of STAPLE.
        values: Structures, each as the label values that make it.

    Returns:
        For each structure and each reader left out: Dice by way of fusing.
    """
    result = [[] for _ in values]
    voted = box_of_votes(ratings, margin_mm=0).slices
    for number, left_out in enumerate(ratings.ratings):
        rest = without(ratings, number)
        fused = fused_labels(rest, margins_mm)
        for found, of in zip(result, values):
            truth = np.isin(left_out.labels[voted], of)
            others = [np.isin(one.labels[voted], of) for one in rest.ratings]
            scores = {way: dice(np.isin(labels[voted], of), truth) for way, labels in fused.items()}
            scores[SINGLE] = float(np.mean([dice(other, truth) for other in others]))
            scores[ANY] = dice(np.any(others, axis=0), truth)
            scores[ALL] = dice(np.all(others, axis=0), truth)
            found.append(scores)
    return result


def scores_of(cases: Sequence[RatedCase], margins_mm: Sequence[float]) -> Scores:
    """Mean Dice over the readers left out of each case."""
    found = [left_out_dice(case.ratings, margins_mm, [[1]])[0] for case in cases]
    ways = found[0][0]
    by_way = {way: np.array([np.mean([one[way] for one in of_case]) for of_case in found]) for way in ways}
    return Scores([case.patient for case in cases], by_way)


def scores_of_two(cases: Sequence[RatedCase]) -> Scores:
    """The same where only two of the others are fused: mean over every reader left out and every two of the others."""
    by_way: dict[str, list[float]] = {MAJORITY: [], HALF: [], SINGLE: []}
    for case in cases:
        masks = [one.labels > 0 for one in case.ratings.ratings]
        found: dict[str, list[float]] = {way: [] for way in by_way}
        for number, truth in enumerate(masks):
            for first, second in combinations(masks[:number] + masks[number + 1 :], 2):
                found[MAJORITY].append(dice(first & second, truth))
                found[HALF].append(dice(first | second, truth))
                found[SINGLE] += [dice(first, truth), dice(second, truth)]
        for way, values in found.items():
            by_way[way].append(float(np.mean(values)))
    return Scores([case.patient for case in cases], {way: np.array(values) for way, values in by_way.items()})
