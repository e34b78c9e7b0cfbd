"""LUNA16 is measured scan by scan."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.errors import Cancelled, InputError
from MedSegAI.Logic.evaluation.luna16.measure import CUBE_MM, Luna16Plan, measure_luna16
from MedSegAI.Logic.evaluation.luna16.methods import Found, StoredPredictions, found_in
from MedSegAI.Logic.evaluation.luna16.references import ReferenceKind
from MedSegAI.Logic.evaluation.metrics import ScoreSettings
from MedSegAI.Logic.files.lidc_outlines import LidcOutlines
from MedSegAI.Logic.files.luna16 import Luna16, read_luna16
from MedSegAI.Logic.reporter import SilentReporter
from Testing.tiny_luna16 import NO_NODULE, TURNED, TWO_NODULES, TinyLuna16, make_luna16


@dataclass
class Exact:
    """Finds the reference itself, and remembers what it was asked."""

    name: str = "exact"
    looks_by_itself: bool = True
    asked: list[str] = field(default_factory=list)

    def state(self, scan) -> str:
        return "exact"

    def find(self, scan, volume, references) -> Found:
        self.asked.append(scan.series)
        labels = np.zeros(volume.grid.shape, bool)
        for reference in references.nodules:
            labels[reference.placed.box.slices] |= reference.placed.mask
        return found_in(labels, references)


@pytest.fixture(scope="module")
def plan(luna16) -> Luna16Plan:
    return Luna16Plan(ReferenceKind.STAPLE, LidcOutlines(luna16.outlines))


@pytest.fixture(scope="module")
def data(luna16) -> Luna16:
    return read_luna16(luna16.folder, folds=(0, 1))


@pytest.fixture
def own(tmp_path) -> TinyLuna16:
    """A data set that a test may spoil."""
    return make_luna16(tmp_path)


def measure(data, *methods, plan, results: Path, reporter=None):
    results.mkdir(exist_ok=True)
    return measure_luna16(data, methods, plan=plan, results=results, reporter=reporter or SilentReporter())


def test_who_finds_the_reference_scores_best(data, plan, tmp_path):
    records = measure(data, Exact(), plan=plan, results=tmp_path / "r")
    assert [(record.series, record.fold, record.patient) for record in records] == [
        (TWO_NODULES, 0, "LIDC-IDRI-0001"),
        (NO_NODULE, 0, "LIDC-IDRI-0002"),
        (TURNED, 1, "LIDC-IDRI-0003"),
    ]
    nodules = [nodule for record in records for nodule in record.nodules]
    assert [nodule.readers for nodule in nodules] == [4, 3, 4]
    for nodule in nodules:
        scores = nodule.scores
        assert (scores.dice, scores.sensitivity, scores.specificity, scores.hd95_mm) == (1.0, 1.0, 1.0, 0.0)
    assert [record.without for record in records] == [(), (), (f"{TURNED}/2",)]
    assert {record.false_alarms for record in records} == {0}


def test_predictions_score_as_worked_out_from_the_masks(luna16, data, plan, tmp_path):
    records = measure(data, StoredPredictions("theirs", luna16.predictions), plan=plan, results=tmp_path / "r")
    first = records[0].nodules[0].scores
    assert first.ppv == 1.0
    assert first.sensitivity == pytest.approx(first.volume_ml / first.reference_ml)
    assert first.dice == pytest.approx(2 * first.volume_ml / (first.volume_ml + first.reference_ml))
    assert 0.7 < first.dice < 1
    assert first.hd95_mm >= 1.0
    assert [record.false_alarms for record in records] == [1, 1, 1]


def test_specificity_is_that_of_a_cube_around_the_nodule(data, plan, tmp_path):
    """A prediction that fills the scan has no true negative; its reference leaves the rest of the cube to be wrong."""

    class Everything(Exact):
        def find(self, scan, volume, references) -> Found:
            return found_in(np.ones(volume.grid.shape, bool), references)

    records = measure(data, Everything(), plan=plan, results=tmp_path / "r")
    scores = records[0].nodules[0].scores
    assert (scores.specificity, scores.npv, scores.sensitivity) == (0.0, None, 1.0)
    assert CUBE_MM == 64
    exact = measure(data, Exact("other"), plan=plan, results=tmp_path / "r")[0].nodules[0].scores
    assert scores.ppv == pytest.approx(exact.reference_ml * 1000 / 64**3)


def test_nothing_found_is_dice_0_and_no_distance(data, plan, tmp_path):
    class Blind(Exact):
        def find(self, scan, volume, references) -> Found:
            return Found({reference.nodule.name: None for reference in references.nodules}, 0)

    nodule = measure(data, Blind(), plan=plan, results=tmp_path / "r")[0].nodules[0]
    assert not nodule.found
    assert (nodule.scores.dice, nodule.scores.sensitivity, nodule.scores.hd95_mm) == (0.0, 0.0, None)
    assert nodule.scores.specificity == 1.0


def test_a_second_run_measures_nothing_again_even_where_the_scans_are_gone(own, tmp_path):
    plan = Luna16Plan(ReferenceKind.STAPLE, LidcOutlines(own.outlines))
    data = read_luna16(own.folder, folds=(0, 1))
    first = measure(data, Exact(), plan=plan, results=tmp_path / "r")
    shutil.rmtree(own.folder)
    again = Exact()
    assert measure(data, again, plan=plan, results=tmp_path / "r") == first
    assert again.asked == []


def test_a_run_that_is_stopped_goes_on(data, plan, tmp_path):
    class StopAfterOne(SilentReporter):
        def progress(self, done: int, total: int, stage: str) -> None:
            self.done = done

        def cancelled(self) -> bool:
            return getattr(self, "done", 0) >= 1 or bool(first.asked)

    first, rest = Exact(), Exact()
    with pytest.raises(Cancelled):
        measure(data, first, plan=plan, results=tmp_path / "r", reporter=StopAfterOne())
    assert first.asked == [TWO_NODULES]
    assert len(measure(data, rest, plan=plan, results=tmp_path / "r")) == 3
    assert rest.asked == [NO_NODULE, TURNED]


def test_other_settings_measure_again_and_a_new_method_alone(luna16, data, plan, tmp_path):
    measure(data, Exact(), plan=plan, results=tmp_path / "r")
    one, new = Exact(), Exact("new")
    measure(data, one, new, plan=plan, results=tmp_path / "r")
    assert (len(one.asked), len(new.asked)) == (0, 3)
    other = Luna16Plan(ReferenceKind.STAPLE, plan.outlines, scoring=ScoreSettings(tolerance_mm=2.0))
    measure(data, one, plan=other, results=tmp_path / "r")
    assert len(one.asked) == 3


def test_a_bad_scan_is_passed_over_with_a_sentence_and_measured_once_it_is_mended(own, tmp_path):
    plan = Luna16Plan(ReferenceKind.STAPLE, LidcOutlines(own.outlines))
    data, reporter = read_luna16(own.folder, folds=(0, 1)), SilentReporter()
    voxels = own.folder / "subset1" / f"{TURNED}.raw"
    whole = voxels.read_bytes()
    voxels.write_bytes(whole[:1000])
    records = measure(data, Exact(), plan=plan, results=tmp_path / "r", reporter=reporter)
    assert [bool(record.problem) for record in records] == [False, False, True]
    assert len(reporter.messages) == 1
    assert reporter.messages[0].startswith(f"Scan {TURNED} was passed over: ")
    voxels.write_bytes(whole)
    again = Exact()
    assert not any(record.problem for record in measure(data, again, plan=plan, results=tmp_path / "r"))
    assert again.asked == [TURNED]


def test_a_method_that_lacks_a_scan_spoils_no_other(own, tmp_path):
    plan = Luna16Plan(ReferenceKind.STAPLE, LidcOutlines(own.outlines))
    (own.predictions / f"{TWO_NODULES}.nii.gz").unlink()
    data = read_luna16(own.folder, folds=(0,))
    records = measure(data, Exact(), StoredPredictions("theirs", own.predictions), plan=plan, results=tmp_path / "r")
    assert [(r.method, bool(r.problem)) for r in records if r.series == TWO_NODULES] == [
        ("exact", False),
        ("theirs", True),
    ]


def test_patients_or_scans_can_be_left_out(luna16, data, tmp_path):
    outlines = LidcOutlines(luna16.outlines)
    plan = Luna16Plan(ReferenceKind.STAPLE, outlines, left_out={"LIDC-IDRI-0001", TURNED})
    assert [record.series for record in measure(data, Exact(), plan=plan, results=tmp_path / "r")] == [NO_NODULE]


def test_a_method_that_is_pointed_at_nodules_is_shown_no_scan_without_one(data, plan, tmp_path):
    method = Exact(looks_by_itself=False)
    measure(data, method, plan=plan, results=tmp_path / "r")
    assert method.asked == [TWO_NODULES, TURNED]


def test_balls_need_no_outlines_and_a_consensus_does(data, tmp_path):
    plan = Luna16Plan(ReferenceKind.SPHERES)
    records = measure(data, Exact(), plan=plan, results=tmp_path / "r")
    assert [len(record.nodules) for record in records] == [2, 0, 2]
    assert records[0].patient == TWO_NODULES
    with pytest.raises(InputError, match="holds no outlines"):
        Luna16Plan(ReferenceKind.MAJORITY)
