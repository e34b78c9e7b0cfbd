"""``medsegai consensus``: raters' masks in; one mask, its record, maps and a report of their agreement out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.consensus.fuse import FuseSettings, fuse
from MedSegAI.Logic.consensus.unify import ratings_of
from MedSegAI.Logic.files.read_segmentation import read_segmentation
from MedSegAI.Logic.files.slicer_segments import CONSENSUS_FIELD
from MedSegAI.Logic.files.write import write_segmentation
from MedSegAI.Logic.geometry import Box, Grid
from MedSegAI.Logic.labels import Label, LabelTable
from MedSegAI.Logic.volume import Volume

GRID = Grid((12, 14, 16), (1.0, 1.0, 2.0), (5.0, -7.0, 30.0))
TUMOUR = Label(1, "tumour", "Tumour", (1.0, 0.0, 0.0))
OEDEMA = Label(2, "oedema", "Oedema", (0.0, 1.0, 0.0))
RATERS = ("anna", "bene", "clara")


def cube(start: int, *, value: int = 1, size: int = 5) -> np.ndarray:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[3 : 3 + size, 4 : 4 + size, start : start + size] = value
    return labels


def save(path: Path, labels: np.ndarray, *, table=(TUMOUR,), grid: Grid = GRID) -> Path:
    write_segmentation(path, Volume(labels, grid), LabelTable(tuple(table)))
    return path


def array_of(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


@pytest.fixture
def masks(tmp_path: Path) -> list[Path]:
    """Three raters whose cubes are shifted by a voxel each."""
    folder = tmp_path / "masks"
    folder.mkdir()
    return [save(folder / f"{name}.seg.nrrd", cube(5 + n)) for n, name in enumerate(RATERS)]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    return tmp_path / "results"


@pytest.fixture
def refused(medsegai, results) -> Callable[..., str]:
    """Run something that must be refused in one sentence with nothing written; returns the sentence."""

    def run(*arguments: object, output: Path | None = None) -> str:
        shown = medsegai("consensus", *arguments, "-o", output or results / "fused.seg.nrrd")
        assert shown.code == 2, shown.out
        assert shown.out == ""
        assert shown.err.startswith("medsegai: ")
        assert len(shown.err.splitlines()) == 1
        assert list(results.iterdir()) == []
        return shown.err

    return run


# What is written


@pytest.mark.parametrize("method", ["staple", "majority", "simple"])
def test_the_fused_mask_is_what_the_library_fuses_and_carries_its_record(medsegai, masks, results, method):
    shown = medsegai("consensus", *masks, "-o", results / "fused.seg.nrrd", "--method", method)
    assert shown.code == 0, shown.err
    given = {name: read_segmentation(path) for name, path in zip(RATERS, masks)}
    expected = fuse(ratings_of(given), method=method, settings=FuseSettings(margin_mm=10.0))
    written = read_segmentation(results / "fused.seg.nrrd")
    assert np.array_equal(written.labels.array, expected.labels)
    assert written.labels.grid.same_frame(GRID)
    assert written.table == LabelTable((TUMOUR,))
    record = json.loads(sitk.ReadImage(str(results / "fused.seg.nrrd")).GetMetaData(CONSENSUS_FIELD))
    assert (record["method"], record["raters"], record["margin_mm"]) == (method, list(RATERS), 10.0)
    assert record["performances"][1]["sensitivity"] == {"1": pytest.approx(expected.performances[1].sensitivity(1))}
    for word in (*RATERS, "Tumour", "DICE", "HD95", "kappa", f"by {method}"):
        assert word in shown.out


def test_the_table_of_the_raters_tells_the_one_who_drew_as_the_others_did(medsegai, masks, results):
    shown = medsegai("consensus", *masks, "-o", results / "fused.nrrd", "--method", "majority", "--json")
    label = json.loads(shown.out)["agreement"]["labels"][0]
    assert [pair["dice"]["value"] for pair in label["with_consensus"]] == pytest.approx([0.8, 1.0, 0.8])
    assert [rater["volume_ml"] for rater in label["raters"]] == pytest.approx([0.25] * 3)


def test_the_threshold_widens_and_narrows_the_mask(medsegai, masks, results):
    sizes = {}
    for threshold in (0.2, 0.5, 0.9):
        options = ("--method", "majority", "--threshold", threshold)
        assert medsegai("consensus", *masks, "-o", results / "fused.nii.gz", *options).code == 0
        sizes[threshold] = np.count_nonzero(array_of(results / "fused.nii.gz"))
    assert sizes == {0.2: 7 * 25, 0.5: 5 * 25, 0.9: 3 * 25}


def test_maps_and_report_are_written_on_the_masks_grid(medsegai, masks, results):
    scan = results / "scan.nii.gz"
    sitk.WriteImage(Volume(cube(6).astype(np.float32), GRID).to_sitk(), str(scan))
    shown = medsegai(
        *("consensus", *masks, "-o", results / "fused.seg.nrrd", "--method", "majority", "--scan", scan),
        *("--probability", results / "p.nrrd", "--disagreement", results / "d.nrrd", "--report", results / "report"),
        *("--tolerance", 1.5, "--json"),
    )
    assert shown.code == 0, shown.err
    facts = json.loads(shown.out)
    assert set(facts["files"]) == {"report", "consensus", "probability", "disagreement"}
    assert facts["agreement"]["settings"]["tolerance_mm"] == 1.5
    assert np.unique(array_of(results / "p.nrrd")) == pytest.approx([0, 1 / 3, 2 / 3, 1])
    contested = array_of(results / "d.nrrd") > 0
    assert np.array_equal(contested, np.ptp([array_of(path) for path in masks], axis=0) > 0)
    assert {path.name for path in (results / "report").iterdir()} == {
        "agreement.html",
        "agreement.csv",
        "agreement.json",
    }
    assert "data:image/png" in (results / "report" / "agreement.html").read_text()


def test_prior_and_margin_are_what_was_asked_for(medsegai, masks, results):
    def record(*options: object) -> dict:
        shown = medsegai("consensus", *masks, "-o", results / "fused.nrrd", "--json", *options)
        assert shown.code == 0, shown.err
        return json.loads(shown.out)["record"]

    assert record("--prior", 0.3)["prior"] == {"background": 0.7, "tumour": 0.3}
    assert record("--prior", "tumour=0.2")["prior"]["tumour"] == 0.2
    assert record("--smoothing", 0.5)["settings"]["smoothing"] == 0.5
    voxels = 3 * 125 / 3
    assert record("--margin", "none")["prior"]["tumour"] == pytest.approx(voxels / (12 * 14 * 16))
    assert record("--margin", 0)["prior"]["tumour"] == pytest.approx(voxels / (5 * 5 * 7))


def test_a_label_of_several_is_named_for_the_map_and_the_prior(medsegai, refused, tmp_path, results):
    both = [tmp_path / "a.seg.nrrd", tmp_path / "b.seg.nrrd"]
    for n, path in enumerate(both):
        save(path, np.maximum(cube(3 + n), cube(9, value=2)), table=(TUMOUR, OEDEMA))
    assert "--label: tumour, oedema" in refused(*both, "--probability", results / "p.nrrd")
    assert "LABEL=P for each of: tumour, oedema" in refused(*both, "--prior", 0.1)
    assert "oedema" in refused(*both, "--prior", "tumour=0.1")
    shown = medsegai(
        *("consensus", *both, "-o", results / "fused.nii.gz", "--probability", results / "p.nrrd"),
        *("--label", "Oedema", "--prior", "tumour=0.1", "oedema=0.2"),
    )
    assert shown.code == 0, shown.err
    assert np.array_equal(array_of(results / "p.nrrd") > 0.5, cube(9, value=1) > 0)
    assert "no place for the record" in shown.out


def test_raters_are_named_by_option_by_file_or_by_folder(medsegai, masks, results):
    def names(paths: list[Path], *options: object) -> list[str]:
        shown = medsegai("consensus", *paths, "-o", results / "fused.nrrd", "--json", *options)
        assert shown.code == 0, shown.err
        return json.loads(shown.out)["record"]["raters"]

    assert names(masks) == list(RATERS)
    assert names(masks, "--rater", "A", "B", "--rater", "C") == ["A", "B", "C"]
    alike = []
    for name in RATERS:
        (results / name).mkdir()
        alike.append(save(results / name / "mask.nii.gz", cube(5)))
    assert names(alike) == list(RATERS)


def test_the_final_corrections_of_a_case_are_fused(medsegai, refused, masks, results, tmp_path):
    case = tmp_path / "case-7"
    for name, path in zip(RATERS, masks):
        status = "draft" if name == "clara" else "final"
        medsegai("corrections", "import", path, "--case", case, "--rater", name, "--status", status)
    assert "no final correction of clara" in refused("--case", case, "--rater", "anna", "clara")
    assert "no correction journal" in refused("--case", tmp_path)
    assert "one grid" in refused("--case", case, "--resample")
    shown = medsegai("consensus", "--case", case, "-o", results / "fused.seg.nrrd", "--method", "majority")
    assert shown.code == 0, shown.err
    assert "Left out, for want of a final correction: clara." in shown.err
    assert np.array_equal(array_of(results / "fused.seg.nrrd"), cube(5) * cube(6))


def test_a_dicom_segmentation_is_a_mask_like_others(medsegai, data_folder, results):
    samples = data_folder / "dicom" / "dcmqi" / "segmentations"
    if not samples.is_dir():
        pytest.skip(f"no real data at {samples}")
    pair = (samples / "liver.dcm", samples / "liver_seg.nrrd")
    options = ("--rater", "anna", "bene", "--margin", 0)
    shown = medsegai("consensus", *pair, "-o", results / "fused.seg.nrrd", *options, "--resample")
    assert shown.code == 0, shown.err
    assert "All raters drew the same for Liver" in shown.out


# What is defined though there is little to say


@pytest.mark.parametrize("method", ["staple", "majority", "simple"])
def test_one_mask_is_its_own_consensus_and_a_sentence_says_so(medsegai, masks, results, method):
    shown = medsegai("consensus", masks[0], "-o", results / "fused.nrrd", "--method", method)
    assert shown.code == 0, shown.err
    assert "There is one rater only, anna" in shown.out
    assert np.array_equal(array_of(results / "fused.nrrd"), array_of(masks[0]))


@pytest.mark.parametrize("ending", [".nii.gz", ".seg.nrrd"])
def test_masks_without_a_voxel_agree_that_there_is_nothing(medsegai, tmp_path, results, ending):
    empty = [save(tmp_path / f"{name}{ending}", np.zeros(GRID.shape, np.uint8)) for name in RATERS]
    shown = medsegai("consensus", *empty, "-o", results / "fused.nrrd", "--report", results / "report")
    assert shown.code == 0, shown.err
    assert "Nobody marked anything" in shown.out
    assert not array_of(results / "fused.nrrd").any()


# Grids that differ


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """Another rater's file as 3D Slicer saves it: the part of the lattice that holds the segment."""
    box = Box((2, 3, 4), (10, 12, 13))
    return save(tmp_path / "dora.seg.nrrd", cube(6)[box.slices].copy(), grid=GRID.crop(box))


