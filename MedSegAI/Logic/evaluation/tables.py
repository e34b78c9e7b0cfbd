"""The scores of a model on labelled cases, per case and on average, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from MedSegAI.Logic.evaluation.metrics import MaskScores

METRICS = tuple(entry.name for entry in fields(MaskScores))
_HEADINGS = {
    "dice": "Dice",
    "sensitivity": "Sens.",
    "specificity": "Spec.",
    "ppv": "PPV",
    "npv": "NPV",
    "hd95_mm": "HD95 mm",
    "volume_ml": "mL",
    "reference_ml": "Ref. mL",
}
_DECIMALS = {"hd95_mm": 2, "volume_ml": 2, "reference_ml": 2}


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
    """

    model: str
    model_sha256: str
    dataset: str
    subset: str
    cases: tuple[CaseScores, ...]

    @property
    def label_keys(self) -> tuple[str, ...]:
        """Keys of the labels, in the order of the model's table."""
        return tuple(self.cases[0].labels) if self.cases else ()

    @property
    def seconds(self) -> float:
        """Mean seconds a case."""
        return _mean(case.seconds for case in self.cases) or 0.0

    def mean(self, label: str) -> dict[str, float | None]:
        """Mean of each metric over the cases where it is defined; None where it is defined for none."""
        scores = [case.labels[label] for case in self.cases]
        return {metric: _mean(getattr(score, metric) for score in scores) for metric in METRICS}

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON values: the means first, then each case."""
        return {
            "model": self.model,
            "model_sha256": self.model_sha256,
            "dataset": self.dataset,
            "subset": self.subset,
            "case_count": len(self.cases),
            "seconds_per_case": round(self.seconds, 3),
            "mean": {label: _rounded(self.mean(label)) for label in self.label_keys},
            "cases": [
                {
                    "case": case.case,
                    "seconds": round(case.seconds, 3),
                    "labels": {label: _rounded(asdict(scores)) for label, scores in case.labels.items()},
                }
                for case in self.cases
            ],
        }

    def to_json(self) -> str:
        """:meth:`to_plain` as indented JSON text."""
        return json.dumps(self.to_plain(), indent=2, ensure_ascii=False) + "\n"

    def to_text(self) -> str:
        """A table for people: a row for each case and label, then the means."""
        header = ["Case", "Label", *(_HEADINGS[metric] for metric in METRICS), "Seconds"]
        rows = [
            [case.case, label, *_cells(asdict(scores)), f"{case.seconds:.2f}"]
            for case in self.cases
            for label, scores in case.labels.items()
        ]
        means = [
            [f"mean of {len(self.cases)}", label, *_cells(self.mean(label)), f"{self.seconds:.2f}"]
            for label in self.label_keys
        ]
        return _aligned(header, rows, means)


def _mean(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None


def _rounded(scores: Mapping[str, float | None]) -> dict[str, float | None]:
    return {metric: None if value is None else round(value, 5) for metric, value in scores.items()}


def _cells(scores: Mapping[str, float | None]) -> list[str]:
    return ["-" if scores[m] is None else f"{scores[m]:.{_DECIMALS.get(m, 4)}f}" for m in METRICS]


def _aligned(header: list[str], rows: list[list[str]], means: list[list[str]]) -> str:
    widths = [max(len(cell) for cell in column) for column in zip(header, *rows, *means)]

    def line(cells: list[str]) -> str:
        names = [cell.ljust(width) for cell, width in zip(cells[:2], widths)]
        numbers = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:])]
        return "  ".join([*names, *numbers]).rstrip()

    rule = "-" * len(line(header))
    return "\n".join([line(header), rule, *map(line, rows), rule, *map(line, means)]) + "\n"
