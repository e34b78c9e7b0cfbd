"""A model that is too sure of itself: judged on reviewed cases, given a new version by a signature, and rolled back."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError, ModelError, StorageError
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.inference.segment import segment
from MedSegAI.Logic.models.calibration import Calibration
from MedSegAI.Logic.models.registry import SHIPPED_MODELS, Model, file_sha256, find_model, read_model
from MedSegAI.Logic.recalibrate.assess import assess
from MedSegAI.Logic.recalibrate.decide import Verdict
from MedSegAI.Logic.recalibrate.draft import Draft, read_draft
from MedSegAI.Logic.recalibrate.reviewed_cases import reviewed_cases
from MedSegAI.Logic.recalibrate.versions import adopt, roll_back
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import ConfidenceChoice, RunSettings
from Testing.Logic.recalibrate.conftest import FIVE, judged


def test_a_model_too_sure_of_itself_gets_a_temperature_and_keeps_its_labels(made_once, sharpened, a_draft):
    assessment = made_once.assessment
    assert assessment.decision.adopt_temperature
    assert assessment.decision.verdict is Verdict.RECALIBRATE
    assert assessment.fitted.temperature > 1.5
    assert assessment.after.ece < assessment.before.ece / 2
    assert {drift.key for drift in assessment.drifts} == {"anterior_hippocampus", "posterior_hippocampus"}
    assert all(drift.then == pytest.approx(0.88, abs=0.02) for drift in assessment.drifts)
    draft = read_draft(a_draft.folder)
    new = adopt(draft, sharpened, signed_by="R. Reader", role="radiologist")
    assert new.card.version == "1.1"
    assert new.card.calibration.temperature == assessment.fitted.temperature
    assert new.card.revision["signed_by"] == "R. Reader"
    assert new.card.revision["report_sha256"] == draft.content["report_sha256"]
    scan = read_volume(assessment.cases[0].scan)
    settings = RunSettings(confidence=ConfidenceChoice.PER_VOXEL)
    before, after = (segment(scan, m, settings=settings, reporter=SilentReporter()) for m in (sharpened, new))
    if not assessment.decision.adopt_thresholds:
        np.testing.assert_array_equal(after.labels.array, before.labels.array)
    assert after.confidence.array.mean() < before.confidence.array.mean()
    assert after.provenance.model_version == "1.1"


def test_the_way_back_is_byte_for_byte(sharpened, a_draft):
    first = (sharpened.folder / "card.json").read_bytes()
    new = adopt(a_draft, sharpened, signed_by="R. Reader")
    second = (new.folder / "card.json").read_bytes()
    assert second != first
    assert roll_back(read_model(new.folder)).card.version == "1"
    assert (new.folder / "card.json").read_bytes() == first
    assert (new.folder / "versions" / "1.1" / "card.json").read_bytes() == second
    again = adopt(a_draft, read_model(new.folder), signed_by="R. Reader")
    assert again.card.version == "1.2"
    with pytest.raises(InputError, match="is its first version"):
        roll_back(sharpened)


def test_an_earlier_card_that_was_changed_is_not_gone_back_to(sharpened, a_draft):
    new = adopt(a_draft, sharpened, signed_by="R. Reader")
    kept = new.folder / "versions" / "1" / "card.json"
    kept.write_text(kept.read_text() + " ")
    with pytest.raises(ModelError, match="version 1 of 'too-sure' is missing or was changed"):
        roll_back(new)


def test_a_shipped_model_is_not_touched_and_its_new_version_is_found_first(a_draft, sharpened):
    shipped = read_model(SHIPPED_MODELS / "hippocampus-mr")
    before = (shipped.folder / "card.json").read_bytes()
    content = a_draft.content | {"card_sha256": file_sha256(shipped.folder / "card.json")}
    new = adopt(Draft(a_draft.folder, content), shipped, signed_by="R. Reader")
    assert (shipped.folder / "card.json").read_bytes() == before
    assert new.folder == sharpened.folder.parent / "hippocampus-mr"
    assert find_model("hippocampus-mr").card.version == "1.1"
    assert roll_back(find_model("hippocampus-mr")).card == shipped.card


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"calibration": None}, "proposes no new calibration"),
        ({"card_sha256": "0" * 64}, "is not about 'too-sure' 1 as it is now"),
    ],
)
def test_a_draft_that_does_not_fit_is_not_adopted(sharpened, a_draft, change, problem):
    with pytest.raises(InputError, match=problem):
        adopt(Draft(a_draft.folder, a_draft.content | change), sharpened, signed_by="R. Reader")
    assert not (sharpened.folder / "versions").exists()


def test_nobody_signs_for_a_draft(sharpened, a_draft):
    with pytest.raises(InputError, match="Nobody signs"):
        adopt(a_draft, sharpened, signed_by="  ")


def test_a_report_that_was_changed_is_not_read_back(a_draft):
    a_draft.report.write_text(a_draft.report.read_text().replace("Keep", "Use"))
    assert "Proposed: temperature" in a_draft.report.read_text()
    a_draft.report.write_text("nothing wrong here")
    with pytest.raises(InputError, match="is not the one that the assessment was written with"):
        read_draft(a_draft.folder)
    with pytest.raises(InputError, match="holds no assessment"):
        read_draft(a_draft.folder.parent)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_models_folder_that_cannot_be_written_leaves_the_model_as_it_was(sharpened, a_draft):
    sharpened.folder.chmod(0o555)
    with pytest.raises(StorageError):
        adopt(a_draft, sharpened, signed_by="R. Reader")
    sharpened.folder.chmod(0o755)
    assert read_model(sharpened.folder).card.version == "1"


def test_reviewers_who_draw_twice_as_much_call_for_fine_tuning_or_a_stop(sharpened, review):
    """The expert's labels moved by four voxels: what the network finds is no longer what reviewers want."""
    assessment = judged(sharpened, review(5, labels_of=lambda labels: np.roll(labels, 4, axis=2)))
    assert assessment.decision.verdict in (Verdict.FINE_TUNE, Verdict.STOP)
    assert all(drift.change.high < 0 for drift in assessment.drifts)


