"""What the readers of many nodules agree on, how STAPLE differs from majority vote, and what the margin changes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from MedSegAI.Logic.agreement.study import StudyAgreement, study_agreement
from MedSegAI.Logic.agreement.votes import collect_votes
from MedSegAI.Logic.consensus.consensus import Consensus
from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse
from MedSegAI.Logic.evaluation.metrics import dice
from Testing.Benchmarks.left_out_readers import (
    HALF_OF_VOTES,
    MAJORITY,
    SINGLE,
    Scores,
    mean_with_interval,
    scores_of,
    scores_of_two,
    staple_at,
)
from Testing.Benchmarks.rater_cases import RatedCase
from Testing.Benchmarks.study_tables import Table

MARGINS_MM = (0.0, 2.0, 5.0, 10.0)
CHOSEN_MM = 10.0


def nodule_tables(cases: Sequence[RatedCase], name: str) -> list[Table]:
    readers = np.array([len(case.ratings.raters) for case in cases])
    groups = {f"{count} readers": readers == count for count in sorted(set(readers.tolist()), reverse=True)}
    scores = scores_of(cases, MARGINS_MM)
    return [
        *_agreement_tables(cases, name),
        Table(
            f"{name}_margins",
            f"{name}: STAPLE of all readers against their majority vote, by the margin that is counted",
            [
                row
                for group, chosen in groups.items()
                for row in _margin_rows(group, [case for case, is_chosen in zip(cases, chosen) if is_chosen])
            ],
        ),
        Table(
            f"{name}_left_out",
            f"{name}: Dice with a reader who was left out",
            [row for group, chosen in groups.items() for row in _left_out_rows(group, scores.only(chosen))],
        ),
        Table(
            f"{name}_two_of_others",
            f"{name}: Dice with a reader who was left out, where only two of the others are fused",
            _left_out_rows("4 readers", scores_of_two([case for case in cases if len(case.ratings.raters) == 4])),
        ),
        Table(f"{name}_sizes", f"{name}: the same by size of the nodule", _size_rows(cases, scores, groups)),
        Table(
            f"{name}_cases", f"{name}: Dice with a reader who was left out, nodule by nodule", _case_rows(cases, scores)
        ),
    ]


def _agreement_tables(cases: Sequence[RatedCase], name: str) -> list[Table]:
    fused = (fuse(case.ratings, settings=FuseSettings(margin_mm=CHOSEN_MM)).labels for case in cases)
    votes = (
        collect_votes(case.ratings, consensus=labels, margin_mm=5.0) for case, labels in zip(cases, fused, strict=True)
    )
    found = study_agreement(votes, label=1)
    return [
        Table(
            f"{name}_pairs", f"{name}: agreement of pairs; the consensus is STAPLE of all readers", _pair_rows(found)
        ),
        Table(
            f"{name}_readers",
            f"{name}: each reader slot against the consensus, the reader's own vote included",
            [
                {
                    "reader": one.rater,
                    "nodules": one.cases,
                    "sensitivity": one.sensitivity,
                    "specificity": one.specificity,
                }
                for one in found.performance
            ],
        ),
    ]


def _pair_rows(found: StudyAgreement) -> list[dict]:
    rows = [
        {"pair": f"{pair.first} and {pair.second}", "nodules": pair.cases, "Dice": pair.dice, "kappa": pair.kappa}
        for pair in found.pairs
    ]
    together = {"nodules": found.cases, "Dice": None}
    return [
        *rows,
        {"pair": "all pairs of readers", "nodules": found.cases, "Dice": found.dice, "kappa": None},
        {"pair": "Fleiss' kappa (nodules of all slots)", **together, "kappa": found.fleiss},
        {"pair": "Krippendorff's alpha", **together, "kappa": found.alpha},
    ]


def _margin_rows(group: str, cases: Sequence[RatedCase]) -> list[dict]:
    patients = [case.patient for case in cases]
    votes = [fuse(case.ratings, method=Method.MAJORITY) for case in cases]
    voted, half = _labels(votes), [one.at(HALF_OF_VOTES) for one in votes]
    by_margin = {
        margin: [fuse(case.ratings, settings=FuseSettings(margin_mm=margin)) for case in cases] for margin in MARGINS_MM
    }
    chosen = by_margin[CHOSEN_MM]
    return [
        {
            "group": group,
            "nodules": len(cases),
            "margin mm": f"{margin:g}",
            "prior": _mean(patients, [one.record.prior["nodule"] for one in fused]),
            "sensitivity": _mean(patients, [_mean_rate(one, "sensitivity") for one in fused]),
            "specificity": _mean(patients, [_mean_rate(one, "specificity") for one in fused]),
            "Dice with majority": _mean(patients, list(map(dice, _labels(fused), voted))),
            "Dice with half of the votes": _mean(patients, list(map(dice, _labels(fused), half))),
            "volume more than majority %": _mean(patients, list(map(more_percent, _labels(fused), voted))),
            "same as majority %": 100 * float(np.mean(list(map(np.array_equal, _labels(fused), voted)))),
            f"same as at {CHOSEN_MM:g} mm %": 100
            * float(np.mean(list(map(np.array_equal, _labels(fused), _labels(chosen))))),
            "not converged": sum(not one.record.converged for one in fused),
        }
        for margin, fused in by_margin.items()
    ]


def _left_out_rows(group: str, scores: Scores) -> list[dict]:
    return [
        {
            "group": group,
            "nodules": len(scores.patients),
            "fused from the others": way,
            "Dice": scores.mean(way),
            "more than majority vote": None if way == MAJORITY else scores.gain(way, MAJORITY),
            "more than one other rater": None if way == SINGLE else scores.gain(way, SINGLE),
        }
        for way in scores.by_way
    ]


def _size_rows(cases: Sequence[RatedCase], scores: Scores, groups: dict[str, np.ndarray]) -> list[dict]:
    """Thirds of the nodules by the mean volume that the readers drew."""
    volumes = np.array([_mean_volume_ml(case) for case in cases])
    edges = np.quantile(volumes, [0, 1 / 3, 2 / 3, 1])
    edges[0] = 0.0
    rows = []
    for group, chosen in groups.items():
        for low, high in pairwise(edges):
            part = scores.only(chosen & (volumes > low) & (volumes <= high))
            if not part.patients:
                continue
            rows.append(
                {
                    "group": group,
                    "volume mL": f"{low:.3f} to {high:.3f}",
                    "nodules": len(part.patients),
                    "Dice of one other": part.mean(SINGLE),
                    "Dice of majority": part.mean(MAJORITY),
                    "majority more than one other": part.gain(MAJORITY, SINGLE),
                    "STAPLE more than majority": part.gain(staple_at(CHOSEN_MM), MAJORITY),
                }
            )
    return rows


def _case_rows(cases: Sequence[RatedCase], scores: Scores) -> list[dict]:
    return [
        {"nodule": case.name, "readers": len(case.ratings.raters), "volume mL": _mean_volume_ml(case)}
        | {way: float(values[number]) for way, values in scores.by_way.items()}
        for number, case in enumerate(cases)
    ]


def _mean(patients: Sequence[str], values: Sequence[float | None]):
    return mean_with_interval(np.array(values, dtype=float), patients)


def _labels(fused: Sequence[Consensus]) -> list[np.ndarray]:
    return [one.labels for one in fused]


def _mean_rate(fused: Consensus, rate: str) -> float:
    rates = [getattr(one, rate)(1) for one in fused.performances]
    return float(np.mean([np.nan if value is None else value for value in rates]))


def more_percent(labels: np.ndarray, voted: np.ndarray) -> float:
    """The difference of the volumes in per cent of the mean of both."""
    mine, theirs = np.count_nonzero(labels), np.count_nonzero(voted)
    return 200 * (mine - theirs) / (mine + theirs) if mine + theirs else 0.0


def _mean_volume_ml(case: RatedCase) -> float:
    return (
        float(np.mean([np.count_nonzero(one.labels) for one in case.ratings.ratings]))
        * case.ratings.grid.voxel_volume_ml
    )
