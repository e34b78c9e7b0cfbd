"""``--point``: what lies at the places that a user names is segmented, measured and explained, and nothing else."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.files.write import write_volume
from Testing.CommandLine.conftest import MODEL_NAME
from Testing.pointed_model import NAME, a_chest, install_pointed_model

FIRST, SECOND = (10.0, 5.0, 3.0), (-20.0, -10.0, -8.0)


@pytest.fixture(scope="module", autouse=True)
def pointed_model(models_folder):
    install_pointed_model(models_folder)


@pytest.fixture(scope="module")
def chest(tmp_path_factory):
    path = tmp_path_factory.mktemp("scans") / "chest.nrrd"
    write_volume(path, a_chest((FIRST, 6.0), (SECOND, 4.0)))
    return path


@pytest.fixture
def segment(medsegai, chest, tmp_path):
    """Segment the chest into ``out.seg.nrrd``."""

    def run(*options):
        return medsegai(*("segment", chest, "-o", tmp_path / "out.seg.nrrd", "--model", NAME, "--in-process", *options))

    return run


def test_each_point_gives_a_segment_and_a_row_of_measures(segment, tmp_path):
    shown = segment("--point", "-20,-10,-8", "--point-lps", "-10,-5,3", "--measures", tmp_path / "nodules.csv")
    assert shown.code == 0, shown.err
    assert [line.split("  ")[0] for line in shown.out.splitlines()[2:4]] == ["Lung nodule 1", "Lung nodule 2"]
    stored = read_segmentation(tmp_path / "out.seg.nrrd")
    assert [label.name for label in stored.table] == ["Lung nodule 1", "Lung nodule 2"]
    first, second = csv.DictReader((tmp_path / "nodules.csv").read_text().splitlines())
    assert (first["name"], first["r_mm"], first["may_be_cut"]) == ("Lung nodule 1", "-20.00", "no")
    assert float(first["diameter_mm"]) == pytest.approx(8.0, abs=1.0)
    assert float(second["diameter_mm"]) == pytest.approx(12.0, abs=1.0)
    assert float(second["volume_mm3"]) == (stored.labels.array == 2).sum()
    assert float(second["mean"]) == pytest.approx(40, abs=2) and 0.9 < float(second["confidence"]) <= 1


def test_a_point_may_be_a_voxel(segment, chest):
    image = sitk.ReadImage(str(chest))
    voxel = image.TransformPhysicalPointToIndex((-FIRST[0], -FIRST[1], FIRST[2]))
    shown = segment("--point-voxel", ",".join(map(str, voxel)), "--json")
    assert shown.code == 0, shown.err
    (nodule,) = json.loads(shown.out)["nodules"]
    assert nodule["key"] == "lung_nodule_1" and nodule["point_ras"] == pytest.approx(FIRST, abs=0.51)
    assert nodule["long_mm"] == pytest.approx(12.0, abs=1.6)


def test_where_nothing_is_a_sentence_says_so_and_nothing_is_written(segment, tmp_path):
    shown = segment("--point", "31,20,0")
    assert shown.code == 2
    assert "No lung nodule was found at 31.0, 20.0, 0.0" in shown.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--point", "500,0,0"), "lies outside 'chest'"),
        (("--point", "here"), "The point 'here' could not be understood"),
        (("--point", "0,0,0", "--roi", "0:9,0:9,0:9"), "--roi and --point exclude each other"),
        ((), "segments what is pointed at; it does not look for anything by itself"),
        (("--measures", "table.csv"), "--measures needs --point"),
    ],
)
def test_what_cannot_be_pointed_at_is_refused_with_a_sentence(segment, options, sentence):
    shown = segment(*options)
    assert shown.code == 2 and sentence in shown.err


def test_a_model_that_looks_for_its_structure_takes_a_point_as_the_middle_of_its_box(medsegai, crop, tmp_path):
    size = np.array(sitk.ReadImage(str(crop)).GetSize())
    middle = ",".join(str(count // 2) for count in size)
    out = tmp_path / "out.nrrd"
    shown = medsegai(
        "segment", crop, "-o", out, "--model", MODEL_NAME, "--in-process", "--point-voxel", middle, "--json"
    )
    assert shown.code == 0, shown.err
    (region,) = json.loads(shown.out)["provenance"]["regions"]
    assert region["name"] == "region of interest"
    shown = medsegai(
        *("segment", crop, "-o", out, "--model", MODEL_NAME, "--point-voxel", middle, "--measures", tmp_path / "a.csv")
    )
    assert shown.code == 2 and "--measures is for a model that segments what is pointed at" in shown.err


def test_what_lies_at_one_point_is_explained_without_naming_it(medsegai, chest, tmp_path):
    heat = tmp_path / "heat.nrrd"
    shown = medsegai("explain", chest, "-o", heat, "--model", NAME, "--in-process", "--point", "10,5,3")
    assert shown.code == 0, shown.err
    assert "Explained 'Lung nodule 1'" in shown.out
    image = sitk.ReadImage(str(heat))
    assert image.GetSize() == sitk.ReadImage(str(chest)).GetSize()
    assert image.GetPixel(image.TransformPhysicalPointToIndex((-10.0, -5.0, 3.0))) > 0.3


def test_of_several_points_the_target_is_named(medsegai, chest, tmp_path):
    points = ("--point", "10,5,3", "--point", "-20,-10,-8")
    asked = ("explain", chest, "-o", tmp_path / "heat.nrrd", "--model", NAME, "--in-process", *points)
    shown = medsegai(*asked)
    assert shown.code == 2 and "--target" in shown.err
    shown = medsegai(*asked, "--target", "lung_nodule_3")
    assert shown.code == 2 and "lung_nodule_2" in shown.err
    assert medsegai(*asked, "--target", "lung_nodule_2").code == 0
