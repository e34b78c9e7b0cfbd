"""What a fitted temperature and thresholds gain on cases that they were not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from MedSegAI.Logic.labels import LabelTable
from MedSegAI.Logic.models.calibration import Calibration
from MedSegAI.Logic.recalibrate.case_logits import CaseLogits
from MedSegAI.Logic.recalibrate.fit import fit_temperature, fit_thresholds, mean_dice
from MedSegAI.Logic.recalibrate.interval import Interval, mean_with_interval
from MedSegAI.Logic.recalibrate.reliability import reliability

FOLDS = 5


@dataclass(frozen=True)
class Gains:
    """Mean differences between fitted and present settings on cases left out of the fit, with 95% intervals over cases.

    Args:
        nll: Fall of the negative log-likelihood by the temperature; above 0 is better.
        ece: Fall of the expected calibration error, case by case; above 0 is better.
        dice: Rise of the mean Dice by the thresholds, in model space.
    """

    nll: Interval
    ece: Interval
    dice: Interval


def cross_validated_gains(
    cases: Sequence[CaseLogits],
    labels: LabelTable,
    *,
    present: Calibration,
    subjects: Sequence[str] | None = None,
    seed: int = 0,
) -> Gains:
    """Fit on four fifths of the subjects and measure on the rest, five times round.

    Args:
        cases: Five or more reviewed cases.
        labels: The network's labels.
        present: What the model's card says now.
        subjects: The subject of each case, of which there are five or more; None makes each case its own subject.
        seed: Which subjects lie in which fold.
    """
    subject_of = dict(zip(cases, subjects)) if subjects is not None else {case: case.case for case in cases}
    names = sorted(set(subject_of.values()))
    fold_of = {names[n]: place % FOLDS for place, n in enumerate(np.random.default_rng(seed).permutation(len(names)))}
    falls: dict[str, list[float]] = {"nll": [], "ece": [], "dice": []}
    measured: list[str] = []
    for fold in range(FOLDS):
        left_out = [case for case in cases if fold_of[subject_of[case]] == fold]
        rest = [case for case in cases if fold_of[subject_of[case]] != fold]
        measured += [subject_of[case] for case in left_out]
        temperature = fit_temperature(rest)
        thresholds = fit_thresholds(rest, labels, temperature=temperature)
        for case in left_out:
            before = reliability([case], temperature=present.temperature)
            after = reliability([case], temperature=temperature)
            falls["nll"].append(before.nll - after.nll)
            falls["ece"].append(before.ece - after.ece)
        fitted = mean_dice(left_out, labels, Calibration(temperature, thresholds))
        falls["dice"] += (fitted - mean_dice(left_out, labels, present)).tolist()
    return Gains(**{name: mean_with_interval(values, subjects=measured, seed=seed) for name, values in falls.items()})
