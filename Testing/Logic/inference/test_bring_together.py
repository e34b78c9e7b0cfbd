"""Scans are registered where nothing says that they lie right, or as the user wants; later runs see the same again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from MedSegAI.Logic.align.alignment import Alignment, AlignmentQuality, Verdict
from MedSegAI.Logic.align.judge import IDENTITY
from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.inference.as_before import as_before
from MedSegAI.Logic.inference.bring_together import AlignChoice, bring_together
from MedSegAI.Logic.inference.scans import InputScans
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.provenance import InputRecord, Provenance
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.catalogue import step_from_text
from MedSegAI.Logic.step_record import StepRecord
from MedSegAI.Logic.volume import PATIENT_KEY, Modality, Volume

GRID = Grid((20, 20, 20))


def a_scan(name: str, *, at: float = 0.0, frame: str = "", patient: str = "") -> Volume:
    grid = replace(GRID, origin=(at, 0.0, 0.0))
    array = np.random.default_rng(len(name)).uniform(10, 90, grid.shape).astype(np.float32)
    marks = {PATIENT_KEY: patient} if patient else {}
    return Volume(array, grid, Modality.MR, name=name, frame_of_reference=frame, acquisition=marks)


class Aligning:
    """Finds that every scan has to move by -2 mm along x, and keeps which scans it was asked about."""

    def __init__(self, verdict: Verdict = Verdict.GOOD) -> None:
        self.asked: list[tuple[str, str]] = []
        self.verdict = verdict

    def __call__(self, moving: Volume, reference: Volume) -> Alignment:
        self.asked.append((moving.name, reference.name))
        matrix = np.array(IDENTITY.matrix)
        matrix[3] = 2.0
        quality = AlignmentQuality(1.1, 1.3, 0.9, 1.0, 2.0, 0.4, self.verdict)
        transform = replace(IDENTITY, matrix=tuple(float(value) for value in matrix))
        return Alignment(transform, quality, moving.name, reference.name)


def a_case(**scans: Volume) -> InputScans:
    return InputScans(scans, "T1")


@pytest.mark.parametrize(
    ("choice", "asked"),
    [
        (AlignChoice.AUTO, [("flair", "t1")]),
        (AlignChoice.NEVER, []),
        (AlignChoice.ALWAYS, [("t2", "t1"), ("flair", "t1")]),
    ],
)
def test_the_choice_decides_which_scans_are_registered(choice: AlignChoice, asked: list[tuple[str, str]]):
    align, reporter = Aligning(), SilentReporter()
    case = a_case(T2=a_scan("t2"), FLAIR=a_scan("flair", at=2.0), T1=a_scan("t1"))
    done = bring_together(case, choice, align=align, reporter=reporter)
    assert align.asked == asked
    assert list(done.by_name) == ["T2", "FLAIR", "T1"]
    assert done.by_name["T1"] is case.by_name["T1"]
    moved = done.by_name["FLAIR"]
    assert moved.grid.origin[0] == (2.0 if choice is AlignChoice.NEVER else 0.0)
    assert moved.steps[-1].step == ("as-it-lies" if choice is AlignChoice.NEVER else "align")
    assert moved.steps[-1].sentence in reporter.messages


def test_scans_of_one_frame_of_reference_are_left_alone():
    align = Aligning()
    case = a_case(T1=a_scan("t1", frame="1.2"), T2=a_scan("t2", at=2.0, frame="1.2"))
    done = bring_together(case, AlignChoice.AUTO, align=align, reporter=SilentReporter())
    assert align.asked == []
    assert done.by_name["T2"] is case.by_name["T2"]


def test_a_failed_alignment_is_refused_and_a_doubtful_one_told():
    case = a_case(T1=a_scan("t1"), T2=a_scan("t2", at=2.0))
    with pytest.raises(InputError, match="'t2' could not be aligned to 't1'"):
        bring_together(case, AlignChoice.AUTO, align=Aligning(Verdict.FAILED), reporter=SilentReporter())
    reporter = SilentReporter()
    bring_together(case, AlignChoice.AUTO, align=Aligning(Verdict.DOUBTFUL), reporter=reporter)
    assert any("is doubtful" in message for message in reporter.messages)


def test_scans_of_two_patients_are_refused_whatever_was_chosen():
    case = a_case(T1=a_scan("t1", patient="a"), T2=a_scan("t2", at=2.0, patient="b"))
    for choice in AlignChoice:
        with pytest.raises(InputError, match="different patients"):
            bring_together(case, choice, align=Aligning(), reporter=SilentReporter())


def made_of(*inputs: InputRecord) -> Provenance:
    region = LocalisedRegion("whole", GRID, False, ((1, 1),))
    return Provenance(
        "model", "1", "0" * 64, "torch", "cpu", "t1", GRID.shape, GRID.spacing, (region,), {}, 1.0, "2026",
        inputs=inputs,
    )  # fmt: skip


@pytest.mark.parametrize("choice", [AlignChoice.AUTO, AlignChoice.NEVER])
def test_what_was_done_in_an_earlier_run_is_done_again(choice: AlignChoice):
    read = a_case(T1=a_scan("t1"), FLAIR=a_scan("flair", at=2.0))
    prepared = step_from_text("z-score").apply(read.by_name["FLAIR"], reporter=SilentReporter()).volume
    case = a_case(T1=read.by_name["T1"], FLAIR=prepared)
    case = bring_together(case, choice, align=Aligning(), reporter=SilentReporter())
    records = [InputRecord(name, scan.name, scan.steps) for name, scan in case.by_name.items()]
    made = Provenance.from_json(made_of(*records).to_json())
    for given in (read, a_case(T1=read.by_name["T1"], FLAIR=prepared)):
        again = as_before(given, made, reporter=SilentReporter())
        assert again.by_name["FLAIR"].grid == case.by_name["FLAIR"].grid
        np.testing.assert_array_equal(again.by_name["FLAIR"].array, case.by_name["FLAIR"].array)
        assert [step.step for step in again.by_name["FLAIR"].steps] == [step.step for step in prepared.steps] + [
            "as-it-lies" if choice is AlignChoice.NEVER else "align"
        ]
        assert list(again.by_name) == list(read.by_name)


def test_a_record_without_inputs_changes_nothing():
    read = a_case(T1=a_scan("t1"))
    assert as_before(read, made_of(), reporter=SilentReporter()).by_name["T1"] is read.by_name["T1"]


def test_what_cannot_be_done_again_is_refused():
    read = a_case(T1=a_scan("t1"))
    by_hand = StepRecord("painted", "Painted by hand.")
    with pytest.raises(InputError, match="went through 'painted' before it was segmented"):
        as_before(read, made_of(InputRecord("T1", "t1", (by_hand,))), reporter=SilentReporter())
    otherwise = a_case(T1=replace(a_scan("t1"), steps=(by_hand,)))
    with pytest.raises(InputError, match="was prepared in another way"):
        as_before(otherwise, made_of(InputRecord("T1", "t1")), reporter=SilentReporter())
