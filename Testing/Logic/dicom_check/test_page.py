"""The page of the compliance check needs nothing else, and says first what matters."""

from __future__ import annotations

import re

from MedSegAI.Logic.dicom_check.check import check_dicom
from MedSegAI.Logic.dicom_check.page import check_page
from MedSegAI.Logic.dicom_check.verdict import summary_sentence, verdict_sentence
from Testing.synthetic_series import a_pattern, edit, write_series


def test_verdicts_and_findings_are_on_the_page(tmp_path):
    paths = write_series(tmp_path / "good", a_pattern((10, 16, 16)))
    edit(paths[4], KVP=None)
    write_series(tmp_path / "bad", a_pattern((10, 16, 16)), intercept=0, number=2)[3].unlink()
    text = check_page(check_dicom(tmp_path), created="2026-03-31")
    assert "Of 2 scans 1 can be segmented as it is." in text
    assert 'class="good"' in text and 'class="bad"' in text
    assert "KVP (0018,0060) is missing" in text
    assert "Made 2026-03-31." in text
    assert '<td class="yes">yes</td>' in text
    assert text.index("It can be segmented; one fault") < text.index("KVP (0018,0060)")


def test_the_page_needs_nothing_from_elsewhere_and_escapes_what_files_say(tmp_path):
    def change(dataset, k):
        dataset.SeriesDescription = "<script>alert(1)</script>"

    write_series(tmp_path, a_pattern((10, 16, 16)), change=change)
    text = check_page(check_dicom(tmp_path))
    assert "<script>" not in text and "&lt;script&gt;" in text
    assert re.findall(r"(?:src|href)=\"(?!#)", text) == []
    assert "Doe" not in text and "P-17" not in text


def test_verdicts_of_every_kind_are_sentences(data_folder):
    report = check_dicom(data_folder / "dicom" / "dcmqi" / "sr-example")
    assert summary_sentence(report) == "There is no scan. There are 3 series without a volume."
    assert {verdict_sentence(series) for series in report.series} == {
        "There is nothing to segment in it: it is no volume of a scan."
    }
    text = check_page(report)
    assert 'class="no-scan"' in text and "is a DICOM file but not an image (SR)" in text


def test_many_faults_are_counted(tmp_path):
    for path in write_series(tmp_path, a_pattern((10, 16, 16))):
        edit(path, KVP=None, AcquisitionNumber=None, FrameOfReferenceUID=None)
    report = check_dicom(tmp_path)
    assert "3 faults against the standard do not hinder" in verdict_sentence(report.series[0])
    assert "000.dcm, 001.dcm, 002.dcm and 7 more" in check_page(report)
