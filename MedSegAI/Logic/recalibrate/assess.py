"""A model judged anew on reviewed cases: drift, calibration, what could be fitted, and what the rule says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from MedSegAI.Logic.agreement.drift import Drift
from MedSegAI.Logic.errors import InputError, LabelError, RegionError
from MedSegAI.Logic.evaluation.intervals import subjects_of
from MedSegAI.Logic.inference.engines.open import open_engine
from MedSegAI.Logic.models.calibration import Calibration
from MedSegAI.Logic.models.registry import CARD_NAME, Model, file_sha256
from MedSegAI.Logic.provenance import software_versions
from MedSegAI.Logic.recalibrate.accuracy_drift import LabelDrift, accuracy_drift, drift_over_time
from MedSegAI.Logic.recalibrate.case_logits import CaseLogits, case_logits
from MedSegAI.Logic.recalibrate.cross_validate import Gains, cross_validated_gains
from MedSegAI.Logic.recalibrate.decide import Decision, Rules, decide
from MedSegAI.Logic.recalibrate.fit import fit_temperature, fit_thresholds, rounded_thresholds
from MedSegAI.Logic.recalibrate.reliability import Reliability, reliability
from MedSegAI.Logic.recalibrate.reviewed_cases import ReviewedCase
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.settings import RunSettings


@dataclass(frozen=True, eq=False)
class Assessment:
    """What reviewed cases say of a model.

    Args:
        model: The model that was judged.
        card_sha256: Digest of its card file as it was.
        cases: The cases, in the order of their reviews.
        measured: What the model said of each that it could segment.
        failed: Sentences on those that it could not.
        drifts: Accuracy against that of the card, a label each.
        over_time: The trend over the reviewed cases.
        before: Reliability as the card decides now.
        after: Reliability with the fitted temperature, on the very cases that it was fitted on.
        fitted: Temperature and thresholds fitted on all cases.
        gains: What fitting gains on cases left out.
        rules: The borders of the rule.
        decision: What the rule says.
        subjects: Of how many subjects the measured cases are.
        created: ISO 8601 time in UTC.
    """

    model: Model
    card_sha256: str
    cases: tuple[ReviewedCase, ...]
    measured: tuple[CaseLogits, ...]
    failed: tuple[str, ...]
    drifts: tuple[LabelDrift, ...]
    over_time: Drift
    before: Reliability
    after: Reliability
    fitted: Calibration
    gains: Gains
    rules: Rules
    decision: Decision
    subjects: int
    created: str

    @property
    def adopted(self) -> Calibration | None:
        """The calibration that the rule would give a new version; None where it would change nothing."""
        decision, present = self.decision, self.model.card.calibration or Calibration()
        if not decision.adopt_temperature and not decision.adopt_thresholds:
            return None
        temperature = self.fitted.temperature if decision.adopt_temperature else present.temperature
        # A threshold means something only at the temperature that it was fitted with.
        deciding = (self.fitted if decision.adopt_thresholds else present).at_temperature(temperature)
        return Calibration(temperature, deciding.thresholds, self._record())

    def to_plain(self) -> dict[str, Any]:
        """Everything but the logits, as JSON values."""
        adopted = self.adopted
        return {
            "model": self.model.card.name,
            "version": self.model.card.version,
            "card_sha256": self.card_sha256,
            "weights_sha256": self.model.card.weights_sha256,
            "subjects": self.subjects,
            "created": self.created,
            "software": software_versions(),
            "rules": asdict(self.rules),
            "decision": {
                "verdict": self.decision.verdict.value,
                "adopt_temperature": self.decision.adopt_temperature,
                "adopt_thresholds": self.decision.adopt_thresholds,
                "reasons": list(self.decision.reasons),
            },
            "calibration": None if adopted is None else adopted.to_plain(),
            "fitted": self.fitted.to_plain(),
            "reliability": {"before": self.before.to_plain(), "after": self.after.to_plain()},
            "gains_on_left_out_cases": {name: getattr(self.gains, name).to_plain() for name in ("nll", "ece", "dice")},
            "labels": [_drift_as_plain(drift) for drift in self.drifts],
            "over_time": self.over_time.sentence,
            "failed": list(self.failed),
            "cases": [self._case_as_plain(case) for case in self.cases],
        }

    def _record(self) -> dict[str, Any]:
        return {
            "cases": len(self.measured),
            "ece_before": round(self.before.ece, 5),
            "ece_after": round(self.after.ece, 5),
            "created": self.created,
        }

    def _case_as_plain(self, case: ReviewedCase) -> dict[str, Any]:
        scores = next((one.dice for one in self.measured if one.case == case.name), None)
        hashes = "".join(one.entry.hash for one in case.corrections)
        return {
            "case": case.name,
            "reviewers": list(case.reviewers),
            "reviewed": case.time.isoformat(timespec="seconds"),
            "corrections_sha256": hashlib.sha256(hashes.encode()).hexdigest(),
            "dice": None if scores is None else {key: round(value, 5) for key, value in scores.items()},
        }


def assess(
    model: Model,
    cases: Sequence[ReviewedCase],
    *,
    rules: Rules,
    settings: RunSettings,
    reporter: Reporter,
    subject_rule: str = "",
) -> Assessment:
    """Judge a model on reviewed cases.

    A case that the model cannot segment is told and counted, and stops nothing.

    Args:
        model: The model.
        cases: As ``reviewed_cases`` gives them.
        rules: The borders of the rule.
        settings: How to segment.
        reporter: Told done/total in cases; may cancel between them.
        subject_rule: Finds the subject in a case's name, as ``subjects_of`` takes it; empty: each case is a subject.

    Raises:
        InputError: if too few of the cases can be segmented or they are of too few subjects, the rule finds no subject
            in a case's name, or the model segments only what is pointed at.
        ModelError: if the model is damaged.
        DeviceError: if the device cannot be used.
        Cancelled: if the user asked to stop.
    """
    if model.card.needs_point:
        raise InputError(
            f"'{model.card.name}' segments only what is pointed at, and reviewed cases do not keep the points.",
            advice="Measure it with medsegai evaluate.",
        )
    subjects_of([case.name for case in cases], subject_rule)
    measured, failed = _measure(model, cases, settings, reporter)
    if len(measured) < rules.fewest_cases:
        raise InputError(
            f"Only {len(measured)} of {len(cases)} cases could be segmented. The first problem: {failed[0]}",
            advice=f"A model is judged on {rules.fewest_cases} cases or more.",
        )
    subjects = subjects_of([one.case for one in measured], subject_rule)
    if len(set(subjects)) < rules.fewest_cases:
        raise InputError(
            f"The {len(measured)} cases are of only {len(set(subjects))} subjects.",
            advice=f"A model is judged on {rules.fewest_cases} subjects or more.",
        )
    labels, present = model.card.labels, model.card.calibration or Calibration()
    temperature = fit_temperature(measured)
    fitted = Calibration(
        round(temperature, 4), rounded_thresholds(fit_thresholds(measured, labels, temperature=temperature))
    )
    drifts = accuracy_drift(model, measured, subjects=subjects)
    gains = cross_validated_gains(measured, labels, present=present, subjects=subjects)
    return Assessment(
        model=model,
        card_sha256=file_sha256(model.folder / CARD_NAME),
        cases=tuple(cases),
        measured=tuple(measured),
        failed=tuple(failed),
        drifts=drifts,
        over_time=drift_over_time(model, cases, measured),
        before=reliability(measured, temperature=present.temperature),
        after=reliability(measured, temperature=fitted.temperature),
        fitted=fitted,
        gains=gains,
        rules=rules,
        decision=decide(drifts, gains, rules),
        subjects=len(set(subjects)),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )


def _measure(
    model: Model, cases: Sequence[ReviewedCase], settings: RunSettings, reporter: Reporter
) -> tuple[list[CaseLogits], list[str]]:
    engine = open_engine(model, settings=settings, reporter=reporter)
    measured, failed = [], []
    for done, case in enumerate(cases):
        raise_if_cancelled(reporter)
        reporter.progress(done, len(cases), "judging")
        try:
            measured.append(case_logits(case, model, engine=engine, settings=settings))
        except (InputError, LabelError, RegionError) as error:
            failed.append(f"{case.name}: {error.problem}")
            reporter.message(failed[-1])
    reporter.progress(len(cases), len(cases), "judging")
    return measured, failed


def _drift_as_plain(drift: LabelDrift) -> dict[str, Any]:
    return {
        "label": drift.key,
        "cases": drift.cases,
        "dice_now": drift.now.to_plain(),
        "dice_then": None if drift.then is None else round(drift.then, 5),
        "change": None if drift.change is None else drift.change.to_plain(),
        "p_value": None if drift.p_value is None else round(drift.p_value, 6),
    }
