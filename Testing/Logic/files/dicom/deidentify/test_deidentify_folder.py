"""De-identified folders: nothing of the person is left in the bytes, and the scan is still the same scan."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest

from MedSegAI.Logic.errors import Cancelled, InputError, StorageError
from MedSegAI.Logic.files.dicom.deidentify.choices import Dates, DeidentifyChoices, Kept
from MedSegAI.Logic.files.dicom.deidentify.deidentify_folder import deidentify_folder
from MedSegAI.Logic.files.dicom.deidentify.method import is_deidentified
from MedSegAI.Logic.files.dicom.deidentify.pseudonyms import Pseudonyms
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from Testing.Logic.files.dicom.validator import findings, without_values

EVERYTHING = DeidentifyChoices(Dates.SHIFT, frozenset(Kept))
# Empty where the profile says so; the validator would want values for a DICOMDIR.
ALLOWED = "Missing attribute or value that would be needed to build DICOMDIR"
SERIES = {
    "mr": "tcia_brain_dicom/Study1/12-T1post-05670",
    "crop": "tcia_brain_dicom/Study1/13_HCropVolume",
    "ct": "dicom/dcmqi/segmentations/ct-3slice",
    "pet": "pet_suv/acrin_flt_breast",
    "report and segmentation": "dicom/dcmqi/sr-example",
    "multi-frame": "dicom/dcmqi/segmentations/24x38x3/multiframe",
}


@pytest.fixture
def identified(data_folder, tmp_path):
    """A copy of three slices of a real MR series, with a person made up in every place that names one."""
    source = data_folder / SERIES["mr"]
    if not source.is_dir():
        pytest.skip(f"no real data at {source}")
    folder = tmp_path / "Meier Hans"
    folder.mkdir()
    for path in sorted(source.glob("*.dcm"))[:3]:
        dataset = pydicom.dcmread(path)
        add_a_person(dataset)
        dataset.save_as(folder / f"Meier_{path.name}")
    return folder


SECRETS = (
    "Meier",
    "M-4711",
    "19500102",
    "Klinik",
    "Huber",
    "SN-99",
    "secret",
    "20200119",
    "19970117",
    "8701449723783444",
)


def add_a_person(dataset):
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Meier^Hans", "M-4711", "19500102"
    dataset.OtherPatientNames = "Meier^Johann"
    dataset.InstitutionName, dataset.StationName, dataset.DeviceSerialNumber = "Klinik Au", "Klinik-MR1", "SN-99"
    dataset.ReferringPhysicianName = dataset.OperatorsName = "Huber^Eva"
    dataset.SeriesDescription = "T1 post Meier 4711 AX 3mm"
    dataset.StudyDescription = "MRT Kopf Meier"
    dataset.ImageComments = "secret of Meier"
    dataset.PatientAge = "093Y"
    del dataset.PatientIdentityRemoved
    request = pydicom.Dataset()
    request.RequestedProcedureDescription, request.RequestingPhysician = "secret", "Huber^Eva"
    dataset.RequestAttributesSequence = [request]
    nested = pydicom.Dataset()
    nested.ReferencedSOPClassUID, nested.ReferencedSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    nested.PersonName = "Huber^Eva"
    dataset.SourceImageSequence = [nested]
    dataset.private_block(0x0029, "MEIER 1", create=True).add_new(1, "LO", "secret")
    dataset.add_new(0x60003000, "OW", b"secret".ljust(8))
    dataset.add_new(0x60000022, "LO", "secret of Meier")
    dataset.file_meta.SourceApplicationEntityTitle = "KLINIK"
    dataset.preamble = b"secret".ljust(128)


@pytest.fixture(params=[DeidentifyChoices(), EVERYTHING], ids=["basic", "everything kept"])
def choices(request):
    return request.param


def test_no_byte_of_the_person_is_left_anywhere(identified, tmp_path):
    uids = {
        str(pydicom.dcmread(path)[tag].value)
        for path in identified.iterdir()
        for tag in ("SOPInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
    }
    done = deidentify_folder(identified, tmp_path / "out")
    written = sorted((tmp_path / "out").rglob("*.dcm"))
    assert (done.files, done.patients, len(written)) == (3, 1, 3)
    for path in written:
        text = path.read_bytes()
        assert [secret for secret in (*SECRETS, *uids) if secret.encode() in text] == []
        assert not any(part in str(path) for part in ("Meier", "Hans"))
    assert "Meier" not in repr(done.changes) + repr(done.to_plain()["changes"])


def test_what_is_kept_is_kept_and_still_names_nobody(identified, tmp_path):
    deidentify_folder(identified, tmp_path / "out", choices=EVERYTHING)
    dataset = pydicom.dcmread(sorted((tmp_path / "out").rglob("*.dcm"))[0])
    assert (dataset.SeriesDescription, dataset.StudyDescription) == ("T1 post AX 3mm", "")
    assert (dataset.PatientAge, dataset.PatientSex) == ("090Y", "M")
    assert (dataset.InstitutionName, dataset.DeviceSerialNumber) == ("Klinik Au", "SN-99")
    assert "Meier" not in str(dataset)
    # Of GE's private attributes those that PS3.15 lists as safe, each with its creator.
    private = [element for element in dataset if element.tag.is_private and not element.tag.is_private_creator]
    assert {(element.tag.group, element.private_creator) for element in private} <= {
        (0x0019, "GEMS_ACQU_01"),
        (0x0025, "GEMS_SERS_01"),
        (0x0043, "GEMS_PARM_01"),
    }
    assert private


def test_dates_move_by_one_number_of_days_and_times_stay(identified, tmp_path):
    pseudonyms = Pseudonyms()
    deidentify_folder(identified, tmp_path / "out", choices=EVERYTHING, pseudonyms=pseudonyms)
    (days,) = pseudonyms.days.values()
    before = pydicom.dcmread(sorted(identified.iterdir())[0])
    after = pydicom.dcmread(sorted((tmp_path / "out").rglob("*.dcm"))[0])
    pydicom.config.datetime_conversion = False
    for keyword in ("StudyDate", "AcquisitionDate", "ContentDate"):
        moved = np.datetime64(iso(after[keyword].value)) - np.datetime64(iso(before[keyword].value))
        assert moved == np.timedelta64(days, "D")
    assert -3653 <= days < 0
    assert after.StudyTime == before.StudyTime
    assert after.PatientBirthDate == ""
    assert after.LongitudinalTemporalInformationModified == "MODIFIED"


def iso(date):
    return f"{date[:4]}-{date[4:6]}-{date[6:]}"


def test_the_file_says_what_was_done_to_it(identified, tmp_path):
    deidentify_folder(identified, tmp_path / "out")
    dataset = pydicom.dcmread(sorted((tmp_path / "out").rglob("*.dcm"))[0])
    assert is_deidentified(dataset)
    codes = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    # Cleaned pixels, which this series had before, stay true; its other options do not.
    assert codes == ["113100", "113101"]
    assert dataset.LongitudinalTemporalInformationModified == "REMOVED"
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_it_is_still_the_same_scan(data_folder, tmp_path):
    source = data_folder / SERIES["mr"]
    deidentify_folder(source, tmp_path / "out")
    before, after = read_volume(source), read_volume(tmp_path / "out")
    assert np.array_equal(before.array, after.array)
    assert before.grid.same_frame(after.grid)
    assert before.frame_of_reference != after.frame_of_reference != ""


@pytest.mark.parametrize("name", list(SERIES))
def test_the_validator_finds_no_more_than_before(data_folder, tmp_path, name, choices):
    source = data_folder / SERIES[name]
    if not source.is_dir():
        pytest.skip(f"no real data at {source}")
    deidentify_folder(source, tmp_path / "out", choices=choices)
    originals = [path for path in sorted(source.rglob("*")) if path.is_file() and path.suffix != ".md"]
    copies = sorted((tmp_path / "out").rglob("*.dcm"))
    by_class = {pydicom.dcmread(path, stop_before_pixels=True).SOPClassUID: path for path in copies}
    for original in {pydicom.dcmread(p, stop_before_pixels=True).SOPClassUID: p for p in originals}.values():
        copy = by_class[pydicom.dcmread(original, stop_before_pixels=True).SOPClassUID]
        new = without_values(findings(copy)) - without_values(findings(original))
        assert [line for line in new if ALLOWED not in line] == []


def test_files_that_refer_to_each_other_still_do(data_folder, tmp_path):
    source = data_folder / SERIES["report and segmentation"]
    if not source.is_dir():
        pytest.skip(f"no real data at {source}")
    deidentify_folder(source, tmp_path / "out")
    written = [pydicom.dcmread(path) for path in (tmp_path / "out").rglob("*.dcm")]
    originals = [pydicom.dcmread(path) for path in source.iterdir()]
    links = links_among(originals)
    assert len(links) > 0
    assert links_among(written) == links


def links_among(datasets):
    """Pairs of modalities: the first refers to an instance that the second is."""
    owners = {str(dataset.SOPInstanceUID): dataset.Modality for dataset in datasets}
    found = set()
    for dataset in datasets:
        for element in dataset.iterall():
            if element.keyword == "ReferencedSOPInstanceUID" and str(element.value) in owners:
                found.add((dataset.Modality, owners[str(element.value)]))
    return found


def test_two_runs_with_one_key_go_together_and_with_two_do_not(identified, tmp_path):
    key = Pseudonyms()
    for name, pseudonyms in (("a", key), ("b", Pseudonyms(key.key)), ("c", Pseudonyms())):
        deidentify_folder(identified, tmp_path / name, pseudonyms=pseudonyms)
    a, b, c = (pydicom.dcmread(sorted((tmp_path / name).rglob("*.dcm"))[0]) for name in "abc")
    assert (a.SOPInstanceUID, a.PatientID) == (b.SOPInstanceUID, b.PatientID)
    assert a.SOPInstanceUID != c.SOPInstanceUID
    assert a.PatientID != c.PatientID


def test_what_no_header_can_mend_is_said(data_folder, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for name in ("examples_palette.dcm", "MR_small.dcm"):
        shutil.copy(pydicom.data.get_testdata_file(name), source)
    shutil.copy(next((data_folder / SERIES["pet"]).glob("*.dcm")), source)
    capture = pydicom.dcmread(source / "MR_small.dcm")
    capture.BurnedInAnnotation, capture.BodyPartExamined = "YES", "HEAD"
    capture.save_as(source / "MR_small.dcm")
    (source / "note.txt").write_text("Meier")
    done = deidentify_folder(source, tmp_path / "out")
    told = " ".join(done.warnings)
    for part in ("ultrasound", "says so itself", "A face can be rebuilt", "SUV can no longer be computed"):
        assert part in told
    assert [(path.name, reason) for path, reason in done.left_out] == [("note.txt", "it is no DICOM file")]
    assert done.to_plain()["left_out"] == {"it is no DICOM file": 1}


def test_a_document_is_left_out_because_its_text_cannot_be_cleaned(identified, tmp_path):
    path = sorted(identified.iterdir())[0]
    document = pydicom.dcmread(path)
    document.SOPClassUID = document.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.104.1"
    document.save_as(path)
    done = deidentify_folder(identified, tmp_path / "out")
    assert done.files == 2
    assert "document" in done.left_out[0][1]


def test_a_factor_that_suv_needs_is_kept_on_request(data_folder, tmp_path):
    pet = pydicom.dcmread(next((data_folder / SERIES["pet"]).glob("*.dcm")))
    pet.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0, "DS", "0.000551")
    (tmp_path / "in").mkdir()
    pet.save_as(tmp_path / "in" / "1.dcm")
    deidentify_folder(tmp_path / "in", tmp_path / "kept", choices=EVERYTHING)
    deidentify_folder(tmp_path / "in", tmp_path / "basic")
    kept, basic = (pydicom.dcmread(next((tmp_path / name).rglob("*.dcm"))) for name in ("kept", "basic"))
    assert kept.private_block(0x7053, "Philips PET Private Group")[0].value == "0.000551"
    assert not any(element.tag.is_private for element in basic)
    assert kept.PatientWeight == pet.PatientWeight
    told = pet.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime
    assert kept.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime == told


@dataclass
class StopsAfter(SilentReporter):
    files: int = 1

    def progress(self, done, total, stage):
        self.done = done

    def cancelled(self):
        return getattr(self, "done", 0) >= self.files


def test_nothing_is_left_behind_and_the_originals_are_never_touched(identified, tmp_path):
    before = {path: path.read_bytes() for path in identified.iterdir()}
    with pytest.raises(Cancelled):
        deidentify_folder(identified, tmp_path / "out", reporter=StopsAfter())
    assert [path.name for path in tmp_path.iterdir()] == ["Meier Hans"]
    deidentify_folder(identified, tmp_path / "out")
    assert {path: path.read_bytes() for path in identified.iterdir()} == before


@pytest.mark.parametrize("left", [-9000, 6000])
def test_a_file_that_is_cut_short_stops_everything_and_is_named(identified, tmp_path, left):
    path = sorted(identified.iterdir())[1]
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(InputError, match=r"Meier_000001.dcm' is a damaged DICOM file"):
        deidentify_folder(identified, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("target", "error", "sentence"),
    [
        ("Meier Hans", InputError, "originals and copies would mix"),
        ("Meier Hans/out", InputError, "originals and copies would mix"),
        (".", InputError, "originals and copies would mix"),
        ("used", StorageError, "holds something already"),
    ],
)
def test_it_never_writes_among_the_originals_or_other_files(identified, tmp_path, target, error, sentence):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "x").touch()
    with pytest.raises(error, match=sentence):
        deidentify_folder(identified, tmp_path / target)


def test_a_folder_without_dicom_or_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.txt").touch()
    for name, sentence in (("in", "holds no DICOM file"), ("none", "There is no file or folder")):
        with pytest.raises(InputError, match=sentence):
            deidentify_folder(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_every_test_file_of_pydicom_that_is_dicom_can_be_cleaned(tmp_path):
    folder = Path(pydicom.data.get_testdata_file("CT_small.dcm")).parent
    names = (
        "reportsi.dcm",
        "rtplan.dcm",
        "rtdose.dcm",
        "waveform_ecg.dcm",
        "test-SR.dcm",
        "badVR.dcm",
        "MR_small_RLE.dcm",
    )
    (tmp_path / "in").mkdir()
    for name in (*names, "MR_small_bigendian.dcm"):
        shutil.copy(folder / name, tmp_path / "in")
    done = deidentify_folder(tmp_path / "in", tmp_path / "out")
    assert done.files == len(names) + 1
    for path in (tmp_path / "out").rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        people = [element for element in dataset.iterall() if element.VR == "PN" and element.value]
        assert all(str(element.value).startswith(("Anon", "REMOVED")) for element in people)


def test_files_without_preamble_are_cleaned_and_written_whole(identified, tmp_path):
    for path in identified.iterdir():
        # Without the preamble, the magic word and the file meta information, as old exports have them.
        length = pydicom.dcmread(path).file_meta.FileMetaInformationGroupLength
        path.write_bytes(path.read_bytes()[144 + length :])
    done = deidentify_folder(identified, tmp_path / "clean")
    assert (done.files, done.left_out) == (3, ())
    for path in (tmp_path / "clean").rglob("*.dcm"):
        written = pydicom.dcmread(path)
        assert is_deidentified(written) and written.pixel_array.shape == (512, 512)
        assert not any(secret in path.read_bytes() for secret in (b"Meier", b"Hans"))
