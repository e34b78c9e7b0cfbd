"""The agreement of raters with what was fused from them, uncertainty and the fusion's own estimates included."""

from __future__ import annotations

import numpy as np

from MedSegAI.Logic.agreement.measure import RaterEstimates, measure_agreement
from MedSegAI.Logic.agreement.results import AgreementSettings, CaseAgreement
from MedSegAI.Logic.consensus.consensus import Consensus
from MedSegAI.Logic.consensus.ratings import Ratings
from MedSegAI.Logic.reporter import Reporter


def agreement_with_fused(
    ratings: Ratings,
    fused: Consensus,
    *,
    case: str = "case",
    threshold: float | None = None,
    settings: AgreementSettings | None = None,
    reporter: Reporter | None = None,
) -> CaseAgreement:
    """All measures of agreement of the raters with each other and with their consensus.

    The places of disagreement are ordered by the entropy of the posterior.

    Args:
        ratings: The raters' segmentations.
        fused: What was fused from them.
        case: What the case is called.
        threshold: Compare with ``fused.at(threshold)``; None with ``fused.labels``.
        settings: How to measure.
        reporter: Told after each label, and asked whether to stop.

    Raises:
        InputError: if the consensus lies on another grid, or the threshold is no probability.
        Cancelled: if the reporter says so.
    """
    return measure_agreement(
        ratings,
        case=case,
        consensus=fused.labels if threshold is None else fused.at(threshold),
        entropy=np.asarray(fused.entropy()),
        estimates=estimates_of(fused),
        settings=settings,
        reporter=reporter,
    )


def estimates_of(fused: Consensus) -> RaterEstimates:
    """The sensitivity and specificity of each rater for each label as the fusion itself estimated them.

    Left out where it estimated none, such as for a rater whose vote did not count.
    """
    found = {}
    for performance in fused.performances:
        for label in fused.table:
            rates = performance.sensitivity(label.value), performance.specificity(label.value)
            if None not in rates:
                found[performance.rater, label.value] = rates
    return found
