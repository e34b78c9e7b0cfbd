"""What figures of agreement mean, in plain words, for those who read no table."""

from __future__ import annotations

from collections.abc import Iterator

from MedSegAI.Logic.agreement.bootstrap import Estimate
from MedSegAI.Logic.agreement.places import in_words
from MedSegAI.Logic.agreement.results import CaseAgreement, LabelAgreement, PairAgreement

GOOD_KAPPA = 0.7
"""Below this kappa a sentence warns."""
_LOW_SENSITIVITY = 0.7


def figure(value: float | None, *, decimals: int = 2) -> str:
    """A figure as text; "-" where it is undefined."""
    return "-" if value is None else f"{value:.{decimals}f}"


def with_interval(estimate: Estimate, *, level: float | None = None, decimals: int = 2) -> str:
    """An estimate as text, such as "0.81 (95% interval 0.76 to 0.85)"; without ``level``, "0.81 (0.76 to 0.85)"."""
    text = figure(estimate.value, decimals=decimals)
    if estimate.low is None or estimate.high is None:
        return text
    called = f"{100 * level:g}% interval " if level else ""
    return f"{text} ({called}{figure(estimate.low, decimals=decimals)} to {figure(estimate.high, decimals=decimals)})"


def label_sentences(agreement: LabelAgreement, *, level: float = 0.95) -> tuple[str, ...]:
    """What was found for one label; the most important first."""
    return tuple(_label_sentences(agreement, level))


def case_sentences(agreement: CaseAgreement) -> tuple[str, ...]:
    """What was found in a case: all labels at once, then label by label."""
    return tuple(_case_sentences(agreement))


def _case_sentences(agreement: CaseAgreement) -> Iterator[str]:
    if len(agreement.raters) == 1:
        yield f"There is one rater only, {agreement.raters[0]}: agreement between raters cannot be measured."
    if agreement.overall.region.is_empty:
        yield "Nobody marked anything in this case."
        return
    if len(agreement.labels) > 1 and len(agreement.raters) > 1:
        kappa = agreement.overall.fleiss
        if kappa.value is not None:
            level = agreement.settings.resampling.level
            yield f"Over all labels at once, Fleiss' kappa is {with_interval(kappa, level=level)}."
    for label in agreement.labels:
        yield from label.sentences
    if len(agreement.raters) > 1:
        yield _places_sentence(agreement)


def _places_sentence(agreement: CaseAgreement) -> str:
    if not agreement.places:
        return "The raters disagree on no voxel."
    first = agreement.places[0]
    count = len(agreement.places)
    number = "one place" if count == 1 else f"{count} places"
    if count == agreement.settings.most_places:
        number = f"at least {number}"
    return f"The raters disagree in {number}. The first: {first.sentence(agreement.table)}"


def _label_sentences(agreement: LabelAgreement, level: float) -> Iterator[str]:
    name = agreement.label.name
    if agreement.region.is_empty:
        yield f"Nobody marked {name}. All agree that there is none, so kappa and alpha are undefined."
        return
    if len(agreement.raters) > 1:
        yield from _empty_masks(agreement)
        yield _overall(agreement, level)
        yield from _weak_pairs(agreement)
    yield from _nothing_in_common(agreement)
    yield from _low_sensitivity(agreement)


def _overall(agreement: LabelAgreement, level: float) -> str:
    name = agreement.label.name
    if all(pair.dice.value == 1 for pair in agreement.pairs):
        return f"All raters drew the same for {name}."
    called, kappa = "Fleiss' kappa", agreement.fleiss
    if kappa.value is None:
        called, kappa = "Krippendorff's alpha", agreement.alpha
    if kappa.value is None:
        return f"Neither Fleiss' kappa nor Krippendorff's alpha is defined for {name}: too few voxels were seen by two."
    text = f"{called} is {with_interval(kappa, level=level)}"
    if kappa.value < GOOD_KAPPA:
        return f"The raters agree only in part on {name}: {text}, below {GOOD_KAPPA}."
    return f"The raters agree on {name}: {text}."


def _weak_pairs(agreement: LabelAgreement) -> Iterator[str]:
    """Pairs below the line, where there are others to compare with."""
    if len(agreement.pairs) == 1:
        return
    weak = [pair for pair in agreement.pairs if pair.kappa.value is not None and pair.kappa.value < GOOD_KAPPA]
    if not weak:
        return
    worst = min(weak, key=lambda pair: pair.kappa.value)
    text = f"{worst.first} and {worst.second} agree least on {agreement.label.name}: {_pair_figures(worst)}."
    if len(weak) > 1:
        text += f" Of {len(agreement.pairs)} pairs, {len(weak)} lie below a kappa of {GOOD_KAPPA}."
    yield text


def _pair_figures(pair: PairAgreement) -> str:
    return f"Cohen's kappa {figure(pair.kappa.value)}, Dice {figure(pair.dice.value)}"


def _empty_masks(agreement: LabelAgreement) -> Iterator[str]:
    empty = [rater.rater for rater in agreement.raters if rater.volume_ml == 0]
    if empty and len(empty) < len(agreement.raters):
        yield f"{in_words(empty)} marked no {agreement.label.name}, though others did."


def _nothing_in_common(agreement: LabelAgreement) -> Iterator[str]:
    for pair in (*agreement.pairs, *agreement.with_consensus):
        if pair.dice.value is None:
            yield f"{pair.first} and {pair.second} looked at no voxel in common: nothing is known of how they agree."


def _low_sensitivity(agreement: LabelAgreement) -> Iterator[str]:
    found = [rater for rater in agreement.raters if rater.sensitivity.value is not None]
    low = [rater for rater in found if rater.volume_ml and rater.sensitivity.value < _LOW_SENSITIVITY]
    for rater in sorted(low, key=lambda rater: rater.sensitivity.value):
        yield (
            f"{rater.rater} drew only {100 * rater.sensitivity.value:.0f}% of the consensus for {agreement.label.name}."
        )
