"""The table of LUNA16: one row a method, over all folds and for each of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from MedSegAI.Logic.evaluation.intervals import Bootstrap, Mean, mean_of
from MedSegAI.Logic.evaluation.luna16.measure import CUBE_MM
from MedSegAI.Logic.evaluation.luna16.references import FEWEST_READERS, ReferenceKind
from MedSegAI.Logic.evaluation.luna16.scan_record import ScanRecord
from MedSegAI.Logic.evaluation.metrics import ScoreSettings
from MedSegAI.Logic.evaluation.paired import PairedDifference, holm, paired_difference
from MedSegAI.Logic.evaluation.plain_table import aligned
from MedSegAI.Logic.evaluation.tables import HEADINGS, METRICS, metric_cell, rounded

SHOWN = ("dice", "sensitivity", "specificity", "hd95_mm")
TESTED = ("dice", "hd95_mm")
_REFERENCES = {
    ReferenceKind.STAPLE: f"STAPLE consensus of the outlines of {FEWEST_READERS} or 4 radiologists of LIDC-IDRI",
    ReferenceKind.MAJORITY: f"majority of the outlines of {FEWEST_READERS} or 4 radiologists of LIDC-IDRI",
    ReferenceKind.SPHERES: "BALLS OF THE ANNOTATED DIAMETER, a crude stand-in: no outline of any radiologist was used",
}


@dataclass(frozen=True)
class Luna16Row:
    """One method over some folds.

    Args:
        method: Its name.
        fold: The fold; None for all that were measured.
        scans: Number of scans that were measured.
        nodules: Number of nodules with a reference in them.
        missed: Nodules where the method found nothing; their Dice and sensitivity are 0, their HD95 is not defined.
        means: Each metric over the nodules, with its interval over patients.
        false_alarms: A scan, with its interval; no value for a method that is pointed at nodules.
    """

    method: str
    fold: int | None
    scans: int
    nodules: int
    missed: int
    means: dict[str, Mean]
    false_alarms: Mean


@dataclass(frozen=True)
class Luna16Table:
    """What was measured on LUNA16.

    Args:
        records: One a scan and method.
        methods: The methods in the order of the rows; the first is tested against each of the others.
        reference: What stood for the truth.
        scoring: What the scores depend on.
        bootstrap: How the intervals are drawn, over patients.
    """

    records: tuple[ScanRecord, ...]
    methods: tuple[str, ...]
    reference: ReferenceKind
    scoring: ScoreSettings = field(default_factory=ScoreSettings)
    bootstrap: Bootstrap = field(default_factory=Bootstrap)

    @property
    def folds(self) -> tuple[int, ...]:
        """The folds that hold any scan that was measured or passed over."""
        return tuple(sorted({record.fold for record in self.records}))

    @cached_property
    def rows(self) -> tuple[Luna16Row, ...]:
        """Each method over all folds, then over each fold where there are several."""
        folds = (None, *self.folds) if len(self.folds) > 1 else (None,)
        return tuple(self._row(method, fold) for fold in folds for method in self.methods)

    @cached_property
    def tests(self) -> tuple[tuple[str, str, PairedDifference, float | None], ...]:
        """First method against each other one: (other, metric, difference, p after Holm), on the nodules of both."""
        found = [
            (other, metric, self._difference(self.methods[0], other, metric))
            for other in self.methods[1:]
            for metric in TESTED
        ]
        corrected = holm([paired.p_value for _, _, paired in found])
        return tuple((*entry, p) for entry, p in zip(found, corrected))

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know, as sentences."""
        notes = [
            f"Reference: {_REFERENCES[self.reference]}.",
            f"Specificity counts the voxels of a cube of {CUBE_MM:g} mm around each nodule, all other scores every "
            "voxel of both masks. HD95 is not defined where nothing was found.",
            "Segmentation of annotated nodules, not their detection: this is no score of the LUNA16 challenge.",
            "LUNA16's scans are those of LIDC-IDRI: a model trained on LIDC-IDRI may have seen these patients. Leave "
            "those out (--leave-out), or give a model for each fold that was not trained on it ({fold}).",
        ]
        without = {name for record in self.records for name in record.without}
        if without:
            notes.append(f"{len(without)} annotated nodules have no reference and are not counted.")
        for method in self.methods:
            passed = sum(1 for record in self.records if record.method == method and record.problem)
            if passed:
                notes.append(f"{method}: {passed} scans were passed over.")
        if len({row.nodules for row in self.rows if row.fold is None}) > 1:
            notes.append("The rows do not rest on the same nodules; the tests below use those that both methods have.")
        return tuple(notes)

    def to_plain(self) -> dict[str, Any]:
        """Everything as JSON values."""
        return {
            "dataset": "LUNA16",
            "folds": list(self.folds),
            "reference": self.reference.value,
            "scoring": self.scoring.to_plain(),
            "bootstrap": self.bootstrap.to_plain(),
            "rows": [_plain_row(row) for row in self.rows],
            "tests": [
                {"method": self.methods[0], "against": other, "metric": metric, **asdict(paired), "holm_p": p}
                for other, metric, paired, p in self.tests
            ],
            "notes": list(self.notes),
            "passed_over": [
                {"scan": record.series, "method": record.method, "problem": record.problem}
                for record in self.records
                if record.problem
            ],
            "nodules": [
                {
                    "method": record.method,
                    "fold": record.fold,
                    "patient": record.patient,
                    "nodule": nodule.name,
                    "diameter_mm": nodule.diameter_mm,
                    "readers": nodule.readers,
                    "found": nodule.found,
                    **rounded(asdict(nodule.scores)),
                }
                for record in self.records
                for nodule in record.nodules
            ],
        }

    def to_json(self) -> str:
        """:meth:`to_plain` as indented JSON text."""
        return json.dumps(self.to_plain(), indent=2, ensure_ascii=False) + "\n"

    def to_text(self) -> str:
        """The table for people: rows, tests, notes."""
        header = ["Method", "Folds", "Scans", "Nodules", "Missed", *(HEADINGS[m] for m in SHOWN), "False alarms/scan"]
        parts = [aligned(header, [_cells(row) for row in self.rows], names=2)]
        if self.tests:
            header = [f"{self.methods[0]} minus", "Score", "Nodules", "Difference", "p", "p (Holm)"]
            parts.append(aligned(header, [_test_cells(*test) for test in self.tests], names=2))
        return "\n".join([*parts, "\n".join(self.notes)]) + "\n"

    def _row(self, method: str, fold: int | None) -> Luna16Row:
        records = [
            record
            for record in self.records
            if record.method == method and not record.problem and fold in (None, record.fold)
        ]
        nodules = [(nodule, record.patient) for record in records for nodule in record.nodules]
        patients = [patient for _, patient in nodules]
        return Luna16Row(
            method=method,
            fold=fold,
            scans=len(records),
            nodules=len(nodules),
            missed=sum(not nodule.found for nodule, _ in nodules),
            means={
                metric: mean_of(
                    [getattr(nodule.scores, metric) for nodule, _ in nodules],
                    subjects=patients,
                    bootstrap=self.bootstrap,
                )
                for metric in METRICS
            },
            false_alarms=mean_of(
                [record.false_alarms for record in records],
                subjects=[record.patient for record in records],
                bootstrap=self.bootstrap,
            ),
        )

    def _difference(self, one: str, other: str, metric: str) -> PairedDifference:
        values: dict[str, dict[str, float | None]] = {one: {}, other: {}}
        patients: dict[str, str] = {}
        for record in self.records:
            for nodule in record.nodules:
                values.setdefault(record.method, {})[nodule.name] = getattr(nodule.scores, metric)
                patients[nodule.name] = record.patient
        return paired_difference(values[one], values[other], subjects=patients, bootstrap=self.bootstrap)