def test_parts_of_one_lattice_are_joined_if_asked(medsegai, refused, masks, part, results):
    sentence = refused(masks[1], part)
    assert "shape (k, j, i) (12, 14, 16) and (8, 9, 9)" in sentence
    assert "--resample" in sentence
    shown = medsegai("consensus", part, masks[1], "-o", results / "fused.nrrd", "--resample")
    assert shown.code == 0, shown.err
    assert "resampled" not in shown.err
    assert np.array_equal(array_of(results / "fused.nrrd"), cube(6))


def test_other_grids_are_resampled_if_asked(medsegai, refused, masks, results, tmp_path):
    coarse = Grid((12, 7, 8), (2.0, 2.0, 2.0), (5.5, -6.5, 30.0))
    other = np.zeros(coarse.shape, np.uint8)
    other[3:8, 2:4, 3:5] = 1
    save(tmp_path / "coarse.nrrd", other, grid=coarse)
    assert "spacing (i, j, k) (1, 1, 2) and (2, 2, 2) mm" in refused(masks[0], tmp_path / "coarse.nrrd")
    shown = medsegai("consensus", masks[0], tmp_path / "coarse.nrrd", "-o", results / "fused.nrrd", "--resample")
    assert shown.code == 0, shown.err
    assert "resampled to the grid of 'anna'" in shown.err
    assert array_of(results / "fused.nrrd").shape == GRID.shape
    scan = tmp_path / "scan.nrrd"
    sitk.WriteImage(Volume(other.astype(np.float32), coarse).to_sitk(), str(scan))
    options = ("--resample", "--scan", scan)
    assert medsegai("consensus", *masks[:1], tmp_path / "coarse.nrrd", "-o", results / "on.nrrd", *options).code == 0
    assert array_of(results / "on.nrrd").shape == coarse.shape


