"""LUNA16 measured scan by scan: what was measured stays measured, and a scan that cannot be used is passed over."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.evaluation.luna16.draw_outlines import PlacedMask
from MedSegAI.Logic.evaluation.luna16.methods import Luna16Method, digest_of
from MedSegAI.Logic.evaluation.luna16.references import (
    NoduleReference,
    ReferenceKind,
    ScanReferences,
    ball_references,
    outline_references,
)
from MedSegAI.Logic.evaluation.luna16.scan_record import NoduleScores, ScanLedger, ScanRecord
from MedSegAI.Logic.evaluation.metrics import MaskScores, ScoreSettings, compare_masks
from MedSegAI.Logic.files.lidc_outlines import LidcOutlines
from MedSegAI.Logic.files.luna16 import Luna16, Luna16Scan
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.reporter import Reporter, raise_if_cancelled
from MedSegAI.Logic.volume import Modality, Volume

CUBE_MM = 64.0
"""Edge of the cube around a nodule's centre in which specificity and NPV are counted."""
_VERSION = 1


@dataclass(frozen=True)
class Luna16Plan:
    """What to measure against what.

    Args:
        reference: What stands for the truth.
        outlines: The radiologists' outlines; needed unless the reference is SPHERES.
        scoring: What the scores depend on.
        left_out: Series UIDs and patients that are passed over, such as those that a model was trained on.
    """

    reference: ReferenceKind
    outlines: LidcOutlines | None = None
    scoring: ScoreSettings = field(default_factory=ScoreSettings)
    left_out: Collection[str] = ()

    def __post_init__(self) -> None:
        if self.outlines is None and self.reference is not ReferenceKind.SPHERES:
            raise InputError(
                "LUNA16 holds no outlines to make a consensus of.", advice="Name the radiologists' outlines."
            )

    def patient_of(self, series: str) -> str:
        """Whose scan it is; the series where that is not known."""
        known = None if self.outlines is None else self.outlines.patient_of(series)
        return known or series

    def leaves_out(self, series: str) -> bool:
        """Whether a scan is passed over."""
        return series in self.left_out or self.patient_of(series) in self.left_out


def measure_luna16(
    data: Luna16, methods: Sequence[Luna16Method], *, plan: Luna16Plan, results: Path, reporter: Reporter
) -> tuple[ScanRecord, ...]:
    """Measure every method on every scan; what ``results`` holds already is not measured again.

    Args:
        data: The scans and their nodules.
        methods: At least one.
        plan: What to measure against what.
        results: An existing folder, in which each scan is written down as soon as it is done.
        reporter: Told done/total in scans, and of each scan that is passed over; may cancel between them.

    Raises:
        ModelError, DeviceError: if a model cannot be used at all.
        StorageError: if a result cannot be written.
        Cancelled: if the user asked to stop.
    """
    ledger = ScanLedger(results)
    scans = [scan for scan in data.scans if not plan.leaves_out(scan.series)]
    records: list[ScanRecord] = []
    for done, scan in enumerate(scans):
        raise_if_cancelled(reporter)
        reporter.progress(done, len(scans), "evaluating LUNA16")
        wanted = [method for method in methods if scan.series in data.nodules or method.looks_by_itself]
        records += _measure_scan(scan, data, wanted, plan, ledger, reporter)
    reporter.progress(len(scans), len(scans), "evaluating LUNA16")
    return tuple(records)


def _measure_scan(
    scan: Luna16Scan,
    data: Luna16,
    methods: Sequence[Luna16Method],
    plan: Luna16Plan,
    ledger: ScanLedger,
    reporter: Reporter,
) -> list[ScanRecord]:
    nodules = data.nodules.get(scan.series, ())
    states = {
        method.name: digest_of(
            _VERSION,
            plan.reference.value,
            plan.scoring,
            [(n.centre_lps, n.diameter_mm) for n in nodules],
            method.state(scan),
        )
        for method in methods
    }
    records = {name: ledger.done(scan.series, name, state) for name, state in states.items()}
    to_do = [method for method in methods if records[method.name] is None]
    if to_do:
        blank = ScanRecord(scan.series, scan.fold, plan.patient_of(scan.series), "", "")
        try:
            volume = read_volume(scan.path, modality=Modality.CT)
            references = _references(scan, data, volume.grid, plan)
        except InputError as error:
            failed = {method.name: replace(blank, problem=str(error)) for method in to_do}
        else:
            failed = {}
        for method in to_do:
            record = failed.get(method.name) or _measure(method, scan, volume, references, blank, plan.scoring)
            record = replace(record, method=method.name, state=states[method.name])
            ledger.add(record)
            records[method.name] = record
        for problem in dict.fromkeys(records[method.name].problem for method in to_do):
            if problem:
                reporter.message(f"Scan {scan.series} was passed over: {problem}")
    return list(records.values())


def _references(scan: Luna16Scan, data: Luna16, grid: Grid, plan: Luna16Plan) -> ScanReferences:
    nodules = data.nodules.get(scan.series, ())
    if plan.reference is ReferenceKind.SPHERES:
        return ball_references(nodules, grid)
    return outline_references(nodules, plan.outlines.readings_of(scan.series), grid, kind=plan.reference)


def _measure(
    method: Luna16Method,
    scan: Luna16Scan,
    volume: Volume,
    references: ScanReferences,
    blank: ScanRecord,
    scoring: ScoreSettings,
) -> ScanRecord:
    started = time.perf_counter()
    try:
        found = method.find(scan, volume, references)
    except InputError as error:
        return replace(blank, problem=str(error))
    seconds = time.perf_counter() - started
    return replace(
        blank,
        nodules=tuple(
            _score(reference, found.nodules[reference.nodule.name], volume.grid, scoring)
            for reference in references.nodules
        ),
        without=tuple(nodule.name for nodule in references.without),
        false_alarms=found.false_alarms,
        seconds=round(seconds, 3),
    )


def _score(reference: NoduleReference, found: PlacedMask | None, grid: Grid, scoring: ScoreSettings) -> NoduleScores:
    """All voxels of both masks count for all scores but specificity and NPV, which count a cube."""
    nodule = reference.nodule
    around = reference.placed.box if found is None else reference.placed.box.union(found.box)
    scores = _compare(reference, found, around, grid, scoring)
    reach = CUBE_MM / 2 / np.array(grid.spacing_kji)
    centre = grid.kji_of(np.array(nodule.centre_lps))
    cube = Box.inside(np.stack([centre - reach, centre + reach])).clip(grid.shape)
    if not cube.is_empty:
        in_cube = _compare(reference, found, cube, grid, scoring)
        scores = replace(scores, specificity=in_cube.specificity, npv=in_cube.npv)
    return NoduleScores(nodule.name, nodule.diameter_mm, reference.readers, found is not None, scores)


def _compare(
    reference: NoduleReference, found: PlacedMask | None, box: Box, grid: Grid, scoring: ScoreSettings
) -> MaskScores:
    predicted = np.zeros(box.shape, bool) if found is None else found.within(box)
    return compare_masks(predicted, reference.placed.within(box), spacing_kji=grid.spacing_kji, settings=scoring)
