"""Agreement over many cases. Cases are independent of each other, so intervals come from drawing cases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from MedSegAI.Logic.agreement import vote_measures
from MedSegAI.Logic.agreement.bootstrap import FEWEST_UNITS, Estimate, Resampling, UnitCounts, interval_of
from MedSegAI.Logic.agreement.results import AgreementSettings
from MedSegAI.Logic.agreement.votes import CONSENSUS, NOT_LOOKED, Votes


@dataclass(frozen=True)
class StudyPair:
    """Two raters, or a rater and the consensus, over the cases that have both.

    Args:
        first: Name of a rater.
        second: Name of the other, or "consensus".
        cases: How many cases have both.
        dice: Mean Dice of those cases, each case counting the same.
        kappa: Cohen's kappa over the voxels of all cases together, so that a large structure counts more.
    """

    first: str
    second: str
    cases: int
    dice: Estimate
    kappa: Estimate


@dataclass(frozen=True)
class StudyRater:
    """A rater's sensitivity and specificity against the consensus, over the voxels of all cases together."""

    rater: str
    cases: int
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True)
class StudyAgreement:
    """Agreement on one label over many cases.

    Args:
        cases: How many cases.
        raters: All raters that occur.
        pairs: Every two raters that have a case in common, then every rater with the consensus where there is one.
        performance: Every rater against the consensus.
        fleiss: Fleiss' kappa over the voxels of all cases that all raters of the study looked at.
        alpha: Krippendorff's alpha over the voxels of all cases that at least two raters looked at.
        dice: Mean over cases of the mean Dice over each case's pairs of raters.
    """

    cases: int
    raters: tuple[str, ...]
    pairs: tuple[StudyPair, ...]
    performance: tuple[StudyRater, ...]
    fleiss: Estimate
    alpha: Estimate
    dice: Estimate


def study_agreement(cases: Iterable[Votes], *, label: int, settings: AgreementSettings | None = None) -> StudyAgreement:
    """Agreement on one label over many cases, with intervals from drawing whole cases.

    A rater whom a case lacks has not looked at it. The consensus of a study counts only if every case has one.

    Args:
        cases: Of :func:`collect_votes` with the margin of the settings; may be a generator, each is held only once.
        label: The label value.
        settings: Margin and resampling; the rest is for single cases.
    """
    settings = settings or AgreementSettings()
    counted = [(votes.raters, votes.has_consensus, *_count(votes, label, settings.margin_mm)) for votes in cases]
    raters = tuple(dict.fromkeys(name for names, *_ in counted for name in names))
    with_consensus = bool(counted) and all(has for _, has, *_ in counted)
    columns = (*raters, CONSENSUS) if with_consensus else raters
    counts = _joined(counted, columns, with_consensus=with_consensus, resampling=settings.resampling)
    numbers = range(len(columns))
    met = {pair: _together(counts, pair) for pair in combinations(numbers, 2)}
    dices = {pair: _dice_a_case(counts, pair, met[pair]) for pair in met}
    return StudyAgreement(
        cases=len(counted),
        raters=raters,
        pairs=tuple(_study_pair(counts, columns, pair, dices[pair]) for pair in met if met[pair].any()),
        performance=tuple(_study_rater(counts, n, raters[n]) for n in range(len(raters)) if with_consensus),
        fleiss=counts.estimate(vote_measures.fleiss_kappa(counts.patterns[:, : len(raters)])),
        alpha=counts.estimate(vote_measures.krippendorffs_alpha(counts.patterns[:, : len(raters)])),
        dice=_mean(_mean_of_pairs([d for pair, d in dices.items() if pair[1] < len(raters)]), settings.resampling),
    )


def _count(votes: Votes, label: int, margin_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Patterns of one case for one label (1 or 0), and how often each occurs in the label's region."""
    codes = votes.codes[votes.box_of(label, margin_mm=margin_mm).slices]
    said = np.where(votes.patterns < 0, NOT_LOOKED, votes.patterns == label)
    times = np.bincount(codes.ravel(), minlength=len(said))
    return said, times


def _joined(
    counted: Sequence[tuple[tuple[str, ...], bool, np.ndarray, np.ndarray]],
    columns: tuple[str, ...],
    *,
    with_consensus: bool,
    resampling: Resampling,
) -> UnitCounts:
    """One table of all cases: a row a case, a column a pattern of all raters of the study (and the consensus)."""
    from scipy.sparse import csr_matrix

    rows = []
    for names, has_consensus, said, _ in counted:
        row = np.full((len(said), len(columns)), NOT_LOOKED)
        row[:, [columns.index(name) for name in names]] = said[:, : len(names)]
        if has_consensus and with_consensus:
            row[:, -1] = said[:, -1]
        rows.append(row)
    stacked = np.vstack(rows) if rows else np.zeros((0, len(columns)), int)
    patterns, place = np.unique(stacked, axis=0, return_inverse=True)
    case = np.repeat(np.arange(len(counted)), [len(row) for row in rows])
    times = np.concatenate([times for *_, times in counted]) if counted else []
    table = csr_matrix((times, (case, place.ravel())), shape=(len(counted), len(patterns)))
    return UnitCounts(patterns, table, resampling)


def _together(counts: UnitCounts, pair: tuple[int, int]) -> np.ndarray:
    """In which cases two columns were seen together: bool (cases,)."""
    both = (counts.patterns[:, pair] >= 0).all(axis=1)
    return counts.counts @ both.astype(float) > 0


def _dice_a_case(counts: UnitCounts, pair: tuple[int, int], met: np.ndarray) -> np.ndarray:
    """Dice of two columns in each case; not a number where they did not meet."""
    measure = vote_measures.overlap(counts.patterns, *pair, label=1)
    return np.where(met, measure.finish(counts.counts @ measure.features), np.nan)


def _study_pair(counts: UnitCounts, columns: tuple[str, ...], pair: tuple[int, int], dices: np.ndarray) -> StudyPair:
    kappa = counts.estimate(vote_measures.cohens_kappa(counts.patterns, *pair))
    names = (columns[pair[0]], columns[pair[1]])
    return StudyPair(*names, int(np.isfinite(dices).sum()), _mean(dices, counts.resampling), kappa)


def _study_rater(counts: UnitCounts, rater: int, name: str) -> StudyRater:
    said, true = counts.patterns[:, rater], counts.patterns[:, -1] == 1
    looked = said >= 0
    return StudyRater(
        name,
        int(_together(counts, (rater, -1)).sum()),
        counts.estimate(vote_measures.share_of(true & looked, said == 1)),
        counts.estimate(vote_measures.share_of(~true & looked, said == 0)),
    )


def _mean_of_pairs(dices: list[np.ndarray]) -> np.ndarray:
    """Mean over the pairs of each case; not a number where a case has none."""
    table = np.array(dices)
    if not table.size:
        return np.zeros(0)
    defined = np.isfinite(table).sum(0)
    return np.divide(np.nansum(table, axis=0), defined, out=np.full(len(defined), np.nan), where=defined > 0)


def _mean(values: np.ndarray, resampling: Resampling) -> Estimate:
    """Mean of the values that are numbers, with the interval from drawing them again."""
    values = values[np.isfinite(values)]
    if not len(values):
        return Estimate(None)
    if len(values) < FEWEST_UNITS or not resampling.replicates:
        return Estimate(float(values.mean()))
    drawn = np.random.default_rng(resampling.seed).choice(values, size=(resampling.replicates, len(values)))
    return Estimate(float(values.mean()), *interval_of(drawn.mean(1), level=resampling.level))