# What is refused


def test_masks_that_cannot_be_compared_are_refused(refused, masks, tmp_path):
    fractions = sitk.GetImageFromArray(cube(5).astype(np.float32) * 0.5)
    sitk.WriteImage(fractions, str(tmp_path / "fractions.nii.gz"))
    (tmp_path / "broken.nrrd").write_bytes(masks[0].read_bytes()[:-200])
    save(tmp_path / "other.seg.nrrd", cube(5, value=2), table=(OEDEMA,))
    for mask, sentence in (
        (tmp_path / "fractions.nii.gz", "is no label map: its values run from 0.0 to 0.5"),
        (tmp_path / "broken.nrrd", "broken.nrrd"),
        (tmp_path / "none.nrrd", "no file or folder"),
        (tmp_path / "other.seg.nrrd", "it has oedema, which they lack; it lacks tumour"),
    ):
        assert sentence in refused(masks[0], mask)


def test_overlapping_segments_are_refused(refused, masks, tmp_path):
    layers = np.stack([cube(5), cube(6)], axis=-1)
    image = sitk.GetImageFromArray(layers, isVector=True)
    for n, label in enumerate((TUMOUR, OEDEMA)):
        for key, text in (("ID", label.key), ("Name", label.name), ("Layer", str(n)), ("LabelValue", "1")):
            image.SetMetaData(f"Segment{n}_{key}", text)
    sitk.WriteImage(image, str(tmp_path / "layers.seg.nrrd"))
    assert "overlap" in refused(tmp_path / "layers.seg.nrrd")


