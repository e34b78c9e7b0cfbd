"""The study: its recipes are ones that the trainer takes, its results are read back as written, its tables say what
they should on scores whose differences are known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from MedSegAI.Logic.models.weights import build_network
from Testing.Benchmarks.training_study import networks
from Testing.Benchmarks.training_study.accuracy_tables import accuracy_and_ablation, difference, mean_dice, person_of
from Testing.Benchmarks.training_study.monai_recipe import WARM_UP_SHARE, share_of_rate
from Testing.Benchmarks.training_study.nnunet import DATASET, lay_out, write_split
from Testing.Benchmarks.training_study.picture import draw
from Testing.Benchmarks.training_study.recipes import Recipe, config_of, read_recipes
from Testing.Benchmarks.training_study.results import RESULTS, Result, read_results, score_case, write_result

RECIPES = read_recipes()
OURS = [recipe for recipe in RECIPES.values() if recipe.trainer == "ours"]
CASES = [f"hippocampus_{number:03d}" for number in range(1, 41)]


def scores(level: float, *, seed: int = 0) -> dict:
    """Forty cases of twenty people; both sides of a person are alike."""
    people = np.repeat(np.random.default_rng(seed).normal(level, 0.01, 20), 2)
    return {
        case: {label: {"dice": round(float(value), 5), "hd95": 1.5} for label in ("anterior", "posterior")}
        for case, value in zip(CASES, people)
    }


def a_result(name: str, level: float, **more) -> Result:
    return Result(name, 30.0, 5000, 2_000_000, {"as trained": scores(level, **more)}, commit="abc")


@pytest.fixture
def two_cases(tmp_path: Path) -> Path:
    folder = tmp_path / "two_cases"
    for kind in ("imagesTr", "labelsTr"):
        (folder / kind).mkdir(parents=True)
        for number in (1, 3):
            (folder / kind / f"hippocampus_00{number}.nii.gz").write_bytes(f"{kind} {number}".encode())
    (folder / "split.json").write_text('{"train": ["hippocampus_001"], "val": ["hippocampus_003"]}')
    return folder


@pytest.mark.parametrize("recipe", OURS, ids=lambda recipe: recipe.name)
def test_each_recipe_is_one_that_the_trainer_takes(recipe: Recipe, tmp_path: Path):
    networks.make_known()
    config = config_of(recipe, tmp_path, cpu_minutes=recipe.cpu_minutes)
    assert (config.precision, config.threads) == ("fp32", 1)
    assert config.cpu_minutes == recipe.cpu_minutes
    build_network(config.network.name, config.network.arguments)


def test_a_recipe_changes_only_what_it_says(tmp_path: Path):
    base, changed = (config_of(RECIPES[name], tmp_path, cpu_minutes=10) for name in ("base", "no-flips"))
    assert base.augmentation.flip_probability == 0.5
    assert changed.augmentation.flip_probability == 0.0
    assert changed.network == base.network
    assert changed.optimiser == base.optimiser


def test_a_path_in_the_work_folder_is_found_there(tmp_path: Path):
    config = config_of(RECIPES["distilled"], tmp_path, cpu_minutes=1)
    assert config.distil.teachers[1] == f"{tmp_path}/u-net-our-recipe/last.pt"


def test_members_of_an_ensemble_are_networks_of_ours():
    for recipe in RECIPES.values():
        assert (recipe.trainer == "ensemble") == bool(recipe.members)
        assert all(RECIPES[name].trainer in ("ours", "shipped") for name in recipe.members)


def test_the_rivals_of_the_accuracy_table_have_the_same_budget():
    rivals = [RECIPES[name] for name in ("ours", "nnunet", "monai-swin-unetr", "monai-u-net", "u-net-our-recipe")]
    assert {recipe.cpu_minutes for recipe in rivals} == {30}
    assert {recipe.table for recipe in rivals} == {"accuracy"}


def test_the_plain_u_net_is_as_small_as_its_row_says():
    pytest.importorskip("monai")
    network = networks.PlainUNet()
    assert sum(parameter.numel() for parameter in network.parameters()) == pytest.approx(1.4e6, rel=0.01)
    assert network(torch.zeros(1, 1, 16, 16, 16)).shape == (1, 3, 16, 16, 16)


def test_monais_rate_rises_then_falls_to_nothing():
    assert share_of_rate(0.0) < 0.05
    assert share_of_rate(WARM_UP_SHARE) == pytest.approx(1.0)
    assert share_of_rate((1 + WARM_UP_SHARE) / 2) == pytest.approx(0.5)
    assert share_of_rate(1.0) == pytest.approx(0.0)


def test_a_case_is_scored_label_by_label():
    truth = np.zeros((4, 4, 8), np.uint8)
    truth[1:3, 1:3, 1:3], truth[1:3, 1:3, 5:7] = 1, 2
    found = truth.copy()
    found[found == 2] = 0
    assert score_case(found, truth) == {
        "anterior": {"dice": 1.0, "hd95": 0.0},
        "posterior": {"dice": 0.0, "hd95": None},
    }


def test_a_result_is_read_back_as_it_was_written(tmp_path: Path):
    result = a_result("ours", 0.88)
    write_result(result, tmp_path)
    assert read_results(tmp_path) == {"ours": result}
    assert result.megabytes == 4.0


def test_both_sides_of_a_person_are_drawn_together():
    assert person_of("hippocampus_221") == person_of("hippocampus_222") != person_of("hippocampus_223")
    mean = mean_dice(a_result("ours", 0.88))
    spread = np.std([labels["anterior"]["dice"] for labels in scores(0.88).values()])
    # Twenty people: the interval is that of twenty values, not of forty.
    assert mean.high - mean.low == pytest.approx(2 * 1.96 * spread / np.sqrt(20), rel=0.15)


def test_a_difference_is_paired():
    better = a_result("better", 0.885)
    each = difference(better, a_result("ours", 0.88))
    assert each.difference == pytest.approx(0.005, abs=1e-4)
    assert each.high - each.low < 1e-4
    assert each.p_value < 1e-3


def test_the_tables_hold_what_was_measured_and_say_what_was_not():
    results = {name: a_result(name, level) for name, level in (("ours", 0.88), ("nnunet", 0.84), ("base", 0.87))}
    text = accuracy_and_ablation(RECIPES, results)
    row = next(line for line in text.splitlines() if line.startswith("| nnU-Net 2"))
    assert "-0.0400" in row
    assert "<0.0001" in row
    assert "Not trained yet: monai-swin-unetr" in text


def test_the_tables_can_be_made_before_anything_was_measured():
    assert "Nothing measured yet." in accuracy_and_ablation(RECIPES, {})


def test_committed_results_are_of_recipes_that_there_are():
    results = read_results(RESULTS)
    assert results.keys() <= RECIPES.keys()
    for result in results.values():
        for cases in result.variants.values():
            assert len(cases) == 62


def test_the_picture_is_drawn(tmp_path: Path):
    draw(RECIPES, {"ours": a_result("ours", 0.88), "base": a_result("base", 0.87)}, tmp_path / "accuracy.png")
    assert (tmp_path / "accuracy.png").stat().st_size > 5000


def test_the_split_and_the_cases_are_laid_out_under_nnunets_names(two_cases: Path, tmp_path: Path):
    lay_out(two_cases, tmp_path / DATASET)
    write_split(two_cases, tmp_path / "splits_final.json")
    files = {str(path.relative_to(tmp_path / DATASET)) for path in (tmp_path / DATASET).rglob("*.*")}
    assert files == {
        "dataset.json",
        *(f"imagesTr/hippocampus_00{number}_0000.nii.gz" for number in (1, 3)),
        *(f"labelsTr/hippocampus_00{number}.nii.gz" for number in (1, 3)),
    }
    assert (tmp_path / DATASET / "labelsTr" / "hippocampus_003.nii.gz").read_bytes() == b"labelsTr 3"
    splits = json.loads((tmp_path / "splits_final.json").read_text())
    assert splits == [{"train": ["hippocampus_001"], "val": ["hippocampus_003"]}]


def test_cases_can_be_laid_out_a_second_time(two_cases: Path, tmp_path: Path):
    lay_out(two_cases, tmp_path / DATASET)
    lay_out(two_cases, tmp_path / DATASET)
    assert json.loads((tmp_path / DATASET / "dataset.json").read_text())["numTraining"] == 2
