"""Measure the agreement of the raters of one case: pairs, each against the consensus, all together, and where not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from MedSegAI.Logic.agreement import vote_measures
from MedSegAI.Logic.agreement.bootstrap import Estimate, UnitCounts, count_in_blocks
from MedSegAI.Logic.agreement.places import disagreement_places
from MedSegAI.Logic.agreement.results import (
    AgreementSettings,
    CaseAgreement,
    LabelAgreement,
    OverallAgreement,
    PairAgreement,
    PairKappa,
    RaterPerformance,
)
from MedSegAI.Logic.agreement.sentences import case_sentences, label_sentences
from MedSegAI.Logic.agreement.vote_measures import Measure
from MedSegAI.Logic.agreement.votes import CONSENSUS, Votes, collect_votes
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.surface_dice import surface_between_voxels, surface_dice_between
from MedSegAI.Logic.evaluation.surfaces import Surface, hd95_between, surface_voxels
from MedSegAI.Logic.geometry import Box
from MedSegAI.Logic.labels import Label
from MedSegAI.Logic.reporter import Reporter, SilentReporter, raise_if_cancelled

RaterEstimates = Mapping[tuple[str, int], tuple[float, float]]
"""What a fusion estimated of each rater: (rater, label value) to (sensitivity, specificity)."""


def measure_agreement(
    ratings: Ratings,
    *,
    case: str = "case",
    consensus: np.ndarray | None = None,
    entropy: np.ndarray | None = None,
    estimates: RaterEstimates | None = None,
    settings: AgreementSettings | None = None,
    reporter: Reporter | None = None,
) -> CaseAgreement:
    """All measures of agreement of one case.

    Args:
        ratings: The raters' segmentations.
        case: What the case is called in messages and reports.
        consensus: uint8 (k, j, i) on the grid of the ratings.
        entropy: Uncertainty of the consensus in bits, (k, j, i); orders the places of disagreement.
        estimates: What the fusion itself estimated of the raters.
        settings: How to measure.
        reporter: Told after each label, and asked whether to stop.

    Raises:
        InputError: if the consensus or the entropy lies on another grid.
        LabelError: if a label map holds a value that the table lacks.
        Cancelled: if the reporter says so.
    """
    if entropy is not None and entropy.shape != ratings.grid.shape:
        raise InputError(
            f"The uncertainty has the shape {entropy.shape}, the ratings have {ratings.grid.shape}.",
            advice="Take it from the fusion of these ratings.",
        )
    settings, reporter = settings or AgreementSettings(), reporter or SilentReporter()
    votes = collect_votes(ratings, consensus=consensus, margin_mm=settings.margin_mm)
    together = _looked_together(ratings, consensus is not None)
    labels = []
    for number, label in enumerate(ratings.table):
        raise_if_cancelled(reporter)
        labels.append(_measure_label(votes, label, settings, together, estimates or {}))
        reporter.progress(number + 1, len(ratings.table), "measuring agreement")
    result = CaseAgreement(
        case=case,
        raters=ratings.raters,
        table=ratings.table,
        has_consensus=votes.has_consensus,
        settings=settings,
        labels=tuple(labels),
        overall=_measure_overall(votes, settings),
        places=disagreement_places(votes, entropy=entropy, most=settings.most_places),
        sentences=(),
    )
    return replace(result, sentences=case_sentences(result))


def _measure_label(
    votes: Votes, label: Label, settings: AgreementSettings, together: np.ndarray, estimates: RaterEstimates
) -> LabelAgreement:
    box = votes.box_of(label.value, margin_mm=settings.margin_mm)
    counts = count_in_blocks(votes, box, settings.resampling).about(label.value)
    outlines = _Outlines(votes, box, label.value)
    raters = range(len(votes.raters))

    def pair(first: int, second: int) -> PairAgreement:
        return _measure_pair(votes, counts, outlines, (first, second), settings, bool(together[first, second]))

    result = LabelAgreement(
        label=label,
        region=box.shift(votes.box.start),
        pairs=tuple(pair(first, second) for first, second in combinations(raters, 2)),
        with_consensus=tuple(pair(rater, len(raters)) for rater in raters) if votes.has_consensus else (),
        raters=tuple(_measure_rater(votes, counts, rater, label.value, estimates) for rater in raters),
        fleiss=_among_raters(counts, vote_measures.fleiss_kappa, len(raters)),
        alpha=_among_raters(counts, vote_measures.krippendorffs_alpha, len(raters)),
    )
    return replace(result, sentences=label_sentences(result, level=settings.resampling.level))


def _measure_overall(votes: Votes, settings: AgreementSettings) -> OverallAgreement:
    box = votes.box_of(None, margin_mm=settings.margin_mm)
    counts = count_in_blocks(votes, box, settings.resampling)
    names = votes.raters
    return OverallAgreement(
        region=box.shift(votes.box.start),
        pairs=tuple(
            PairKappa(names[a], names[b], counts.estimate(vote_measures.cohens_kappa(votes.patterns, a, b)))
            for a, b in combinations(range(len(names)), 2)
        ),
        fleiss=_among_raters(counts, vote_measures.fleiss_kappa, len(names)),
        alpha=_among_raters(counts, vote_measures.krippendorffs_alpha, len(names)),
    )


def _among_raters(counts: UnitCounts, measure: Callable[[np.ndarray], Measure], raters: int) -> Estimate:
    """A measure of all raters; the consensus, which may be the last column, is none."""
    return counts.estimate(measure(counts.patterns[:, :raters]))


def _measure_pair(
    votes: Votes,
    counts: UnitCounts,
    outlines: _Outlines,
    pair: tuple[int, int],
    settings: AgreementSettings,
    looked_together: bool,
) -> PairAgreement:
    names = [(*votes.raters, CONSENSUS)[column] for column in pair]
    if not looked_together:
        return PairAgreement(*names, Estimate(None), None, None, None, None, Estimate(None))
    patterns = counts.patterns
    both = (patterns[:, pair] >= 0).all(axis=1)
    volumes = [counts.total[both & (patterns[:, n] == 1)].sum() * votes.grid.voxel_volume_ml for n in pair]
    hd95_mm, surface_dice = outlines.compare(*pair, tolerance_mm=settings.tolerance_mm)
    difference = float(volumes[0] - volumes[1])
    return PairAgreement(
        *names,
        dice=counts.estimate(vote_measures.overlap(patterns, *pair, label=1)),
        hd95_mm=hd95_mm,
        surface_dice=surface_dice,
        difference_ml=difference,
        difference_percent=100 * difference / float(np.mean(volumes)) if any(volumes) else 0.0,
        kappa=counts.estimate(vote_measures.cohens_kappa(patterns, *pair)),
    )


def _measure_rater(
    votes: Votes, counts: UnitCounts, rater: int, label: int, estimates: RaterEstimates
) -> RaterPerformance:
    name, said = votes.raters[rater], counts.patterns[:, rater]
    volume = float(counts.total[said == 1].sum()) * votes.grid.voxel_volume_ml
    sensitivity = specificity = Estimate(None)
    if votes.has_consensus:
        true, looked = counts.patterns[:, -1] == 1, said >= 0
        sensitivity = counts.estimate(vote_measures.share_of(true & looked, said == 1))
        specificity = counts.estimate(vote_measures.share_of(~true & looked, said == 0))
    return RaterPerformance(name, volume, sensitivity, specificity, *estimates.get((name, label), (None, None)))


def _looked_together(ratings: Ratings, has_consensus: bool) -> np.ndarray:
    """Whether two columns (raters, then the consensus) were seen together in any voxel of the grid: bool (n, n)."""
    looked = [rating.looked_at for rating in ratings.ratings] + [None] * has_consensus
    together = np.ones((len(looked), len(looked)), bool)
    for first, second in combinations(range(len(looked)), 2):
        seen = [mask for mask in (looked[first], looked[second]) if mask is not None]
        together[first, second] = together[second, first] = not seen or bool(np.any(seen[0] & seen[-1]))
    return together


@dataclass(frozen=True, eq=False)
class _Outlines:
    """The surfaces of one label's masks; each is made once, though it is compared with every other."""

    votes: Votes
    box: Box
    label: int
    _made: dict[bytes, tuple[Surface, Surface]] = field(default_factory=dict)

    def compare(self, first: int, second: int, *, tolerance_mm: float) -> tuple[float | None, float]:
        """HD95 in mm and surface Dice of two columns over the voxels that both looked at."""
        patterns = self.votes.patterns
        both = (patterns[:, first] >= 0) & (patterns[:, second] >= 0)
        one, other = (self._of(both & (patterns[:, column] == self.label)) for column in (first, second))
        neither = one[0].is_empty and other[0].is_empty
        hd95_mm = 0.0 if neither else hd95_between(one[0], other[0])
        return hd95_mm, surface_dice_between(one[1], other[1], tolerance_mm=tolerance_mm)

    def _of(self, has_label: np.ndarray) -> tuple[Surface, Surface]:
        key = has_label.tobytes()
        if key not in self._made:
            mask = has_label[self.votes.codes[self.box.slices]]
            spacing = self.votes.grid.spacing_kji
            made = surface_voxels(mask, spacing_kji=spacing), surface_between_voxels(mask, spacing_kji=spacing)
            self._made[key] = made
        return self._made[key]
