"""What five algorithms agree on in two brain tumours. Two patients allow no interval over patients: those of agreement
come from blocks of each scan, and say nothing about other patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from MedSegAI.Logic.agreement.measure import measure_agreement
from MedSegAI.Logic.agreement.results import LabelAgreement
from MedSegAI.Logic.consensus.fuse import FuseSettings, Method, fuse
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.consensus.unify import box_of_votes, cropped
from MedSegAI.Logic.evaluation.metrics import dice
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.labels import Label, LabelTable
from Testing.Benchmarks.left_out_readers import HALF_OF_VOTES, left_out_dice
from Testing.Benchmarks.nodule_tables import more_percent
from Testing.Benchmarks.rater_cases import WIDEST_MARGIN_MM, RatedCase
from Testing.Benchmarks.study_tables import Table

MARGINS_MM = (0.0, 2.0, 5.0, 10.0, None)
STRUCTURES = {
    "necrosis": (1,),
    "oedema": (2,),
    "enhancing": (4,),
    "core": (1, 4),
    "whole tumour": (1, 2, 4),
}
PUBLISHED = {"mav": Method.MAJORITY, "simple": Method.SIMPLE}


def tumour_tables(cases: Sequence[RatedCase], folder: Path) -> list[Table]:
    agreements = {
        (case.name, structure): _agreement(case.ratings, structure) for case in cases for structure in STRUCTURES
    }
    tables = [
        Table("tumours_agreement", "Brain tumours: agreement of five algorithms", _agreement_rows(agreements)),
        Table("tumours_pairs", "Brain tumours: pairs of algorithms on the whole tumour", _pair_rows(agreements)),
        Table(
            "tumours_margins",
            "Brain tumours: STAPLE of all five against their majority vote, by the margin that is counted",
            [row for case in cases for row in _margin_rows(case)],
        ),
        Table(
            "tumours_left_out",
            "Brain tumours: Dice with an algorithm that was left out, mean over the five",
            [row for case in cases for row in _left_out_rows(case)],
        ),
    ]
    published = [row for case in cases for row in _published_rows(case, folder)]
    if published:
        tables.append(Table("tumours_published", "Brain tumours: published fusions of the same masks", published))
    return tables


def only(ratings: Ratings, structure: str) -> Ratings:
    """One structure against everything else, near its votes."""
    near = cropped(ratings, box_of_votes(ratings, margin_mm=WIDEST_MARGIN_MM))
    masks = (Rating(one.rater, np.isin(one.labels, STRUCTURES[structure]).astype(np.uint8)) for one in near.ratings)
    return Ratings(near.grid, LabelTable((Label(1, "structure", structure, (1.0, 0.0, 0.0)),)), tuple(masks))


def _agreement(ratings: Ratings, structure: str) -> LabelAgreement:
    return measure_agreement(only(ratings, structure)).labels[0]


def _agreement_rows(agreements: dict[tuple[str, str], LabelAgreement]) -> list[dict]:
    return [
        {
            "case": case,
            "structure": structure,
            "smallest mL": min(rater.volume_ml for rater in found.raters),
            "largest mL": max(rater.volume_ml for rater in found.raters),
            "mean Dice of pairs": float(np.mean([pair.dice.value for pair in found.pairs])),
            "Fleiss' kappa": found.fleiss,
            "Krippendorff's alpha": found.alpha,
        }
        for (case, structure), found in agreements.items()
    ]


def _pair_rows(agreements: dict[tuple[str, str], LabelAgreement]) -> list[dict]:
    return [
        {"case": case, "pair": f"{pair.first} and {pair.second}", "Dice": pair.dice, "kappa": pair.kappa}
        for (case, structure), found in agreements.items()
        if structure == "whole tumour"
        for pair in found.pairs
    ]


def _margin_rows(case: RatedCase) -> Iterator[dict]:
    voted = fuse(case.ratings, method=Method.MAJORITY).labels
    inside = box_of_votes(case.ratings, margin_mm=0).slices
    fused = {margin: fuse(case.ratings, settings=FuseSettings(margin_mm=margin)) for margin in MARGINS_MM}
    tight = fused[MARGINS_MM[0]].labels
    for structure, values in STRUCTURES.items():
        theirs, first = (np.isin(labels[inside], values) for labels in (voted, tight))
        for margin, one in fused.items():
            ours = np.isin(one.labels[inside], values)
            yield {
                "case": case.name,
                "structure": structure,
                "margin mm": "whole grid" if margin is None else f"{margin:g}",
                "prior": sum(one.record.prior[label.key] for label in one.table if label.value in values),
                "Dice with majority": dice(ours, theirs),
                "volume more than majority %": more_percent(ours, theirs),
                "Dice with 0 mm": dice(ours, first),
            }


def _left_out_rows(case: RatedCase) -> Iterator[dict]:
    found = left_out_dice(case.ratings, MARGINS_MM, list(STRUCTURES.values()))
    for structure, scores in zip(STRUCTURES, found):
        yield {"case": case.name, "structure": structure} | {
            way: float(np.mean([one[way] for one in scores])) for way in scores[0]
        }


def _published_rows(case: RatedCase, folder: Path) -> Iterator[dict]:
    """Dice of our fusions with those that came with the masks."""
    for name, method in PUBLISHED.items():
        path = folder / case.name / "fusion" / f"{name}.nii.gz"
        if path.is_file():
            theirs, ours = read_segmentation(path).labels.array, fuse(case.ratings, method=method)
            ties = ours.at(HALF_OF_VOTES)
            for structure, values in STRUCTURES.items():
                of_theirs = np.isin(theirs, values)
                yield {
                    "case": case.name,
                    "published": name,
                    "structure": structure,
                    "Dice": dice(np.isin(ours.labels, values), of_theirs),
                    "Dice with ties let in": dice(np.isin(ties, values), of_theirs),
                }