def test_a_rater_twice_is_refused(refused, masks):
    assert "is given twice" in refused(masks[0], masks[1], masks[0])
    assert "'anna' comes twice" in refused(*masks[:2], "--rater", "anna", "anna")
    assert "one and the same" in refused(*masks[:2], "--rater", "anna", "Anna")
    assert "2 masks and 3 names" in refused(*masks[:2], "--rater", *RATERS)


def test_outputs_that_cannot_be_are_refused_before_anything_is_read(refused, masks, results, tmp_path):
    assert "there is no folder" in refused("none.nrrd", output=tmp_path / "absent" / "fused.seg.nrrd")
    assert "no ending that can be written" in refused("none.nrrd", output=results / "fused.png")
    assert "is the input itself" in refused(masks[0], output=masks[0])
    assert "name the same file" in refused("none.nrrd", "--probability", results / "fused.seg.nrrd")
    assert "is a file, not a folder" in refused(*masks, "--report", masks[0])


def test_a_scan_of_another_place_is_refused(refused, masks, tmp_path):
    far = Grid(GRID.shape, GRID.spacing, (900.0, 0.0, 0.0))
    sitk.WriteImage(Volume(cube(5).astype(np.float32), far).to_sitk(), str(tmp_path / "scan.nrrd"))
    assert "lies elsewhere" in refused(*masks, "--report", tmp_path / "report", "--scan", tmp_path / "scan.nrrd")
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--threshold", 1), "is no probability"),
        (("--threshold", "nan"), "invalid"),
        (("--margin", "-1"), "margin of -1.0 mm"),
        (("--margin", "wide"), "invalid"),
        (("--prior", 1.5), "The prior is no probability"),
        (("--prior", "much"), "'much' is no number"),
        (("--prior", "bone=0.1"), "bone"),
        (("--smoothing", 11), "smoothing 11.0 is unusable"),
        (("--smoothing", 1, "--method", "majority"), "are for --method staple"),
        (("--tolerance", "-1"), "tolerance of -1.0 mm"),
        (("--label", "tumour"), "--label is for --probability"),
        (("--scan", "scan.nrrd"), "--scan is for --report"),
        (("--case", "folder"), "Either masks or --case"),
        (("--method", "vote"), "invalid choice"),
    ],
)
def test_options_that_cannot_be_are_refused(refused, masks, options, sentence):
    assert sentence in refused(*masks, *options)