def test_too_few_cases_decide_nothing(sharpened, review):
    with pytest.raises(InputError, match="Only 2 of the cases are reviewed"):
        reviewed_cases(review(2), sharpened, fewest=5)


def test_a_scan_that_counts_twice_is_refused(sharpened, review, tmp_path):
    folders = review(2)
    shutil.copytree(folders[0], tmp_path / "cases" / "again")
    with pytest.raises(InputError, match="are about the same scan"):
        reviewed_cases([*folders, tmp_path / "cases" / "again"], sharpened, fewest=2)


def test_a_case_that_the_model_was_chosen_on_is_refused(sharpened, review):
    folders = review(2)
    scores = json.loads((sharpened.folder / "validation.json").read_text())
    scores["cases"][0]["case"] = "patient-2"
    (sharpened.folder / "validation.json").write_text(json.dumps(scores))
    with pytest.raises(InputError, match="'patient-2' is one of those on which 'too-sure' was chosen"):
        reviewed_cases(folders, sharpened, fewest=2)


def test_a_scan_that_can_no_longer_be_read_is_told_and_stops_nothing(sharpened, review, tmp_path):
    cases = reviewed_cases(review(6), sharpened, fewest=5)
    (tmp_path / "scans" / "patient-3.nii.gz").write_bytes(b"torn")
    assessment = assess(sharpened, cases, rules=FIVE, settings=RunSettings(), reporter=SilentReporter())
    assert len(assessment.measured) == 5
    assert assessment.failed[0].startswith("patient-3: ")


def test_too_few_scans_that_can_be_read_decide_nothing(sharpened, review, tmp_path):
    cases = reviewed_cases(review(5), sharpened, fewest=5)
    for number in range(1, 6):
        (tmp_path / "scans" / f"patient-{number}.nii.gz").write_bytes(b"torn")
    with pytest.raises(InputError, match=r"Only 0 of 5 cases could be segmented\. The first problem: patient-1"):
        assess(sharpened, cases, rules=FIVE, settings=RunSettings(), reporter=SilentReporter())


def test_cases_of_too_few_persons_decide_nothing(made_once):
    """The names of the cases are patient-1 to patient-5; the rule takes all for one person's."""
    with pytest.raises(InputError, match="The 5 cases are of only 1 subjects"):
        judged(made_once.model, made_once.folders, subject_rule="^patient")
    with pytest.raises(InputError, match="finds no subject in the case"):
        judged(made_once.model, made_once.folders, subject_rule="^person")


def test_a_model_that_segments_what_is_pointed_at_is_refused_before_the_work(made_once):
    card = dataclasses.replace(made_once.model.card, components="under-point", point_box_mm=(30.0, 30.0, 30.0))
    with pytest.raises(InputError, match="segments only what is pointed at"):
        judged(Model(made_once.model.folder, card), made_once.folders)


def test_an_adopted_calibration_is_what_the_next_assessment_starts_from(made_once, sharpened, a_draft):
    new = adopt(a_draft, sharpened, signed_by="R. Reader")
    assert isinstance(new.card.calibration, Calibration)
    assessment = judged(new, made_once.folders)
    assert assessment.before.ece == pytest.approx(assessment.after.ece, abs=0.002)
    assert not assessment.decision.adopt_temperature
