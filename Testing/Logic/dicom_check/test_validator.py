"""The validator runs beside us: what it says is kept, and when it dies that is a finding."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from MedSegAI.Logic.dicom_check.plain_words import findings_of, without_persons
from MedSegAI.Logic.dicom_check.sample import files_to_validate
from MedSegAI.Logic.dicom_check.validator import Validation, find_validator, validate
from MedSegAI.Logic.errors import Cancelled
from MedSegAI.Logic.reporter import SilentReporter
from Testing.synthetic_series import a_pattern, edit, write_series


@pytest.fixture
def validator():
    program, name = find_validator()
    if program is None:
        pytest.skip("dciodvfy is not installed")
    assert "dciodvfy" in name
    return program


def a_program(path, script):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_what_it_says_is_kept_file_by_file(tmp_path, validator):
    paths = write_series(tmp_path, a_pattern((3, 8, 8)))
    edit(paths[1], KVP=None)
    first, second, third = validate(paths, validator=validator, reporter=SilentReporter())
    assert (first.lines, first.failed, third.lines) == ((), "", ())
    assert second.path == paths[1]
    assert "KVP" in second.lines[0]


def test_a_crash_is_a_finding(tmp_path):
    crashing = a_program(tmp_path / "crashing", 'echo "Error - the end is near" >&2; kill -ABRT $$')
    (done,) = validate([tmp_path / "x"], validator=crashing, reporter=SilentReporter())
    assert (done.failed, done.lines) == ("crashed", ("Error - the end is near",))
    *_, finding = findings_of([done])
    assert finding.title == "The validator crashed" and not finding.hinders


def test_a_file_that_takes_too_long_is_a_finding(tmp_path):
    slow = a_program(tmp_path / "slow", 'echo "Warning - one"; exec sleep 20')
    start = time.monotonic()
    (done,) = validate([tmp_path / "x"], validator=slow, reporter=SilentReporter(), seconds=0.3)
    assert time.monotonic() - start < 10
    assert (done.failed, done.lines) == ("took too long", ("Warning - one",))


def test_a_program_that_does_not_start_is_a_finding(tmp_path):
    (done,) = validate([tmp_path / "x"], validator=tmp_path / "absent", reporter=SilentReporter())
    assert done.failed == "could not be started"


def test_it_can_be_stopped(tmp_path, validator):
    class Impatient(SilentReporter):
        def cancelled(self):
            return True

    with pytest.raises(Cancelled):
        validate(write_series(tmp_path, a_pattern((3, 8, 8))), validator=validator, reporter=Impatient())


def said(*lines, files=("a.dcm",)):
    return findings_of([Validation(Path(name), lines) for name in files])


@pytest.mark.parametrize(
    ("line", "title", "meaning"),
    [
        (
            "Error - </EchoTime(0018,0081)> - Missing attribute for Type 2 Required - Module=<MRImage>",
            "Echo Time (0018,0081) is missing",
            "may be empty",
        ),
        (
            "Error - </A(0008,1140)[1]/B(0008,1150)> - Missing attribute for Type 1 Required - Module=<X>",
            "B (0008,1150) is missing",
            "must say it",
        ),
        ("Warning - </(7fe0,0000)> - Retired attribute", "Group Length (gggg,0000) is out of date", "retired"),
        ("Warning - </(0019,10d9)> - Private tag without owner", "Attribute (0019,10d9) has no owner", "private"),
        (
            'Warning - </(0027,1033,"GEMS_IMAG_01")> - Explicit value representation doesn\'t match data dictionary',
            "Attribute (0027,1033) has a wrong type",
            "another type",
        ),
        (
            "Warning - </ScanOptions(0018,0022)[2]> - Unrecognized defined term = <FC>",
            "Scan Options (0018,0022) has an unusual term",
            "none of the terms",
        ),
        ("Error - Dicom dataset read failed", "A rule of the standard is broken", "Dicom dataset read failed"),
    ],
)
def test_messages_become_plain_words(line, title, meaning):
    (finding,) = said(line)
    assert finding.title == title
    assert meaning in finding.meaning
    assert finding.said == line
    assert finding.weight.value == line.split()[0].lower()


def test_the_same_of_many_files_and_values_is_said_once_with_the_count():
    lines = [f"Warning - </ScanOptions(0018,0022)[{n}]> - Unrecognized defined term = <T{n}>" for n in range(1, 5)]
    (finding,) = said(*lines, files=[f"{n}.dcm" for n in range(7)])
    assert (finding.count, finding.examples) == (7, ("0.dcm", "1.dcm", "2.dcm"))


def test_what_the_geometry_lacks_hinders():
    (finding,) = said(
        "Error - </PixelSpacing(0028,0030)> - Missing attribute for Type 1 Required - Module=<ImagePlane>"
    )
    assert finding.hinders


def test_names_of_persons_are_not_repeated():
    line = "Warning - </PatientName(0010,0010)[1]> - Value dubious for this VR [PN] = <Doe> - Retired Person Name form"
    assert "Doe" not in without_persons(line)
    assert "Doe" not in str(said(line))
    assert "AXIAL" in without_persons("Warning - </ImageType(0008,0008)[3]> - Unrecognized defined term = <AXIAL>")


class Header(dict):
    """What ``files_to_validate`` looks at, without files."""

    @property
    def file_meta(self):
        return {}

    def __iter__(self):
        class Element:
            def __init__(self, tag, value):
                self.tag, self.VR, self.is_empty = tag, "LO", value == ""

        return iter([Element(number, value) for number, value in enumerate(self.values())])


def test_first_middle_last_and_all_that_differ_are_looked_at():
    same = [(number, Header(Rows=16, Modality="CT")) for number in range(11)]
    assert files_to_validate(same, all_files=False) == (0, 5, 10)
    assert len(files_to_validate(same, all_files=True)) == 11
    same[3] = (3, Header(Rows=16, Modality=""))
    same[4] = (4, Header(Rows=32, Modality="CT"))
    same[7] = (7, Header(Rows=32, Modality="CT"))
    assert files_to_validate(same, all_files=False) == (0, 3, 4, 5, 10)
