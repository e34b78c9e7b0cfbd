"""What PET headers say reaches ``Volume.acquisition``: real metadata, private tags, enhanced PET, whole series."""

from __future__ import annotations

import json

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, PositronEmissionTomographyImageStorage

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.files.dicom.pet_parameters import (
    acquisition_from_instances,
    image_values,
    pet_acquisition,
    pet_unit,
)
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.reporter import SilentReporter
from MedSegAI.Logic.standardise.pet.body_size import BodySize
from MedSegAI.Logic.standardise.pet.pet_image import images_of
from MedSegAI.Logic.standardise.pet.suv import Suv
from MedSegAI.Logic.standardise.pet.suv_factors import suv_factors
from MedSegAI.Logic.volume import Modality, Unit

VENDORS = {
    "PHILIPS_BQML": Unit.ACTIVITY,
    "PHILIPS_CNTS_AND_SUV": Unit.COUNTS,
    "SIEMENS": Unit.ACTIVITY,
    "BQML_AC_DT_lessThan_S_DT_SIEMENS": Unit.ACTIVITY,
}
SPACING = 4.0
STORED = np.arange(5 * 6 * 7).reshape(5, 6, 7).astype(np.int16) * 100


@pytest.mark.parametrize("series", VENDORS)
def test_real_series_of_three_vendors_have_the_factor_that_is_expected(data_folder, series):
    folder = data_folder / "pet_suv"
    expected = json.loads((folder / "expected_suvbw_first_instance.json").read_text())[series]
    instances = json.loads((folder / "calculate_suv_metadata" / f"{series}-instances.json").read_text())
    acquisition = acquisition_from_instances(instances)
    assert pet_unit(acquisition) is VENDORS[series]
    factors = suv_factors(images_of(acquisition), BodySize.WEIGHT).factors
    assert len(factors) == len(instances) or "images" not in acquisition
    assert factors == pytest.approx([expected] * len(factors), rel=1e-6)


def test_a_real_header_read_from_its_file(data_folder):
    """A slice of ACRIN-FLT-Breast: 69.7344 kg, 178.340 MBq at 14:17:00, series at 15:23:16.921, half-life 6586.2 s."""
    values = image_values(pydicom.dcmread(data_folder / "pet_suv" / "acrin_flt_breast" / "1.dcm"))
    (factor,) = suv_factors(images_of(values), BodySize.WEIGHT).factors
    assert factor == pytest.approx(69734.4 / (178340011.59668 * 2 ** (-3976.921 / 6586.2)), rel=1e-9)


def a_header(**changes):
    """A valid header with 80 kg, 400 MBq at 23:30 the day before, a scan from 00:30 on and a half-life of one hour."""
    dataset = Dataset()
    dataset.SOPClassUID = PositronEmissionTomographyImageStorage
    dataset.Modality, dataset.Units, dataset.DecayCorrection = "PT", "BQML", "START"
    dataset.CorrectedImage = ["DECY", "ATTN", "SCAT"]
    dataset.PatientWeight, dataset.PatientSize, dataset.PatientSex = "80", "1.8", "F"
    dataset.SeriesDate = dataset.AcquisitionDate = "20260302"
    dataset.SeriesTime, dataset.AcquisitionTime = "003000.0", "003000.0"
    injection = Dataset()
    injection.RadionuclideTotalDose, injection.RadionuclideHalfLife = "400000000", "3600"
    injection.RadiopharmaceuticalStartTime = "233000"
    dataset.RadiopharmaceuticalInformationSequence = Sequence([injection])
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return dataset


FACTOR = 80e3 / 200e6


def write_series(folder, *, syntax=ExplicitVRLittleEndian, shuffled=False, edit=None):
    """A PET series as a scanner writes one: a file a slice, each with a rescale slope of its own."""
    folder.mkdir(exist_ok=True)
    series, study, frame = (pydicom.uid.generate_uid() for _ in range(3))
    for k, stored in enumerate(STORED):
        dataset = a_header(SeriesInstanceUID=series, StudyInstanceUID=study, FrameOfReferenceUID=frame)
        dataset.SOPInstanceUID, dataset.SeriesDescription = pydicom.uid.generate_uid(), "PET AC"
        dataset.ImagePositionPatient = [-10.0, -20.0, SPACING * k - 100.0]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.PixelSpacing, dataset.InstanceNumber = [2.0, 2.0], k + 1
        dataset.Rows, dataset.Columns = stored.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 1
        dataset.RescaleSlope, dataset.RescaleIntercept = f"{0.5 + k / 4}", "0"
        dataset.PixelData = stored.tobytes()
        dataset.AcquisitionTime = f"0030{10 * k:02d}.0"
        if edit is not None:
            edit(dataset, k)
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = syntax
        name = f"{(k * 3) % len(STORED) if shuffled else k}.dcm"
        dataset.save_as(folder / name, enforce_file_format=True)
    return folder


def suv_of(folder, **settings):
    return Suv(**settings).apply(read_volume(folder), reporter=SilentReporter())


def measured():
    """The values in Bq/mL (or counts): each slice by its own slope."""
    return STORED * (0.5 + np.arange(len(STORED)) / 4)[:, None, None]


def test_a_series_is_read_to_suv_from_end_to_end(tmp_path):
    folder = write_series(tmp_path / "pet", shuffled=True)
    volume = read_volume(folder)
    assert (volume.modality, volume.unit) == (Modality.PET, Unit.ACTIVITY)
    assert json.loads(json.dumps(volume.acquisition)) == volume.acquisition
    assert volume.acquisition["PatientWeight"] == 80.0
    assert [image["position"][2] for image in volume.acquisition["images"]] == [SPACING * k - 100 for k in range(5)]
    done = suv_of(folder)
    assert done.record.figures["factor"] == pytest.approx(FACTOR, rel=1e-12)
    np.testing.assert_allclose(done.volume.array, measured() * FACTOR, rtol=1e-6)
    assert done.volume.unit is Unit.SUV_BODY_WEIGHT
    np.testing.assert_allclose(done.undo(done.volume.array), measured(), rtol=1e-6)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("scaled_to_suv", [True, False])
