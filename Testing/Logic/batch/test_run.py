"""A batch does each case once, whatever happens to it in between; it tells what it does again, and why."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass, field

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.batch.batch_settings import PrepareStep
from MedSegAI.Logic.batch.case_record import CaseStatus
from MedSegAI.Logic.batch.plan import Failures
from MedSegAI.Logic.errors import Cancelled, ModelError, StorageError
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.settings import RunSettings
from Testing.Logic.batch.conftest import MODEL, batch, ledger_lines


@dataclass
class StopsAfter(SilentReporter):
    """Asks to stop once so many cases have ended."""

    cases: int = 1
    seen: list[tuple[int, int]] = field(default_factory=list)

    def progress(self, done: int, total: int, stage: str) -> None:
        if stage == "cases":
            self.seen.append((done, total))

    def cancelled(self) -> bool:
        return len(self.seen) >= self.cases


def test_every_case_gets_its_files_and_a_row_with_its_volumes(scans, out):
    done = batch(scans, out)
    assert done.done_now == 2
    for case in done.table.cases:
        record = done.table.records[case.id]
        assert record.status is CaseStatus.DONE
        stored = read_segmentation(out / record.files["segmentation"])
        assert stored.provenance.input_name == case.source.name.removesuffix(".nii.gz")
        for volume in record.volumes:
            counted = np.count_nonzero(stored.labels.array == volume.value) * stored.labels.grid.voxel_volume_ml
            assert counted > 0.5
            assert volume.volume_ml == pytest.approx(counted)
    assert sorted(path.name for path in out.iterdir()) == [
        *("batch.lock", "cases", "ledger.jsonl", "table.csv", "table.json")
    ]


def test_a_second_run_does_nothing_and_a_new_scan_alone_is_done(scans, out, small_scans):
    batch(scans, out)
    before = [path.stat().st_mtime_ns for path in sorted(out.rglob("cases/*/*"))]
    reporter = SilentReporter()
    assert batch(scans, out, reporter=reporter).done_now == 0
    assert reporter.messages == ["Done before, not done again: 2 cases."]
    assert [path.stat().st_mtime_ns for path in sorted(out.rglob("cases/*/*"))] == before
    shutil.copy(small_scans[2], scans)
    done = batch(scans, out)
    assert (done.done_now, len(done.table.with_status(CaseStatus.DONE))) == (1, 3)
    assert len(ledger_lines(out)) == len(set(ledger_lines(out))) == 3


def test_a_bad_case_fails_with_its_sentence_and_is_tried_again_only_when_asked(scans, out):
    (scans / "bad.nii.gz").write_bytes(b"no image")
    reporter = SilentReporter()
    done = batch(scans, out, reporter=reporter)
    (failed,) = done.table.with_status(CaseStatus.FAILED)
    assert "bad.nii.gz' is not a valid" in failed.sentence
    assert any(failed.case in text and failed.sentence in text for text in reporter.messages)
    assert done.done_now == 2
    again = SilentReporter()
    assert batch(scans, out, reporter=again).table.with_status(CaseStatus.FAILED) == (failed,)
    assert "Failed before, not tried again: 1 case (--retry-failed tries them)." in again.messages
    batch(scans, out, failures=Failures.RETRY)
    assert ledger_lines(out, "failed") == [failed.case] * 2
    assert len(ledger_lines(out)) == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have no such names")
def test_a_name_in_an_old_encoding_stops_no_other_case_and_fails_once(scans, out):
    path = os.fsdecode(os.fsencode(scans) + b"/M\xfcller.nii.gz")
    shutil.copy(sorted(scans.iterdir())[0], path)
    done = batch(scans, out)
    (failed,) = done.table.with_status(CaseStatus.FAILED)
    assert "M?ller.nii.gz' holds letters in an old encoding (not UTF-8)" in failed.sentence
    assert (done.done_now, failed.source) == (2, path)
    assert json.loads((out / "table.json").read_text(encoding="utf-8"))["failed"] == 1
    again = SilentReporter()
    assert batch(scans, out, reporter=again).done_now == 0
    assert "Failed before, not tried again: 1 case (--retry-failed tries them)." in again.messages


def test_a_case_that_failed_is_done_once_its_scan_was_mended(scans, out, small_scans):
    (scans / "bad.nii.gz").write_bytes(b"no image")
    batch(scans, out)
    shutil.copy(small_scans[2], scans / "bad.nii.gz")
    reporter = SilentReporter()
    done = batch(scans, out, reporter=reporter)
    assert (done.done_now, len(done.table.with_status(CaseStatus.DONE))) == (1, 3)
    assert "Done again because the scan changed: 1 case." in reporter.messages


def test_a_changed_scan_is_done_again_and_one_that_was_only_copied_is_not(scans, out):
    batch(scans, out)
    one, other = sorted(scans.iterdir())
    os.utime(one)
    image = sitk.ReadImage(str(other))
    sitk.WriteImage(image * 2, str(other))
    reporter = SilentReporter()
    assert batch(scans, out, reporter=reporter).done_now == 1
    assert "Done again because the scan changed: 1 case." in reporter.messages
    assert [case.startswith(other.name[:15]) for case in ledger_lines(out)] == [False, True, True]


def test_other_settings_are_told_and_everything_is_done_again_and_going_back_as_well(scans, out):
    batch(scans, out)
    reporter = SilentReporter()
    assert batch(scans, out, reporter=reporter, run=RunSettings(overlap=0.0)).done_now == 2
    assert "Done again with other settings: 2 cases (overlap was not set and is 0.0)." in reporter.messages
    assert batch(scans, out, run=RunSettings(overlap=0.0, device="cpu")).done_now == 0, "where it runs does not matter"
    assert batch(scans, out).done_now == 2


def test_results_that_somebody_took_away_are_made_again(scans, out):
    done = batch(scans, out)
    record = done.table.records[done.table.cases[0].id]
    (out / record.files["segmentation"]).unlink()
    reporter = SilentReporter()
    assert batch(scans, out, reporter=reporter).done_now == 1
    assert "Done again because files of the result are missing: 1 case." in reporter.messages


def test_whole_results_whose_line_never_reached_the_ledger_are_taken_as_they_are(scans, out):
    batch(scans, out)
    lines = (out / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (out / "ledger.jsonl").write_bytes(b"".join(lines[:-1]) + lines[-1][:40])
    (out / "unfinished" / "left-by-a-kill").mkdir(parents=True)
    assert batch(scans, out).done_now == 0
    assert batch(scans, out).done_now == 0
    lines = (out / "ledger.jsonl").read_bytes().splitlines()
    assert len(lines) == 4, "settings, one case, the torn line, the other case again"
    assert not (out / "unfinished").exists()


def test_a_stopped_batch_keeps_what_is_done_and_says_how_to_go_on(scans, out):
    with pytest.raises(Cancelled) as stopped:
        batch(scans, out, reporter=StopsAfter(cases=1))
    assert stopped.value.advice == "1 of 2 cases are done and stay; run the same command again to go on."
    assert len(ledger_lines(out)) == 1
    assert "not done" in (out / "table.csv").read_text(encoding="utf-8-sig")
    assert not list(out.glob("running-*"))
    assert batch(scans, out).done_now == 1
    assert len(set(ledger_lines(out))) == 2


def test_two_batches_in_one_folder_refuse_each_other(scans, out):
    @dataclass
    class StartsAnother(SilentReporter):
        refused: str = ""

        def progress(self, done: int, total: int, stage: str) -> None:
            if stage == "cases" and not self.refused:
                with pytest.raises(StorageError) as error:
                    batch(scans, out)
                self.refused = str(error.value)

    reporter = StartsAnother()
    assert batch(scans, out, reporter=reporter).done_now == 2
    assert "Another batch is writing into" in reporter.refused


def test_a_heat_map_is_made_and_a_label_that_is_not_there_is_told(hippocampus_crops, scans, out):
    corner = sitk.ReadImage(str(hippocampus_crops[0].image))[:2, :2, :2]
    sitk.WriteImage(corner, str(scans / "nothing.nrrd"))
    done = batch(scans, out, heat_map_of="anterior_hippocampus")
    *found, nothing = (done.table.records[case.id] for case in done.table.cases)
    assert all((out / record.files["heat map"]).is_file() for record in found)
    assert "heat map" not in nothing.files
    assert nothing.status is CaseStatus.DONE
    assert nothing.sentence.startswith("No heat map: There is nothing to explain")


def test_a_model_whose_weights_were_changed_is_refused_before_any_case(scans, out, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(MODEL, copy)
    weights = copy / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="changed or damaged"):
        batch(scans, out, model=copy)
    assert not out.exists()


def test_a_case_that_fails_now_says_that_its_folder_holds_an_earlier_result(scans, out):
    batch(scans, out)
    spoiled = sorted(scans.iterdir())[0]
    spoiled.write_bytes(spoiled.read_bytes()[:1000])
    (failed,) = batch(scans, out).table.with_status(CaseStatus.FAILED)
    assert failed.sentence.endswith("Its folder still holds the result of an earlier run.")
    assert (out / "cases" / failed.case / "segmentation.seg.nrrd").is_file()


def test_a_model_with_several_inputs_is_refused(scans, out, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(MODEL, copy)
    card = json.loads((copy / "card.json").read_text(encoding="utf-8"))
    card["inputs"] *= 2
    card["inputs"][1] = {**card["inputs"][1], "name": "T2"}
    (copy / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ModelError, match="takes 2 scans at once"):
        batch(scans, out, model=copy)


def test_dicom_gets_a_dicom_segmentation_of_its_series_and_steps_of_preparation_are_recorded(data_folder, scans, out):
    series = data_folder / "tcia_brain_dicom" / "Study1" / "13_HCropVolume"
    if not series.is_dir():
        pytest.skip(f"no real data at {series}")
    shutil.copytree(series, scans / "study")
    sorted(scans.glob("*.nii.gz"))[0].unlink()
    done = batch(scans, out, dicom_segmentation=True, prepare=(PrepareStep.from_text("z-score"),))
    image, dicom = (done.table.records[case.id] for case in done.table.cases)
    assert image.sentence == "No DICOM segmentation: the scan did not come as DICOM."
    header = pydicom.dcmread(out / dicom.files["DICOM segmentation"], stop_before_pixels=True)
    source = pydicom.dcmread(next(series.iterdir()), stop_before_pixels=True)
    assert (header.Modality, header.StudyInstanceUID) == ("SEG", source.StudyInstanceUID)
    assert dicom.series == source.SeriesInstanceUID
    record = json.loads((out / dicom.files["record"]).read_text(encoding="utf-8"))
    assert [step["step"] for step in record["steps"]] == ["z-score"]
    assert record["steps"][0]["sentence"] in record["notes"]