def _plain_row(row: Luna16Row) -> dict[str, Any]:
    return {
        "method": row.method,
        "fold": row.fold,
        "scans": row.scans,
        "nodules": row.nodules,
        "missed": row.missed,
        "mean": rounded({metric: mean.value for metric, mean in row.means.items()}),
        "interval": {metric: _ends(mean) for metric, mean in row.means.items()},
        "false_alarms_per_scan": row.false_alarms.value,
        "false_alarms_interval": _ends(row.false_alarms),
    }


def _ends(mean: Mean) -> list[float] | None:
    return None if mean.low is None else [round(mean.low, 5), round(mean.high, 5)]


def _cells(row: Luna16Row) -> list[str]:
    fold = "all" if row.fold is None else str(row.fold)
    counts = [str(count) for count in (row.scans, row.nodules, row.missed)]
    return [row.method, fold, *counts, *(_with_interval(m, row.means[m]) for m in SHOWN), _alarms(row.false_alarms)]


def _with_interval(metric: str, mean: Mean) -> str:
    text = metric_cell(metric, mean.value)
    return text if mean.low is None else f"{text} ({metric_cell(metric, mean.low)} to {metric_cell(metric, mean.high)})"


def _alarms(mean: Mean) -> str:
    return _with_interval("hd95_mm", mean)


def _test_cells(other: str, metric: str, paired: PairedDifference, corrected: float | None) -> Sequence[str]:
    difference = Mean(paired.difference, paired.low, paired.high, paired.cases)
    p_values = ["-" if p is None else f"{p:.2g}" for p in (paired.p_value, corrected)]
    return [other, HEADINGS[metric], str(paired.cases), _with_interval(metric, difference), *p_values]