def test_philips_counts_are_read_with_their_private_factors(tmp_path, syntax, scaled_to_suv):
    def philips(dataset, _):
        dataset.Units = "CNTS"
        # The block need not be the first: another creator came before.
        dataset.private_block(0x7053, "Another Group", create=True)
        block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(0x00, "DS", "0.0008" if scaled_to_suv else "0")
        block.add_new(0x09, "DS", "3.5")

    folder = write_series(tmp_path / "pet", syntax=syntax, edit=philips)
    assert read_volume(folder).unit is Unit.COUNTS
    np.testing.assert_allclose(
        suv_of(folder).volume.array, measured() * (0.0008 if scaled_to_suv else 3.5 * FACTOR), rtol=1e-6
    )


def test_the_private_scan_time_of_ge_is_read(tmp_path):
    def ge(dataset, _):
        dataset.SeriesTime = "120000"
        dataset.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20260302013000.00")

    done = suv_of(write_series(tmp_path / "pet", edit=ge))
    assert done.record.figures["factor"] == pytest.approx(80e3 / 100e6, rel=1e-12)


def test_uncorrected_slices_each_have_the_factor_of_their_own_time(tmp_path):
    def raw(dataset, k):
        dataset.DecayCorrection, dataset.CorrectedImage = "NONE", ["ATTN"]
        dataset.AcquisitionTime, dataset.ActualFrameDuration = f"0{k}3000", "1"

    done = suv_of(write_series(tmp_path / "pet", edit=raw))
    factors = FACTOR * 2.0 ** np.arange(5)
    np.testing.assert_allclose(done.volume.array, measured() * factors[:, None, None], rtol=1e-6)


def test_stored_suv_keeps_its_unit(tmp_path):
    def stored_as_suv(dataset, _):
        dataset.Units, dataset.SUVType = "GML", "LBMJANMA"

    folder = write_series(tmp_path / "pet", edit=stored_as_suv)
    assert read_volume(folder).unit is Unit.SUV_LEAN_BODY_MASS
    np.testing.assert_allclose(suv_of(folder, by="lbm").volume.array, measured(), rtol=1e-6)


def test_a_missing_tag_is_named_after_reading(tmp_path):
    def without_weight(dataset, _):
        del dataset.PatientWeight

    with pytest.raises(InputError, match=r"no Patient's Weight \(0010,1030\)"):
        suv_of(write_series(tmp_path / "pet", edit=without_weight))


def test_several_injections_are_refused():
    header = a_header()
    header.RadiopharmaceuticalInformationSequence.append(Dataset())
    with pytest.raises(InputError, match=r"2 injections: .* \(0054,0016\)"):
        image_values(header)
    assert "RadionuclideTotalDose" not in image_values(a_header(RadiopharmaceuticalInformationSequence=Sequence()))


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("Bq/ml", Unit.ACTIVITY),
        ("g/ml{SUVbw}", Unit.SUV_BODY_WEIGHT),
        ("g/ml{SUVlbm(James128)}", Unit.SUV_LEAN_BODY_MASS),
        ("cm2/ml{SUVbsa}", Unit.SUV_BODY_SURFACE),
    ],
)
def test_enhanced_pet_says_it_in_its_functional_groups(tmp_path, code, unit):
    def one(keyword, **values):
        item, outer = Dataset(), Dataset()
        for name, value in values.items():
            setattr(item, name, value)
        setattr(outer, keyword, Sequence([item]))
        return outer

    header = a_header(DecayCorrected="YES", AttenuationCorrected="YES", DecayCorrectionDateTime="20260302003000")
    for keyword in ("Units", "CorrectedImage", "DecayCorrection", "SeriesTime", "AcquisitionTime"):
        delattr(header, keyword)
    units = Dataset()
    setattr(units, "CodeValue" if len(code) <= 16 else "LongCodeValue", code)
    header.SharedFunctionalGroupsSequence = Sequence(
        [one("RealWorldValueMappingSequence", MeasurementUnitsCodeSequence=Sequence([units]))]
    )
    header.PerFrameFunctionalGroupsSequence = Sequence(
        [one("FrameContentSequence", FrameAcquisitionDateTime=f"2026030200{30 + k}00") for k in range(2)]
    )
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    path = tmp_path / "enhanced.dcm"
    header.save_as(path, enforce_file_format=True)
    acquisition = pet_acquisition([(path, 0, (0, 0, 0)), (path, 1, (0, 0, 3))], (0, 0, 1))
    assert pet_unit(acquisition) is unit
    assert [image["AcquisitionDateTime"] for image in acquisition["images"]] == ["20260302003000", "20260302003100"]
    if unit is Unit.ACTIVITY:
        assert suv_factors(images_of(acquisition), BodySize.WEIGHT).factors == pytest.approx([FACTOR] * 2)


def test_flat_metadata_may_carry_the_private_time_of_ge():
    acquisition = acquisition_from_instances([{"Units": "BQML", "GEPrivatePostInjectionDateTime": "20260302003000"}])
    assert acquisition == {"Units": "BQML", "GEScanDateTime": "20260302003000"}
    assert pet_unit({"images": [{"Units": "BQML"}, {"Units": "CNTS"}]}) is Unit.ARBITRARY
