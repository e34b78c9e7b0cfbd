"""The scores of a model on labelled cases, per case and on average, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from MedSegAI.Logic.evaluation.intervals import Bootstrap, Mean, mean_of, subjects_of
from MedSegAI.Logic.evaluation.metrics import MaskScores, ScoreSettings
from MedSegAI.Logic.evaluation.plain_table import aligned, cell

METRICS = tuple(entry.name for entry in fields(MaskScores))
HEADINGS = {
    "dice": "Dice",
    "sensitivity": "Sens.",
    "specificity": "Spec.",
    "ppv": "PPV",
    "npv": "NPV",
    "hd95_mm": "HD95 mm",
    "volume_ml": "mL",
    "reference_ml": "Ref. mL",
    "surface_dice": "Surf. Dice",
    "volume_error_ml": "Error mL",
    "volume_error_percent": "Error %",
    "lesion_f1": "Lesion F1",
    "lesion_sensitivity": "Les. sens.",
    "lesion_false_positives": "False les.",
}
_DECIMALS = {
    "hd95_mm": 2,
    "volume_ml": 2,
    "reference_ml": 2,
    "volume_error_ml": 2,
    "volume_error_percent": 1,
    "lesion_false_positives": 1,
}


@dataclass(frozen=True)
class CaseScores:
    """One case: its name, the seconds its segmentation took, and the scores of each label by the label's key."""

    case: str
    seconds: float
    labels: Mapping[str, MaskScores]


@dataclass(frozen=True)
class Evaluation:
    """A model measured on labelled cases.

    Args:
        model: Name of the model.
        model_sha256: Digest of its weights.
        dataset: Name of the data folder.
        subset: Which list of the split.
        cases: The scores, in the order of the split.
        scoring: What the scores depend on.
        bootstrap: How the intervals of the means are drawn.
        subject_rule: Finds the subject in a case's name, see :func:`subjects_of`; empty: each case is a subject.
    """

    model: str
    model_sha256: str
    dataset: str
    subset: str
    cases: tuple[CaseScores, ...]
    scoring: ScoreSettings = field(default_factory=ScoreSettings)
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    subject_rule: str = ""

    @property
    def label_keys(self) -> tuple[str, ...]:
        """Keys of the labels that any case has, in the order of the model's table."""
        return tuple(dict.fromkeys(label for case in self.cases for label in case.labels))

    @property
    def seconds(self) -> float:
        """Mean seconds a case."""
        return mean_of([case.seconds for case in self.cases]).value or 0.0

    @property
    def subjects(self) -> tuple[str, ...]:
        """The subject of each case.

        Raises:
            InputError: if the rule finds none in a case's name.
        """
        return subjects_of([case.case for case in self.cases], self.subject_rule)

    def values(self, label: str, metric: str) -> dict[str, float | None]:
        """One metric of one label, by case."""
        return {case.case: getattr(case.labels[label], metric) for case in self.cases if label in case.labels}

    def mean(self, label: str) -> dict[str, float | None]:
        """Mean of each metric over the cases where it is defined; None where it is defined for none."""
        return {metric: mean.value for metric, mean in self.means[label].items()}

    @cached_property
    def means(self) -> dict[str, dict[str, Mean]]:
        """Mean of each metric with its interval, by label."""
        subjects = self.subjects
        return {
            label: {
                metric: mean_of(
                    [getattr(case.labels.get(label), metric, None) for case in self.cases],
                    subjects=subjects,
                    bootstrap=self.bootstrap,
                )
                for metric in METRICS
            }
            for label in self.label_keys
        }

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON values: the means with their intervals first, then each case."""
        return {
            "model": self.model,
            "model_sha256": self.model_sha256,
            "dataset": self.dataset,
            "subset": self.subset,
            "case_count": len(self.cases),
            "subject_count": len(set(self.subjects)),
            "subject_rule": self.subject_rule,
            "seconds_per_case": round(self.seconds, 3),
            "scoring": self.scoring.to_plain(),
            "bootstrap": self.bootstrap.to_plain(),
            "mean": {label: rounded(self.mean(label)) for label in self.label_keys},
            "interval": {
                label: {
                    metric: None if mean.low is None else [round(mean.low, 5), round(mean.high, 5)]
                    for metric, mean in means.items()
                }
                for label, means in self.means.items()
            },
            "cases": [
                {
                    "case": case.case,
                    "seconds": round(case.seconds, 3),
                    "labels": {label: rounded(asdict(scores)) for label, scores in case.labels.items()},
                }
                for case in self.cases
            ],
        }

    def to_json(self) -> str:
        """:meth:`to_plain` as indented JSON text."""
        return json.dumps(self.to_plain(), indent=2, ensure_ascii=False) + "\n"

    def to_text(self) -> str:
        """A table for people: a row for each case and label, then the means and their intervals."""
        header = ["Case", "Label", *HEADINGS.values(), "Seconds"]
        rows = [
            [case.case, label, *_cells(asdict(scores)), f"{case.seconds:.2f}"]
            for case in self.cases
            for label, scores in case.labels.items()
        ]
        foot = [
            [f"mean of {len(self.cases)}", label, *_cells(self.mean(label)), f"{self.seconds:.2f}"]
            for label in self.label_keys
        ]
        for label, means in self.means.items():
            if any(mean.low is not None for mean in means.values()):
                level = f"{self.bootstrap.level:.0%}"
                foot.append([f"{level} from", label, *_cells({m: mean.low for m, mean in means.items()}), ""])
                foot.append([f"{level} to", label, *_cells({m: mean.high for m, mean in means.items()}), ""])
        return aligned(header, rows, foot, names=2)


def rounded(scores: Mapping[str, float | None]) -> dict[str, float | None]:
    """The scores with five decimals, as they are stored."""
    return {metric: None if value is None else round(value, 5) for metric, value in scores.items()}


def metric_cell(metric: str, value: float | None) -> str:
    """One score as it is shown, "-" where it is not defined."""
    return cell(value, decimals=_DECIMALS.get(metric, 4))


def _cells(scores: Mapping[str, float | None]) -> list[str]:
    return [metric_cell(metric, scores[metric]) for metric in HEADINGS]
