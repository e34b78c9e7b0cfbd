from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Logic.training.config import TrainingConfig, config_from_mapping
from MedSegAI.Logic.training.nodules.case import Source
from MedSegAI.Logic.training.nodules.config import NoduleDataConfig
from MedSegAI.Logic.training.nodules.opening import read_nodules
from MedSegAI.Logic.training.nodules.read_cubes import read_cubes
from MedSegAI.Logic.training.opening import open_sets


def configuration(**fields: object) -> TrainingConfig:
    data = {"kind": "nodules"}
    return config_from_mapping({"name": "a", "data": data, "patch_size": [32, 64, 64], "total_steps": 1} | fields)


def test_a_cube_lies_with_its_slices_along_k_and_other_readers_only_where_well_placed(small_sets: Path) -> None:
    good, bad = read_cubes(small_sets / "lidc_cubes_ct", subset="train")
    extents = np.ptp(np.argwhere(good.readers[0]), axis=0) + 1
    assert extents.tolist() == [17, 9, 9]
    assert len(good.readers) == 3 and np.array_equal(good.consensus, good.readers[0])
    assert len(bad.readers) == 1 and np.array_equal(bad.consensus, bad.readers[0])


def test_marked_slices_come_at_1_mm_in_hu(small_sets: Path) -> None:
    cases = read_nodules(small_sets, NoduleDataConfig(cubes_folder=""), subset="train")
    # Of three training nodules one was drawn by a single reader, so it has no consensus.
    assert [case.name for case in cases] == ["P0_s1_n0", "P2_s1_n2"]
    assert cases[0].hu.shape == (10, 77, 77)
    assert cases[0].hu[5, 38, 38] == pytest.approx(29, abs=30)


def test_the_contour_which_the_slices_leave_out_is_added_within_the_slice(small_sets: Path) -> None:
    cases = read_nodules(small_sets, NoduleDataConfig(cubes_folder=""), subset="train")
    drawn = np.load(small_sets / "lidc_nodules_ct" / "lidc_nodules_ct.npz")["masks_bits"][:4] & 1
    grown = sum(np.roll(drawn, step, axis) for axis in (1, 2) for step in (-1, 1)) + drawn > 0
    assert cases[0].readers[0].sum() == pytest.approx(grown.sum() * 0.8 * 0.8 * 2.5, rel=0.1)
    assert cases[0].readers[0].any(axis=(1, 2)).sum() == 10


def test_no_patient_of_one_subset_is_in_the_other(small_sets: Path) -> None:
    trained, validated = (
        {case.name for case in read_nodules(small_sets, NoduleDataConfig(), subset=subset)}
        for subset in ("train", "val")
    )
    assert trained and validated and not trained & validated


def test_a_run_opens_both_sets_by_the_kind_of_its_data(small_sets: Path) -> None:
    learned, watched = open_sets(configuration(), small_sets)
    assert len(learned) == 2 * NoduleDataConfig().cube_repeats + 2
    assert [case.source for case in watched.cases] == [Source.CUBES, Source.SLICES]
    assert watched.window == (64, 64, 64)


def test_a_missing_set_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lidc_cubes_ct") as refused:
        open_sets(configuration(), tmp_path)
    assert "MEDSEGAI_DATA" in refused.value.advice


def test_without_a_folder_the_variable_is_asked_for(monkeypatch: pytest.MonkeyPatch, small_sets: Path) -> None:
    monkeypatch.delenv("MEDSEGAI_DATA", raising=False)
    with pytest.raises(InputError, match="No data folder"):
        open_sets(configuration(), None)
    monkeypatch.setenv("MEDSEGAI_DATA", str(small_sets))
    assert len(open_sets(configuration(), None)[1]) == 2


def test_the_real_cubes_are_read_as_their_index_says(data_folder: Path) -> None:
    folder = data_folder / "lidc_cubes_ct"
    if not (folder / "index.json").is_file():
        pytest.skip(f"no real data at {folder}")
    cases = read_cubes(folder, subset="val")
    assert len(cases) == 24 and len({case.patient for case in cases}) == 24
    inside = [float(case.hu[case.consensus == 1].mean()) for case in cases]
    around = [float(np.percentile(case.hu, 10)) for case in cases]
    assert np.median(inside) > -500 and np.median(around) < -700
    assert max(np.abs(case.centre - 25).max() for case in cases) < 6
