"""The agreement of a case as one long table: a figure a row, so that any program can filter it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from MedSegAI.Logic.agreement.bootstrap import Estimate
from MedSegAI.Logic.agreement.results import CaseAgreement, LabelAgreement, PairAgreement, RaterPerformance

ALL_LABELS, ALL_RATERS = "(all labels)", "(all raters)"
_HEADER = ("case", "label", "first", "second", "measure", "unit", "value", "low", "high")
_UNITS = {
    "hd95_mm": "mm",
    "difference_ml": "mL",
    "difference_percent": "%",
    "volume_ml": "mL",
}


@dataclass(frozen=True)
class AgreementRow:
    """One figure.

    Args:
        label: Key of the label, or :data:`ALL_LABELS`.
        first: A rater, or :data:`ALL_RATERS`.
        second: The other rater, "consensus", or empty where the figure is of ``first`` alone.
        measure: Name of the figure, such as "dice" or "cohens_kappa".
        estimate: The figure and its interval.
    """

    label: str
    first: str
    second: str
    measure: str
    estimate: Estimate

    @property
    def unit(self) -> str:
        """Unit of the figure; empty for a ratio."""
        return _UNITS.get(self.measure, "")


def agreement_rows(agreement: CaseAgreement) -> tuple[AgreementRow, ...]:
    """Every figure of a case: each label in turn, then all labels at once."""
    return tuple(_rows(agreement))


def agreement_as_csv(agreement: CaseAgreement) -> str:
    """All figures as comma-separated text with a header line; six significant digits, empty where undefined.

    The columns are case, label, first, second, measure, unit, value, low, high.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    for row in agreement_rows(agreement):
        figures = (row.estimate.value, row.estimate.low, row.estimate.high)
        numbers = ["" if number is None else f"{number:.6g}" for number in figures]
        writer.writerow((agreement.case, row.label, row.first, row.second, row.measure, row.unit, *numbers))
    return text.getvalue()


def _rows(agreement: CaseAgreement) -> Iterator[AgreementRow]:
    for label in agreement.labels:
        yield from _label_rows(label)
    overall = agreement.overall
    for pair in overall.pairs:
        yield AgreementRow(ALL_LABELS, pair.first, pair.second, "cohens_kappa", pair.kappa)
    yield AgreementRow(ALL_LABELS, ALL_RATERS, "", "fleiss_kappa", overall.fleiss)
    yield AgreementRow(ALL_LABELS, ALL_RATERS, "", "krippendorffs_alpha", overall.alpha)


def _label_rows(agreement: LabelAgreement) -> Iterator[AgreementRow]:
    key = agreement.label.key
    for pair in (*agreement.pairs, *agreement.with_consensus):
        yield from _pair_rows(key, pair)
    for rater in agreement.raters:
        yield from _rater_rows(key, rater)
    yield AgreementRow(key, ALL_RATERS, "", "fleiss_kappa", agreement.fleiss)
    yield AgreementRow(key, ALL_RATERS, "", "krippendorffs_alpha", agreement.alpha)


def _pair_rows(label: str, pair: PairAgreement) -> Iterator[AgreementRow]:
    for measure, estimate in (
        ("dice", pair.dice),
        ("hd95_mm", Estimate(pair.hd95_mm)),
        ("surface_dice", Estimate(pair.surface_dice)),
        ("difference_ml", Estimate(pair.difference_ml)),
        ("difference_percent", Estimate(pair.difference_percent)),
        ("cohens_kappa", pair.kappa),
    ):
        yield AgreementRow(label, pair.first, pair.second, measure, estimate)


def _rater_rows(label: str, rater: RaterPerformance) -> Iterator[AgreementRow]:
    for measure, estimate in (
        ("volume_ml", Estimate(rater.volume_ml)),
        ("sensitivity", rater.sensitivity),
        ("specificity", rater.specificity),
        ("estimated_sensitivity", Estimate(rater.estimated_sensitivity)),
        ("estimated_specificity", Estimate(rater.estimated_specificity)),
    ):
        if estimate.value is not None:
            second = "" if measure == "volume_ml" else "consensus"
            yield AgreementRow(label, rater.rater, second, measure, estimate)
