"""The study of real raters: the sets are read as they are, readers are left out rightly, intervals draw patients."""

from __future__ import annotations

import csv
import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from MedSegAI.Logic.agreement.bootstrap import Estimate
from MedSegAI.Logic.consensus.ratings import Rating, Ratings
from MedSegAI.Logic.geometry import Grid
from Testing.Benchmarks.left_out_readers import (
    ALL,
    ANY,
    HALF,
    MAJORITY,
    SIMPLE,
    SINGLE,
    Scores,
    left_out_dice,
    mean_with_interval,
    scores_of_two,
    staple_at,
)
from Testing.Benchmarks.rater_cases import NODULE, WIDEST_MARGIN_MM, RatedCase, brain_tumours, lidc_masks, lidc_with_ct
from Testing.Benchmarks.raters_study import study
from Testing.Benchmarks.study_tables import Table, as_markdown, write_tables
from Testing.Benchmarks.tumour_tables import tumour_tables

CASES = 20


@pytest.fixture
def nodule_folder(data_folder: Path, tmp_path: Path) -> Path:
    """The two sets of nodules without the brain tumours, which take longer."""
    for name in ("lidc_multireader", "lidc_nodules_ct"):
        if not (data_folder / name / "index.json").is_file():
            pytest.skip(f"no real data at {data_folder / name}")
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).symlink_to(data_folder / name)
    return tmp_path / "data"


def line(*filled: int) -> np.ndarray:
    """A row of eight voxels."""
    labels = np.zeros((1, 1, 8), np.uint8)
    labels[..., list(filled)] = 1
    return labels


def ratings(*masks: np.ndarray) -> Ratings:
    raters = tuple(Rating(f"reader {n}", mask) for n, mask in enumerate(masks, start=1))
    return Ratings(Grid(masks[0].shape), NODULE, raters)


# The sets


def test_nodules_are_read_with_the_voxels_that_the_index_counts_and_room_for_every_margin(nodule_folder):
    folder = nodule_folder / "lidc_multireader"
    index = json.loads((folder / "index.json").read_text())[:CASES]
    for case, entry in zip(islice(lidc_masks(folder), CASES), index, strict=True):
        masks = np.array([one.labels for one in case.ratings.ratings])
        assert masks.sum(axis=(1, 2, 3)).tolist() == entry["vox"]
        assert case.ratings.grid.spacing == (entry["pixel_spacing"], entry["pixel_spacing"], entry["slice_spacing"])
        voted = np.argwhere(masks.any(axis=0))
        room = np.minimum(voted.min(axis=0), np.array(masks.shape[1:]) - 1 - voted.max(axis=0))
        assert np.all(room * case.ratings.grid.spacing_kji >= WIDEST_MARGIN_MM - 1e-6)


def test_nodules_are_bright_in_their_ct(nodule_folder):
    """Masks and slices belong together: what most readers drew is brighter than what nobody drew."""
    brighter = []
    for case in islice(lidc_with_ct(nodule_folder / "lidc_nodules_ct"), CASES):
        votes = np.mean([one.labels for one in case.ratings.ratings], axis=0)
        slices = votes.any(axis=(1, 2))
        brighter.append(np.median(case.image[votes > 0.5]) > np.median(case.image[slices][votes[slices] == 0]))
    assert np.mean(brighter) > 0.9


# Readers left out


def test_each_reader_is_compared_with_what_the_others_make():
    first, second, third = line(1, 2, 3, 4), line(2, 3, 4, 5), line(3, 4, 5, 6)
    (found,) = left_out_dice(ratings(first, second, third), [0.0], [[1]])
    assert set(found[0]) == {MAJORITY, HALF, SIMPLE, staple_at(0.0), SINGLE, ANY, ALL}
    # Without the first, majority of two is what both drew: 3, 4, 5.
    assert found[0][MAJORITY] == found[0][ALL] == pytest.approx(2 * 2 / 7)
    assert found[0][HALF] == found[0][ANY] == pytest.approx(2 * 3 / 9)
    assert found[0][SINGLE] == pytest.approx((2 * 3 / 8 + 2 * 2 / 8) / 2)
    assert found[1][MAJORITY] == pytest.approx(2 * 2 / 6)


def test_of_two_others_majority_is_what_both_drew():
    case = RatedCase("case", "patient", ratings(line(1, 2, 3, 4), line(2, 3, 4, 5), line(3, 4, 5, 6)))
    found = scores_of_two([case])
    assert found.by_way[MAJORITY] == pytest.approx(np.mean([4 / 7, 4 / 6, 4 / 7]))
    assert found.by_way[HALF] == pytest.approx(np.mean([6 / 9, 8 / 10, 6 / 9]))
    assert found.by_way[SINGLE] == pytest.approx(np.mean([(6 / 8 + 4 / 8) / 2, 6 / 8, (6 / 8 + 4 / 8) / 2]))


