"""Each attribute gets what the profile says, where it leaves a choice the least that still conforms."""

from __future__ import annotations

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from MedSegAI.Logic.files.dicom.deidentify.choices import Dates, DeidentifyChoices, Kept
from MedSegAI.Logic.files.dicom.deidentify.clean_dataset import clean_dataset
from MedSegAI.Logic.files.dicom.deidentify.pseudonyms import Pseudonyms

CT, PET, RT_PLAN = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "128", "481.5"))


def cleaned(choices=None, *, sop_class=CT, **attributes):
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.StudyInstanceUID = sop_class, "1.2.3", "1.2.4"
    dataset.PatientName, dataset.PatientID = "Meier^Hans", "17"
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    clean_dataset(dataset, choices or DeidentifyChoices(), Pseudonyms(b"k" * 32))
    return dataset


def test_dates_of_a_series_are_removed_where_they_may_be_missing_and_else_meaningless():
    dates = {"SeriesDate": "20240101", "SeriesTime": "101010", "ContentDate": "20240101", "AcquisitionDate": "20240101"}
    ct = cleaned(**dates)
    assert "SeriesDate" not in ct
    assert (ct.ContentDate, ct.AcquisitionDate) == ("19000101", "")
    pet = cleaned(sop_class=PET, **dates)
    assert (pet.SeriesDate, pet.SeriesTime) == ("19000101", "000000")
    assert cleaned(sop_class=RT_PLAN, RTPlanDate="20240101").RTPlanDate == ""


def test_dates_that_are_kept_stay_and_a_birth_date_never_does():
    kept = cleaned(DeidentifyChoices(Dates.KEEP), SeriesDate="20240101", PatientBirthDate="19500102")
    assert (kept.SeriesDate, kept.PatientBirthDate) == ("20240101", "")
    assert kept.LongitudinalTemporalInformationModified == "UNMODIFIED"


@pytest.mark.parametrize(("age", "kept"), [("089Y", "089Y"), ("090Y", "090Y"), ("101Y", "090Y"), ("006M", "006M")])
def test_an_age_above_89_years_becomes_90(age, kept):
    assert cleaned(DeidentifyChoices(kept=frozenset({Kept.PATIENT})), PatientAge=age).PatientAge == kept
    assert "PatientAge" not in cleaned(PatientAge=age)


def text_item(code, text):
    name, item = Dataset(), Dataset()
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = code, "DCM", "meaning"
    item.ConceptNameCodeSequence, item.ValueType, item.TextValue = [name], "TEXT", text
    return item


def test_texts_of_a_report_go_but_for_those_that_name_the_program():
    person = text_item("121008", "x")
    person.PersonName = "Huber^Eva"
    foreign = text_item("111001", "Mr Meier")
    foreign.ConceptNameCodeSequence[0].CodingSchemeDesignator = "99KLINIK"
    items = [text_item("111001", "hippocampus-mr"), text_item("121071", "Mr Meier is better"), person, foreign]
    report = cleaned(ContentSequence=items)
    assert [item.TextValue for item in report.ContentSequence] == ["hippocampus-mr", *["REMOVED"] * 3]
    assert str(report.ContentSequence[2].PersonName) == "Anon^"
    assert "113104" in [item.CodeValue for item in report.DeidentificationMethodCodeSequence]


def test_names_and_unknown_attributes_that_no_table_lists_go_too():
    dataset = Dataset()
    dataset.add_new(0x00189999, "LO", "who knows")
    odd = cleaned(VerifyingObserverSequence=[dataset], EvaluatorName="Huber^Eva", ExpiryDate="20250101")
    assert len(odd.VerifyingObserverSequence[0]) == 0
    assert (str(odd.EvaluatorName), odd.ExpiryDate) == ("", "")


def test_what_tells_of_a_person_or_a_hospital_goes_though_no_table_lists_it():
    issuer = Dataset()
    issuer.LocalNamespaceEntityID = "Klinik Au"
    odd = cleaned(
        PatientBirthDateInAlternativeCalendar="2493-01-02",
        CommentsOnTheScheduledProcedureStep="Mr Meier is late",
        FillerOrderNumberProcedure="4711",
        RetrieveURL="https://pacs.klinik-au.example/studies/1.2.4",
        IssuerOfAccessionNumberSequence=[issuer],
    )
    for value in ("2493", "Meier is late", "4711", "klinik-au", "Klinik Au"):
        assert value not in str(odd)


def test_the_label_of_a_structure_set_never_becomes_empty():
    choices = DeidentifyChoices(kept=frozenset({Kept.DESCRIPTIONS}))
    assert cleaned(choices, StructureSetLabel="Meier").StructureSetLabel == "REMOVED"


def test_a_private_value_that_cannot_be_read_is_not_kept():
    tag = pydicom.tag.Tag(0x0043106F)
    three_bytes = pydicom.dataelem.RawDataElement(tag, "FD", 3, b"\x01\x02\x03", 0, False, True)
    item = Dataset({tag: three_bytes})
    item.add_new(0x00430010, "LO", "GEMS_PARM_01")
    file = cleaned(DeidentifyChoices(kept=frozenset({Kept.PRIVATE})), SourceImageSequence=[item])
    assert list(file.SourceImageSequence[0].keys()) == []


def test_uids_of_things_change_and_uids_of_kinds_stay():
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, "1.2.3"
    dataset = cleaned(
        ReferencedImageSequence=[item], RelatedGeneralSOPClassUID="1.2.3.4.5", IrradiationEventUID=["1.9", "1.8"]
    )
    (reference,) = dataset.ReferencedImageSequence
    assert reference.ReferencedSOPClassUID == CT
    assert reference.ReferencedSOPInstanceUID == dataset.SOPInstanceUID != "1.2.3"
    assert dataset.RelatedGeneralSOPClassUID == "1.2.3.4.5"
    assert all(uid.startswith("2.25.") for uid in dataset.IrradiationEventUID)


def test_patients_without_an_id_are_told_apart_by_their_studies():
    one, same = cleaned(PatientID=""), cleaned(PatientID="")
    assert one.PatientID == same.PatientID
    assert cleaned(PatientID="", StudyInstanceUID="1.2.5").PatientID != one.PatientID


def test_what_was_done_to_pixels_before_stays_said_and_nothing_else_of_before():
    def code(value):
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", "meaning"
        return item

    earlier = [code("113100"), code("113102"), code("113106")]
    choices = DeidentifyChoices(Dates.SHIFT, frozenset({Kept.DEVICE, Kept.INSTITUTION}))
    dataset = cleaned(choices, DeidentificationMethodCodeSequence=earlier)
    codes = [item.CodeValue for item in dataset.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113102", "113109", "113112", "113107"]
