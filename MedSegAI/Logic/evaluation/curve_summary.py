"""Curves of many cases as one: the mean of the cases' curves at each place, and of their areas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from MedSegAI.Logic.evaluation.intervals import Bootstrap, Mean, mean_of, subjects_of
from MedSegAI.Logic.evaluation.plain_table import aligned, cell

RATES_AT = np.concatenate([[0.0], np.logspace(-5, 0, 201)])
"""False positive rates at which the ROC curves of cases are averaged; dense near 0, where crops differ."""
PRECISION_AT = np.linspace(0.0, 1.0, 101)
"""Recalls at which precision-recall curves are averaged; a curve's value is that of its first corner to reach it."""


@dataclass(frozen=True, eq=False)
class CaseCurve:
    """The curves of one label in one case; None where the case has voxels of one class only.

    Args:
        case: Its name.
        label: The label's key.
        voxels: Number of voxels that counted.
        positives: How many of them have the label.
        auc: Area under the ROC curve.
        average_precision: Area under the precision-recall curve.
        true_positive_rate: float64, at :data:`RATES_AT`.
        precision: float64, at :data:`PRECISION_AT`.
    """

    case: str
    label: str
    voxels: int
    positives: int
    auc: float | None = None
    average_precision: float | None = None
    true_positive_rate: np.ndarray | None = None
    precision: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class LabelCurves:
    """One label over all cases: areas with intervals, and the mean curves; None where no case has one."""

    label: str
    auc: Mean
    average_precision: Mean
    by_chance: float
    true_positive_rate: np.ndarray | None
    precision: np.ndarray | None


@dataclass(frozen=True, eq=False)
class CurveSummary:
    """The curves of all cases.

    Args:
        cases: One a case and label.
        band_mm: See :class:`VoxelCurves`.
        subject_rule: Finds the subject in a case's name; see :func:`subjects_of`.
        bootstrap: How intervals are drawn.
    """

    cases: tuple[CaseCurve, ...]
    band_mm: float | None = None
    subject_rule: str = ""
    bootstrap: Bootstrap = field(default_factory=Bootstrap)

    @property
    def labels(self) -> tuple[LabelCurves, ...]:
        """Each label over all cases."""
        keys = dict.fromkeys(case.label for case in self.cases)
        return tuple(self._of_label([case for case in self.cases if case.label == key]) for key in keys)

    @property
    def counted(self) -> str:
        """Which voxels counted, as a sentence."""
        if self.band_mm is None:
            return "Every voxel that the network was shown counts; most are background that is hard to mistake."
        return f"Voxels at most {self.band_mm:g} mm from the border of the expert's label count."

    def to_plain(self) -> dict[str, Any]:
        """The figures as JSON values, with the mean curves."""
        return {
            "band_mm": self.band_mm,
            "false_positive_rate": _rounded(RATES_AT, 7),
            "recall": _rounded(PRECISION_AT, 2),
            "labels": {
                label.label: {
                    "auc": label.auc.value,
                    "auc_interval": _ends(label.auc),
                    "average_precision": label.average_precision.value,
                    "average_precision_interval": _ends(label.average_precision),
                    "precision_by_chance": label.by_chance,
                    "cases": label.auc.cases,
                    "true_positive_rate": _rounded(label.true_positive_rate, 5),
                    "precision": _rounded(label.precision, 5),
                }
                for label in self.labels
            },
            "cases": [
                {
                    "case": case.case,
                    "label": case.label,
                    "voxels": case.voxels,
                    "positives": case.positives,
                    "auc": case.auc,
                    "average_precision": case.average_precision,
                }
                for case in self.cases
            ],
        }

    def to_text(self) -> str:
        """A table for people."""
        header = ["Label", "Cases", "AUC", "from", "to", "Av. precision", "from", "to", "By chance"]
        rows = [
            [
                label.label,
                str(label.auc.cases),
                *(cell(value, decimals=5) for value in (label.auc.value, label.auc.low, label.auc.high)),
                *(cell(value) for value in (label.average_precision.value, *_low_high(label.average_precision))),
                cell(label.by_chance),
            ]
            for label in self.labels
        ]
        return aligned(header, rows, names=1) + f"\n{self.counted} Areas are means over cases.\n"

    def _of_label(self, cases: Sequence[CaseCurve]) -> LabelCurves:
        subjects = subjects_of([case.case for case in cases], self.subject_rule)
        defined = [case for case in cases if case.auc is not None]
        return LabelCurves(
            label=cases[0].label,
            auc=mean_of([case.auc for case in cases], subjects=subjects, bootstrap=self.bootstrap),
            average_precision=mean_of(
                [case.average_precision for case in cases], subjects=subjects, bootstrap=self.bootstrap
            ),
            by_chance=float(np.mean([case.positives / max(case.voxels, 1) for case in cases])),
            true_positive_rate=np.mean([case.true_positive_rate for case in defined], axis=0) if defined else None,
            precision=np.mean([case.precision for case in defined], axis=0) if defined else None,
        )


def _low_high(mean: Mean) -> tuple[float | None, float | None]:
    return mean.low, mean.high


def _ends(mean: Mean) -> list[float] | None:
    return None if mean.low is None else [mean.low, mean.high]


def _rounded(values: np.ndarray | None, decimals: int) -> list[float] | None:
    return None if values is None else np.round(values, decimals).tolist()
