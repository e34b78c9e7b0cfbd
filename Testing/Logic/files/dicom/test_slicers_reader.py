"""What 3D Slicer would show: dcmqi, the library behind its DICOM plugins (Quantitative Reporting), reads our objects.

Slicer's plugins call these very programs' code and put what they give into nodes; the plugins themselves need the
desktop application and are not run here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.dicom.export import DicomObject, export_case
from MedSegAI.Logic.files.dicom.write_dicom_segmentation import SegmentationKind

pytest.importorskip("highdicom")
SERIES = ("ct", "mr", "crop", "multi-frame")


def run(program: str, *arguments: object) -> None:
    """Run one of dcmqi's programs; the test is skipped where dcmqi is missing."""
    path = Path(sys.executable).with_name(program)
    if not path.exists():
        pytest.skip("dcmqi is not installed: pip install dcmqi")
    done = subprocess.run([path, *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def on_grid_of(scan, image):
    """The voxels (k, j, i) of an image that may cover only a part of the scan."""
    return sitk.GetArrayFromImage(sitk.Resample(image, scan.to_sitk(), sitk.Transform(), sitk.sitkNearestNeighbor, 0))


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("kind", list(SegmentationKind))
def test_the_segmentation_has_the_same_voxels_in_the_same_places(case_on, tmp_path, name, kind):
    case = case_on(name)
    (one,) = export_case(
        tmp_path / "out", case.segmentation, source=case.series, objects=[DicomObject.SEGMENTATION], kind=kind
    )
    (tmp_path / "read").mkdir()
    run(
        "segimage2itkimage", "--inputDICOM", one.path, "--outputDirectory", tmp_path / "read", "-t", "nrrd",
        "--prefix", "seg", "--mergeSegments",
    )  # fmt: skip
    image = sitk.ReadImage(str(tmp_path / "read" / "seg-1.nrrd"))
    labels = case.segmentation.labels.array
    assert np.count_nonzero(sitk.GetArrayViewFromImage(image)) == np.count_nonzero(labels)
    assert np.array_equal(np.array([0, 3, 7], np.uint8)[on_grid_of(case.scan, image)], labels)
    told = json.loads((tmp_path / "read" / "seg-meta.json").read_text())["segmentAttributes"]
    segments = sorted((segment for group in told for segment in group), key=lambda segment: segment["labelID"])
    assert [segment["SegmentLabel"] for segment in segments] == ["Left kidney", "Lump"]
    assert segments[0]["SegmentedPropertyTypeModifierCodeSequence"]["CodeMeaning"] == "Left"


@pytest.mark.parametrize("name", SERIES)
def test_the_heat_map_is_the_right_way_up_and_has_every_float(case_on, tmp_path, name):
    case = case_on(name)
    (one,) = export_case(
        tmp_path / "out",
        case.segmentation,
        source=case.series,
        objects=[DicomObject.HEAT_MAP],
        heat_map=case.heat_map,
        heat_label="left_kidney",
    )
    (tmp_path / "read").mkdir()
    run(
        "paramap2itkimage", "--inputDICOM", one.path, "--outputDirectory", tmp_path / "read", "-t", "nrrd",
        "--prefix", "map",
    )  # fmt: skip
    image = sitk.ReadImage(str(tmp_path / "read" / "map-pmap.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(image), case.heat_map.array)
    np.testing.assert_allclose(image.GetOrigin(), case.scan.grid.origin, atol=1e-3)
    np.testing.assert_allclose(image.GetSpacing(), case.scan.grid.spacing, atol=1e-3)
    np.testing.assert_allclose(image.GetDirection(), case.scan.grid.direction, atol=1e-4)
    told = json.loads((tmp_path / "read" / "map-meta.json").read_text())
    assert told["QuantityValueCode"]["CodeMeaning"] == "Gradient-weighted class activation"
    assert told["FrameLaterality"] == "L"


def test_the_report_gives_its_measurements_with_the_segments_they_are_of(case_on, tmp_path):
    case = case_on("ct")
    both = [DicomObject.SEGMENTATION, DicomObject.REPORT]
    _, report = export_case(tmp_path / "out", case.segmentation, source=case.series, objects=both)
    run("tid1500reader", "--inputDICOM", report.path, "--outputMetadata", tmp_path / "report.json")
    groups = json.loads((tmp_path / "report.json").read_text())["Measurements"]
    for group, number, value, key in zip(groups, (1, 2), (3, 7), ("left_kidney", "lump")):
        assert (group["ReferencedSegment"], group["TrackingIdentifier"]) == (number, key)
        measured = {item["quantity"]["CodeMeaning"]: float(item["value"]) for item in group["measurementItems"]}
        mask = case.segmentation.labels.array == value
        assert measured["Volume"] == pytest.approx(mask.sum() * case.scan.grid.voxel_volume_ml, rel=1e-5)
        assert measured["Attenuation Coefficient"] == pytest.approx(case.scan.array[mask].mean(), rel=1e-5)
        assert group["measurementAlgorithmIdentification"]["AlgorithmName"] == "hippocampus-mr"
    assert groups[0]["Laterality"]["CodeMeaning"] == "Left"