def test_intervals_draw_patients_and_not_their_nodules():
    rng = np.random.default_rng(1)
    of_patients = rng.normal(size=20)
    once = mean_with_interval(of_patients, [str(n) for n in range(20)])
    often = mean_with_interval(np.repeat(of_patients, 50), [str(n) for n in np.repeat(range(20), 50)])
    assert often.value == pytest.approx(once.value)
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    assert once.low < once.value < once.high
    few = mean_with_interval(np.array([1.0, np.nan, 3.0]), ["a", "b", "c"])
    assert few == Estimate(2.0)
    assert mean_with_interval(np.array([np.nan]), ["a"]) == Estimate(None)


def test_a_gain_is_paired():
    patients = [str(n) for n in range(30)]
    base = np.random.default_rng(2).random(30)
    gain = Scores(patients, {"a": base + 0.1, "b": base}).gain("a", "b")
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.1, 0.1, 0.1))


# Tables


def test_tables_are_written_for_people_spreadsheets_and_programs(tmp_path):
    rows = [{"way": "a", "Dice": Estimate(0.81234, 0.8, 0.82), "n": 3}, {"way": "b", "Dice": None, "n": 12.34}]
    write_tables(tmp_path, "all", [Table("one", "A title", rows)], remarks=["Note."])
    assert "| a | 0.812 (0.800 to 0.820) | 3 |\n| b | - | 12.3 |" in (tmp_path / "all.md").read_text()
    assert json.loads((tmp_path / "all.json").read_text())["one"]["rows"][0]["Dice"]["low"] == 0.8
    with (tmp_path / "one.csv").open() as file:
        first, second = csv.DictReader(file)
    assert (float(first["Dice"]), float(first["Dice high"]), second["Dice"]) == (0.81234, 0.82, "")


def test_small_numbers_keep_their_digits_and_nothing_is_minus_zero():
    assert "0.0003 (-0.0001 to 0.0010)" in as_markdown([{"x": Estimate(0.0003, -0.0001, 0.001)}])
    assert as_markdown([{"x": -1e-17}]).endswith("| 0.0000 |")
    assert as_markdown([{"x": Estimate(0.5, -1e-9, 1.0)}]).endswith("| 0.500 (0.000 to 1.000) |")


# The whole study


def test_the_study_of_some_nodules_writes_tables_and_pictures(nodule_folder, tmp_path):
    tables = {table.name: table.rows for table in study(nodule_folder, tmp_path / "out", cases=CASES)}
    assert len(tables["lidc_multireader_cases"]) == CASES
    rows = {(row["group"], row["fused from the others"]): row for row in tables["lidc_multireader_left_out"]}
    # Real readers: what two of the other three drew is closer to the fourth than any one of them is.
    assert rows["4 readers", MAJORITY]["Dice"].value > rows["4 readers", SINGLE]["Dice"].value > 0.5
    for row in tables["lidc_nodules_ct_margins"]:
        assert 0 < row["prior"].value < 0.6
    priors = [row["prior"].value for row in tables["lidc_multireader_margins"] if row["group"] == "4 readers"]
    assert priors == sorted(priors, reverse=True)
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"raters_study.md", "raters_study.json", "lidc_multireader_left_out.csv"} <= written
    for picture in ("lidc_nodules_ct.png", "lidc_multireader_left_out.png"):
        shades = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "out" / picture)))
        assert shades.std() > 20


def test_brain_tumours_are_read_and_measured_structure_by_structure(tmp_path):
    folder = tmp_path / "patient" / "segmentation"
    folder.mkdir(parents=True)
    (tmp_path / "patient" / "fusion").mkdir()
    labels = np.zeros((10, 12, 14), np.uint8)
    labels[3:8, 3:9, 3:10], labels[4:7, 4:8, 4:8], labels[5, 5:7, 5:7] = 2, 4, 1
    for n, name in enumerate("abcde"):
        drawn = np.roll(labels, 1 if n == 4 else 0, axis=2)
        sitk.WriteImage(sitk.GetImageFromArray(drawn), str(folder / f"{name}-20.nii.gz"))
    sitk.WriteImage(sitk.GetImageFromArray(labels), str(tmp_path / "patient" / "fusion" / "mav.nii.gz"))
    cases = list(brain_tumours(tmp_path))
    assert cases[0].ratings.raters == tuple("abcde")
    tables = {table.name: table.rows for table in tumour_tables(cases, tmp_path)}
    assert [row["Dice"] for row in tables["tumours_published"]] == [1.0] * 5
    assert [row["structure"] for row in tables["tumours_left_out"]][-1] == "whole tumour"
    whole = tables["tumours_agreement"][-1]
    assert whole["mean Dice of pairs"] == pytest.approx((6 + 4 * 6 / 7) / 10)
    by_margin = [row["prior"] for row in tables["tumours_margins"] if row["structure"] == "whole tumour"]
    assert by_margin == sorted(by_margin, reverse=True)


def test_without_data_a_sentence_says_so_and_nothing_is_written(tmp_path, capsys):
    assert study(tmp_path / "none", tmp_path / "out", cases=None) == []
    shown = capsys.readouterr().out.splitlines()
    assert [line.split(" at ")[0] for line in shown] == ["No lidc_multireader", "No lidc_nodules_ct", "No brats_like"]
    assert not (tmp_path / "out").exists()
