"""The rule by which reviewed cases decide what becomes of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.recalibrate.accuracy_drift import LabelDrift
from MedSegAI.Logic.recalibrate.cross_validate import Gains


class Verdict(str, Enum):
    """What should happen; the later ones weigh more."""

    KEEP = "keep"
    RECALIBRATE = "recalibrate"
    FINE_TUNE = "fine-tune"
    STOP = "stop using"


@dataclass(frozen=True)
class Rules:
    """The borders of the rule.

    Args:
        fewest_cases: Reviewed cases below which nothing is judged. With 10 cases of standard deviation 0.03 the mean
            Dice is known to about 0.02, which is the fall that counts.
        floor: Mean Dice of a label surely below which the model must not be used.
        fall: Loss of mean Dice of a label, against the card's cases, that calls for fine-tuning if it is also surely
            more than nothing.
        ece_gain: Least fall of the calibration error for which a temperature is worth a new version.
        dice_gain: Least rise of the mean Dice for which thresholds are.
    """

    fewest_cases: int = 10
    floor: float = 0.7
    fall: float = 0.02
    ece_gain: float = 0.005
    dice_gain: float = 0.002

    def __post_init__(self) -> None:
        if self.fewest_cases < 5:
            raise InputError("A model cannot be judged on fewer than 5 cases.", advice="Ask for 5 or more.")
        for name in ("floor", "fall", "ece_gain", "dice_gain"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} is {getattr(self, name)}.", advice="Give a number from 0 to 1.")


@dataclass(frozen=True)
class Decision:
    """What the rule says.

    Args:
        verdict: The weightiest thing to do.
        adopt_temperature: Whether a new version should have the fitted temperature.
        adopt_thresholds: Whether it should have the fitted thresholds.
        reasons: Sentences, one for each part of the rule.
    """

    verdict: Verdict
    adopt_temperature: bool
    adopt_thresholds: bool
    reasons: tuple[str, ...]


def decide(drifts: Sequence[LabelDrift], gains: Gains, rules: Rules) -> Decision:
    """Apply the rule.

    1. A label whose mean Dice is surely below the floor: stop using the model.
    2. A label whose mean Dice fell by more than ``fall``, and surely fell: fine-tune.
    3. A temperature is adopted if it lowers the calibration error on left-out cases by more than ``ece_gain`` and
       surely lowers it and the negative log-likelihood; thresholds if they raise the Dice on left-out cases by more
       than ``dice_gain`` and surely raise it. "Surely" means that the 95% interval agrees.
    4. Else the model is kept as it is. A model that must not be used gets no new version.
    """
    below = [drift for drift in drifts if drift.now.surely_below(rules.floor)]
    fallen = [d for d in drifts if d.change is not None and d.change.value < -rules.fall and d.change.surely_below(0)]
    temperature = (
        not below and gains.ece.value > rules.ece_gain and gains.ece.surely_above(0) and gains.nll.surely_above(0)
    )
    thresholds = not below and gains.dice.value > rules.dice_gain and gains.dice.surely_above(0)
    reasons = [
        *(_floor_sentence(drift, rules) for drift in below),
        *(_fall_sentence(drift) for drift in fallen),
        *([] if fallen else [_no_fall_sentence(drifts, rules)]),
        f"A fitted temperature changes the calibration error of cases it was not fitted on by "
        f"{-gains.ece.value:+.4f} (95% interval {-gains.ece.high:+.4f} to {-gains.ece.low:+.4f}): "
        + ("worth a new version." if temperature else "not worth a new version."),
        f"Fitted thresholds change their mean Dice by {gains.dice.value:+.4f} (95% interval {gains.dice.low:+.4f} to "
        f"{gains.dice.high:+.4f}): " + ("worth a new version." if thresholds else "not worth a new version."),
    ]
    if below:
        verdict = Verdict.STOP
    elif fallen:
        verdict = Verdict.FINE_TUNE
    else:
        verdict = Verdict.RECALIBRATE if temperature or thresholds else Verdict.KEEP
    return Decision(verdict, temperature, thresholds, tuple(reasons))


def _floor_sentence(drift: LabelDrift, rules: Rules) -> str:
    return (
        f"{drift.key}: mean Dice {drift.now.value:.3f} (95% interval {drift.now.low:.3f} to {drift.now.high:.3f}) is "
        f"surely below the floor of {rules.floor:g}."
    )


def _fall_sentence(drift: LabelDrift) -> str:
    return (
        f"{drift.key}: mean Dice fell from {drift.then:.3f} to {drift.now.value:.3f}, by {-drift.change.value:.3f} "
        f"(95% interval {-drift.change.high:.3f} to {-drift.change.low:.3f})."
    )


def _no_fall_sentence(drifts: Sequence[LabelDrift], rules: Rules) -> str:
    if all(drift.then is None for drift in drifts):
        return "The card keeps no scores of single cases, so whether accuracy fell cannot be judged."
    return f"No label's mean Dice surely fell by more than {rules.fall:g} against the cases of the card."
