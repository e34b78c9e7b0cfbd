"""What a report says of each segment: its volume, and a mean only where everybody knows what it means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from MedSegAI.Logic.files.dicom.export import DicomObject, export_case
from MedSegAI.Logic.files.dicom.segment_statistics import in_known_unit, segment_statistics
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.files.read_segmentation import Segmentation
from MedSegAI.Logic.geometry import Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.localised_region import LocalisedRegion
from MedSegAI.Logic.volume import Modality, Unit, Volume
from Testing.Logic.corrections.conftest import MADE
from Testing.Logic.files.dicom.validator import findings

LUMP = Label(4, "lump", "Lump", (1, 0, 0))
GRID = Grid((3, 8, 8), (1, 2, 5))


@pytest.fixture
def labels():
    array = np.zeros(GRID.shape, np.uint8)
    array[1, 2:4, 3:6] = 4
    return Volume(array, GRID)


@pytest.mark.parametrize(
    ("unit", "quantity", "ucum"),
    [
        (Unit.HOUNSFIELD, "Attenuation Coefficient", "[hnsf'U]"),
        (Unit.SUV_BODY_WEIGHT, "SUVbw", "g/ml{SUVbw}"),
        (Unit.SUV_LEAN_BODY_MASS, "SUVlbm", "g/ml{SUVlbm}"),
        (Unit.SUV_BODY_SURFACE, "SUVbsa", "cm2/ml{SUVbsa}"),
    ],
)
def test_volume_and_mean_with_their_codes(labels, unit, quantity, ucum):
    scan = Volume(np.arange(labels.array.size, dtype=np.int16).reshape(GRID.shape), GRID, unit=unit)
    (found,) = segment_statistics(labels, [LUMP], scan)
    assert found.volume_ml == pytest.approx(6 * 10 / 1000)
    assert found.mean == pytest.approx(scan.array[labels.array == 4].mean())
    assert (found.quantity.meaning, found.unit.value) == (quantity, ucum)


@pytest.mark.parametrize("unit", [Unit.ARBITRARY, Unit.COUNTS, Unit.ACTIVITY, Unit.PROBABILITY])
def test_no_mean_of_what_has_no_standard_unit(labels, unit):
    scan = Volume(np.ones(GRID.shape, np.float32), GRID, unit=unit)
    (found,) = segment_statistics(labels, [LUMP], scan)
    assert (found.mean, found.quantity, found.unit) == (None, None, None)


@pytest.fixture
def pet(data_folder, tmp_path):
    """A series of three slices made of one real PET slice, the second and third a little hotter."""
    source = data_folder / "pet_suv" / "acrin_flt_breast" / "1.dcm"
    if not source.is_file():
        pytest.skip(f"no real data at {source}")
    (tmp_path / "pet").mkdir()
    for k in range(3):
        dataset = pydicom.dcmread(source)
        x, y, z = map(float, dataset.ImagePositionPatient)
        dataset.ImagePositionPatient = [x, y, z + k * float(dataset.SliceThickness)]
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.InstanceNumber = k + 1
        dataset.RescaleSlope = float(dataset.RescaleSlope) * (1 + k)
        dataset.save_as(tmp_path / "pet" / f"{k}.dcm")
    return tmp_path / "pet"


def test_a_pet_report_gives_suv_by_the_factor_of_its_header(pet, tmp_path):
    highdicom = pytest.importorskip("highdicom")
    scan = read_volume(pet)
    assert scan.unit is Unit.ACTIVITY
    array = np.zeros(scan.grid.shape, np.uint8)
    array[:, 60:70, 60:70] = 4
    result = Segmentation(Volume(array, scan.grid), LabelTable((LUMP,)))
    written = export_case(tmp_path / "out", result, source=pet, objects=[DicomObject.SEGMENTATION, DicomObject.REPORT])
    (group,) = highdicom.sr.srread(written[1].path).content.get_volumetric_roi_measurement_groups()
    measured = {found.name.meaning: found.value for found in group.get_measurements()}
    # 69.7344 kg and 178.340 MBq, decayed from 14:17:00 to 15:23:16.921 with a half-life of 6586.2 s.
    factor = 69734.4 / (178340011.59668 * 2 ** (-3976.921 / 6586.2))
    assert measured["SUVbw"] == pytest.approx(scan.array[array == 4].astype(float).mean() * factor, rel=1e-5)
    for one in written:
        assert not [line for line in findings(one.path) if line.startswith("Error")]


def test_a_pet_scan_whose_header_lacks_something_keeps_its_unit(pet):
    for path in pet.iterdir():
        dataset = pydicom.dcmread(path)
        del dataset.PatientWeight
        dataset.save_as(path)
    scan = read_volume(pet)
    assert in_known_unit(scan) is scan
    mr = Volume(np.ones(GRID.shape, np.float32), GRID, Modality.MR)
    assert in_known_unit(mr) is mr


def test_what_was_pointed_at_is_measured_across(labels):
    """The lump is 3 voxels of 1 mm by 2 of 2 mm in its plane."""
    (plain,) = segment_statistics(labels, [LUMP], labels)
    assert (plain.long_mm, plain.short_mm) == (None, None)
    (across,) = segment_statistics(labels, [LUMP], labels, diameters_of={4})
    assert 4.0 <= across.long_mm <= 5.0 and 2.0 <= across.short_mm <= 4.0


def test_the_report_of_a_nodule_holds_its_long_and_its_short_axis(data_folder, tmp_path):
    highdicom = pytest.importorskip("highdicom")
    series = data_folder / "dicom" / "dcmqi" / "segmentations" / "ct-3slice"
    if not series.is_dir():
        pytest.skip(f"no real data at {series}")
    scan = read_volume(series)
    array = np.zeros(scan.grid.shape, np.uint8)
    array[1, 200:220, 210:222] = 4
    region = LocalisedRegion("lump 1", scan.grid, False, ((1, 4),))
    made = replace(MADE, regions=(region,), settings={"points": [[0.0, 0.0, 0.0]]})
    result = Segmentation(Volume(array, scan.grid), LabelTable((LUMP,)), made)
    written = export_case(tmp_path / "out", result, source=series)
    report = next(one.path for one in written if one.kind is DicomObject.REPORT)
    (group,) = highdicom.sr.srread(report).content.get_volumetric_roi_measurement_groups()
    measured = {one.name.meaning: (one.value, one.unit.value) for one in group.get_measurements()}
    step = scan.grid.spacing[0]
    assert measured["Long Axis"][1] == measured["Short Axis"][1] == "mm"
    assert 20 * step <= measured["Long Axis"][0] <= step * np.hypot(20, 12)
    assert measured["Short Axis"][0] == pytest.approx(12 * step, rel=0.5)
    assert [line for line in findings(report) if "Axis" in line] == []
